#!/usr/bin/env python3
"""Check that every source, test and public header is listed in a meson.build.

A file that nobody lists is neither built nor tested, and nothing else says so.
Looked for, in the meson.build of the file's folder or of a folder above:

    src/ROOM/x.c             'x.c'
    include/latebind/x.h     'latebind/x.h'
    tests/SUITE/test_x.c     'SUITE/test_x'
    examples/small/x.c       'x', with small/x.expected beside it
"""

import sys
from pathlib import Path


def is_listed(root, path, names):
    folder = path.parent
    while folder.is_relative_to(root):
        build = folder / "meson.build"
        if build.is_file():
            text = build.read_text(encoding="utf-8")
            if any(f"'{name}'" in text for name in names):
                return True
        folder = folder.parent
    return False


def names_of(root, path):
    """The ways in which a meson.build may name a file."""
    relative = path.relative_to(root)
    names = []
    for start in range(len(relative.parts)):
        tail = Path(*relative.parts[start:])
        names += [tail.as_posix(), tail.with_suffix("").as_posix()]
    return names


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    root = root.resolve()
    wanted = [
        *(root / "src").rglob("*.c"),
        *(root / "include").rglob("*.h"),
        *(root / "tests").rglob("test_*.c"),
        *(root / "tests").rglob("fuzz_*.c"),
        *(root / "examples").rglob("*.c"),
        *(root / "bench").rglob("*.c"),
    ]
    problems = []
    for path in sorted(wanted):
        if not is_listed(root, path, names_of(root, path)):
            problems.append(f"{path.relative_to(root)}: in no meson.build")
    for path in sorted((root / "examples" / "small").glob("*.c")):
        if not path.with_suffix(".expected").is_file():
            problems.append(f"{path.relative_to(root)}: has no .expected beside it")
    for problem in problems:
        print(problem)
    print(f"{len(wanted)} files looked up, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
