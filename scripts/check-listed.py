#!/usr/bin/env python3
"""Check that every source, test and public header is listed in a meson.build.

A file that nobody lists is neither built nor tested, and nothing else says so.
Meson itself says when a file is listed that is not there, except where the part
is not built: for the Python package we look for that, too.
Looked for, in the meson.build of the file's folder or of a folder above:

    src/ROOM/x.c             'x.c'
    include/latebind/x.h     'latebind/x.h'; python.h in python/meson.build
    tests/SUITE/test_x.c     'SUITE/test_x'
    examples/small/x.c       'x', with small/x.expected beside it
    python/src/x.c           'src/x.c'; python/ops/x.c likewise
    ops/src/ROOM/x.c         'src/ROOM/x.c'
    python/latebind/x.py     'latebind/x.py', and every other kind of file there
"""

import re
import sys
from pathlib import Path


def is_listed(root, path, names):
    folder = path.parent
    if path.name == "python.h":
        folder = root / "python"  # it goes with the Python package
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


def python_problems(root):
    """What differs between python/meson.build and the folders that it lists."""
    folder = root / "python"
    build = folder / "meson.build"
    if not build.is_file():
        return []
    text = re.sub(r"#.*", "", build.read_text(encoding="utf-8"))
    listed = set(re.findall(r"'((?:src|ops|latebind)/[^']*\.\w+)'", text))
    there = {
        path.relative_to(folder).as_posix()
        for path in [
            *folder.glob("src/**/*.c"),
            *folder.glob("ops/**/*.c"),
            *folder.glob("latebind/**/*"),
        ]
        # Hidden files and compiled ones are nobody's source.
        if path.suffix and not re.search(r"/\.|__pycache__|\.pyc$|\.so$", str(path))
    }
    # Headers are named by those who include them.
    listed = {name for name in listed if not name.endswith(".h")}
    problems = [
        f"python/{name}: not in python/meson.build, so it would be in no wheel; "
        f"add it to {'core_sources' if name.startswith('src/') else 'package_files'}"
        for name in sorted(there - listed)
    ]
    problems += [
        f"python/{name}: in python/meson.build, but not there"
        for name in sorted(listed - there)
    ]
    return problems


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    root = root.resolve()
    wanted = [
        *(root / "src").rglob("*.c"),
        *(root / "ops").rglob("*.c"),
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
    problems += python_problems(root)
    for problem in problems:
        print(problem)
    print(f"{len(wanted)} files looked up, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
