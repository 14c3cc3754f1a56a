"""python examples/python/unparse [--help]"""

import sys
from pathlib import Path

if not __package__:  # run as a folder: make it the package that it is
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from unparse.job import main

if __name__ == "__main__":
    sys.exit(main())
