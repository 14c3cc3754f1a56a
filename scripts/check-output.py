#!/usr/bin/env python3
"""Run a program and compare what it prints with a file.

The command line is: check-output.py EXPECTED PROGRAM [ARGUMENT...]
"""

import difflib
import subprocess
import sys
from pathlib import Path


def main():
    expected = Path(sys.argv[1])
    done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, text=True)
    wanted = expected.read_text(encoding="utf-8")
    if done.returncode != 0:
        print(f"{sys.argv[2]}: exit status {done.returncode}")
    for line in difflib.unified_diff(
        wanted.splitlines(), done.stdout.splitlines(), expected.name, "printed", "", ""
    ):
        print(line)
    return 0 if done.returncode == 0 and done.stdout == wanted else 1


if __name__ == "__main__":
    sys.exit(main())
