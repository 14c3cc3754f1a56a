"""What ast.unparse makes of each file, found out in a process of its own.

    python expected.py digests < LIST    for each file of the list, one line of
                                         JSON: its digest, and how long it took
    python expected.py text FILE         the text itself

The job that is compared with this has ast.unparse taken away (see job.py), so it
asks this program before.
"""

import ast
import hashlib
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

DEPTH = 20_000  # of calls; a long sum is a deep tree


class Digest(TypedDict):
    file: str
    digest: str | None  # None: not Python
    seconds: float


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parsed(file: str) -> ast.Module | None:
    """The tree of a file; None if it is not Python, as some test data is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(Path(file).read_bytes(), file)
    except (SyntaxError, ValueError, RecursionError):
        return None


def described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def digests(files: list[str]) -> Iterator[Digest]:
    """Asks another process; yields as the lines come."""
    command = [sys.executable, __file__, "digests"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        for file in files:  # one question, one answer: no pipe fills up
            child.stdin.write(f"{file}\n")
            child.stdin.flush()
            yield json.loads(child.stdout.readline())
        child.stdin.close()


def text_of(file: str) -> str:
    """The whole text that ast.unparse makes of a file, from another process."""
    command = [sys.executable, __file__, "text", file]
    made = subprocess.run(command, capture_output=True, check=True)
    return made.stdout.decode("utf-8", "surrogatepass")


def unparsed(tree: ast.Module) -> str:
    try:
        return ast.unparse(tree)
    except (ValueError, RecursionError) as error:
        return described(error)


def answer(file: str) -> Digest:
    tree = parsed(file)
    if tree is None:
        return {"file": file, "digest": None, "seconds": 0.0}
    start = time.perf_counter()
    text = unparsed(tree)
    seconds = time.perf_counter() - start
    return {"file": file, "digest": digest_of(text), "seconds": seconds}


def main() -> None:
    sys.setrecursionlimit(DEPTH)
    if sys.argv[1] == "text":
        tree = parsed(sys.argv[2])
        text = "" if tree is None else unparsed(tree)
        sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
        return
    for line in sys.stdin:
        print(json.dumps(answer(line.rstrip("\n"))), flush=True)


if __name__ == "__main__":
    main()
