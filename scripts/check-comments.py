#!/usr/bin/env python3
"""Check that a comment precedes every public function.

A function is public when its declaration or inline definition stands at file
scope of a header in include/latebind, or ops/include/latebind, and its name starts
with lb_ or lbo_.  The
comment stands directly above it.  Declarations that follow one another without
an empty line form a group, and share the comment above the first.
"""

import re
import sys
from pathlib import Path

# The parts of a header that matter here.  Strings and characters are taken
# whole, so that braces and slashes within them do not count.
PART = re.compile(
    r"(?P<comment>/\*.*?\*/|//[^\n]*)"
    r"|(?P<directive>^[ \t]*#(?:[^\n\\]|\\.)*)"
    r'|(?P<text>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')'
    r"|(?P<blank>\n[ \t]*(?=\n))"
    r"|(?P<open>[{(\[])|(?P<close>[})\]])"
    r"|(?P<end>;)"
    r"|(?P<word>\w+)|(?P<other>.)",
    re.S | re.M,
)
# What an extern "C" block holds still stands at file scope.
EXTERN = re.compile(r"extern\s+\"C\"\s*\{")


def functions(text):
    """Yield (line, name, has_comment) for each function at file scope."""
    commented = False  # a comment covers what comes next
    depth, words, name, line, is_typedef = 0, [], None, 0, False
    has_parameters = False
    position = 0
    while position < len(text):
        extern = EXTERN.match(text, position) if depth == 0 else None
        if extern:
            position, words, commented = extern.end(), [], False
            continue
        match = PART.match(text, position)
        position = match.end()
        kind, token = match.lastgroup, match[0]
        if kind == "comment":
            commented = commented or not words
        elif kind == "blank":
            if depth == 0 and not words:
                commented = False
        elif kind in ("directive", "text"):
            pass
        elif kind == "word" and depth == 0:
            if not words:
                is_typedef = token == "typedef"
            words.append(token)
        elif kind == "open":
            if depth == 0 and token == "(":
                has_parameters = True
                before = words[-1] if words else ""
                if name is None and re.fullmatch(r"lbo?_\w+", before):
                    name = before
                    line = text.count("\n", 0, match.start()) + 1
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        # A declaration ends with its semicolon, a definition with its body.
        ends = kind == "end" or (token == "}" and has_parameters)
        if ends and depth == 0:
            if name and not is_typedef:
                yield line, name, commented
            words, name, has_parameters = [], None, False


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    total, bare = 0, 0
    folders = [root / "include" / "latebind", root / "ops" / "include" / "latebind"]
    for path in sorted(p for folder in folders for p in folder.rglob("*.h")):
        for line, name, commented in functions(path.read_text(encoding="utf-8")):
            total += 1
            if not commented:
                print(f"{path.relative_to(root)}:{line}: {name} has no comment")
                bare += 1
    print(f"{total} public functions, {bare} without a comment")
    return 1 if bare else 0


if __name__ == "__main__":
    sys.exit(main())
