"""Runs a program on drop-ins:

python -m latebind.compat NAME[,NAME...] (program.py | -m module) [argument...]
"""

import os
import runpy
import sys
from pathlib import Path

from latebind.compat import NAMES, install


def main() -> None:
    names, *program = sys.argv[1:] or [""]
    module = program[:1] == ["-m"]
    program = program[module:]
    unknown = [name for name in names.split(",") if name not in NAMES]
    if unknown or not program:
        print(__doc__.strip(), file=sys.stderr)
        print(f"\nNAME is one of: {', '.join(NAMES)}", file=sys.stderr)
        sys.exit(2)
    for name in names.split(","):
        install(name)
    sys.argv = program
    if module:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(program[0]).resolve().parent)
        runpy.run_path(os.path.abspath(program[0]), run_name="__main__")


if __name__ == "__main__":
    main()
