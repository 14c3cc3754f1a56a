"""Python source from syntax trees, by generic functions over the node classes."""
