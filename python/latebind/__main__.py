"""`python -m latebind`; see _cli.py."""

import sys

from latebind._cli import main

if __name__ == "__main__":
    sys.exit(main())
