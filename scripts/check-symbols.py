#!/usr/bin/env python3
"""Check which names the libraries give to the linker.

    check-symbols.py --shared LIB.so --static LIB.a --list FILE [--update]
                     [--prefix lb_]

1.  The shared library exports exactly the names in FILE, one a line, sorted,
    and every one of them starts with the prefix (or is lb_head_ with it).
2.  Every global name in the static library starts with the prefix, or with that
    of internal names (lbi_ of lb_, lboi_ of lbo_), because a program that links
    it shares one name space with it.

A name that went is a broken program somewhere: raise LB_ABI with it.
--update writes FILE anew.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HEAD = """\
# The names that the shared library exports, sorted.  A name is added here by
# scripts/check-symbols.py --update (or `make symbols`), and read in review.
"""


def global_names(library, *options):
    """The names that nm reports as defined and visible."""
    command = [os.environ.get("NM", "nm"), "-P", "--defined-only", *options, library]
    lines = subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    # "NAME TYPE VALUE SIZE"; an archive's members are announced by "lib.a[x.o]:".
    words = [line.split() for line in lines]
    return sorted({w[0] for w in words if len(w) >= 2 and not w[0].endswith(":")})


def read_list(path):
    if not path.is_file():
        return []
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", required=True)
    parser.add_argument("--static", required=True)
    parser.add_argument("--list", required=True, type=Path)
    parser.add_argument("--prefix", default="lb_")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()

    exported = global_names(options.shared, "-D")
    if options.update:
        options.list.write_text(HEAD + "".join(name + "\n" for name in exported))
        print(f"{options.list.name}: {len(exported)} names")

    listed = read_list(options.list)
    problems = []
    for name in sorted(set(exported) - set(listed)):
        problems.append(f"added: {name} is exported but not listed")
    for name in sorted(set(listed) - set(exported)):
        problems.append(f"removed: {name} is listed but not exported")
    for name in exported:
        if not name.removeprefix("lb_head_").startswith(options.prefix):
            problems.append(f"prefix: the shared library exports {name}")
    for name in global_names(options.static, "-g"):
        inside = options.prefix.replace("_", "i_")
        if not name.removeprefix("lb_head_").startswith((options.prefix, inside)):
            problems.append(f"prefix: the static library holds a global {name}")
    if listed != sorted(set(listed)):
        problems.append(f"order: {options.list.name} is not sorted")

    for problem in problems:
        print(problem)
    print(f"{len(exported)} names exported, {len(problems)} problems")
    if problems and not options.update:
        print("if the change is meant: make symbols")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
