"""What stands before a statement, and the remarks for type checkers after it."""

import ast
from collections.abc import Mapping


class Margin:
    """The line break and the blanks before a statement at some depth."""

    def __init__(
        self, line: str = "\n", ignored: Mapping[int, str] | None = None
    ) -> None:
        self.line = line
        self.ignored = ignored or {}  # by line number, of the whole module
        self._deeper: Margin | None = None

    @property
    def deeper(self) -> "Margin":
        if self._deeper is None:
            self._deeper = Margin(f"{self.line}    ", self.ignored)
        return self._deeper

    def remark(self, node: ast.stmt) -> str:
        """The comment `# type:` of a statement, if it has one."""
        comment = getattr(node, "type_comment", None)
        if self.ignored:
            comment = self.ignored.get(node.lineno) or comment
        return "" if comment is None else f" # type: {comment}"
