"""The job: the source of every module of the standard library, three times.

1. Another process says what ast.unparse makes of each file (expected.py).
2. ast.unparse and its class are taken away.
3. Each file is parsed, and written by every engine in turn; the texts must be
   equal to the expected ones, byte by byte. Which engine comes first changes
   from file to file; of the rounds of each file the best counts.
4. What part of the time went into dispatch is measured apart (share.py).
"""

import argparse
import ast
import difflib
import gc
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import engines, share
from .expected import DEPTH, described, digest_of, digests, parsed, text_of
from .progress import progress

SAMPLE_NODES = 100_000  # for the share of dispatch


@dataclass
class Result:
    """What one engine did."""

    unparse: Callable[[ast.AST], str]
    equal: int = 0
    different: list[str] = field(default_factory=list)
    seconds: float = 0.0
    seconds_of_sample: float = 0.0


@dataclass
class Tally:
    files: int = 0
    nodes: int = 0
    sample: list[ast.Module] = field(default_factory=list)
    sample_nodes: int = 0


def files_of(paths: Sequence[str]) -> list[str]:
    """The Python files in the folders; without any, the standard library's."""
    found: list[Path] = []
    for path in map(Path, paths or [sysconfig.get_path("stdlib")]):
        found += path.rglob("*.py") if path.is_dir() else [path]
    installed = {"site-packages", "dist-packages"}
    return sorted(
        str(path.resolve())
        for path in found
        if paths or installed.isdisjoint(path.parts)
    )


def taken_away(*arguments: object, **named: object) -> str:
    raise RuntimeError("this job must not use ast.unparse")


def take_unparse_away() -> None:
    ast.unparse = taken_away
    ast._Unparser = taken_away  # type: ignore[attr-defined]
    sys.modules["_ast_unparse"] = None  # type: ignore[assignment]


def written(unparse: Callable[[ast.AST], str], tree: ast.AST) -> str:
    try:
        return unparse(tree)
    except (ValueError, RecursionError) as error:
        return described(error)


def turns(names: Sequence[str], number: int) -> list[str]:
    """The names, beginning with another one each time."""
    start = number % len(names)
    return [*names[start:], *names[:start]]


def write_file(
    number: int,
    tree: ast.Module,
    results: dict[str, Result],
    rounds: int,
) -> tuple[dict[str, str], dict[str, float]]:
    """Each engine's text of the tree, and the seconds of its best round."""
    texts: dict[str, str] = {}
    best = dict.fromkeys(results, float("inf"))
    for turn in range(rounds):
        for engine in turns(list(results), number + turn):
            unparse = results[engine].unparse
            start = time.perf_counter()
            texts[engine] = written(unparse, tree)
            best[engine] = min(best[engine], time.perf_counter() - start)
    return texts, best


def compare(expected: dict[str, str], results: dict[str, Result], rounds: int) -> Tally:
    tally = Tally()
    for number, file in enumerate(progress(list(expected), "writing ")):
        tree = parsed(file)
        assert tree is not None
        nodes = sum(1 for _ in ast.walk(tree))
        texts, best = write_file(number, tree, results, rounds)
        sampled = number % 8 == 0 and tally.sample_nodes < SAMPLE_NODES
        for engine, result in results.items():
            result.seconds += best[engine]
            result.seconds_of_sample += best[engine] if sampled else 0.0
            if digest_of(texts[engine]) == expected[file]:
                result.equal += 1
            else:
                result.different.append(file)
        tally.files += 1
        tally.nodes += nodes
        if sampled:
            tally.sample.append(tree)
            tally.sample_nodes += nodes
        else:
            del tree
            gc.collect(0)
    return tally


def show_difference(file: str, unparse: Callable[[ast.AST], str]) -> None:
    tree = parsed(file)
    assert tree is not None
    lines = difflib.unified_diff(
        text_of(file).split("\n"),
        written(unparse, tree).split("\n"),
        "ast.unparse",
        file,
        lineterm="",
        n=1,
    )
    for line, _ in zip(lines, range(12), strict=False):
        print(f"    {line}")


def report(
    tally: Tally,
    results: dict[str, Result],
    shares: dict[str, float],
    reference: float,
) -> None:
    baseline = next(iter(results.values())).seconds
    first = next(iter(results))
    print(
        f"{'engine':16}{'equal':>8}{'different':>11}{'seconds':>9}"
        f"{'ns/node':>9}{'to ' + first:>19}{'in dispatch':>13}"
    )
    for engine, result in results.items():
        share_ = f"{100 * shares[engine]:.0f} %" if engine in shares else "–"
        print(
            f"{engine:16}{result.equal:8}{len(result.different):11}"
            f"{result.seconds:9.2f}{1e9 * result.seconds / tally.nodes:9.0f}"
            f"{result.seconds / baseline:19.2f}{share_:>13}"
        )
    print(
        f"{'ast.unparse':16}{'':19}{reference:9.2f}"
        f"{1e9 * reference / tally.nodes:9.0f}{reference / baseline:19.2f}"
        f"{'–':>13}  (once, in a process of its own)"
    )


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="unparse",
        description="Writes Python source from syntax trees by generic functions,"
        " and compares with ast.unparse and between engines of dispatch.",
    )
    parser.add_argument(
        "paths", nargs="*", help="files or folders (default: the standard library)"
    )
    parser.add_argument(
        "--engine",
        action="append",
        choices=engines.ENGINES,
        help="run on this engine only; may be given several times",
    )
    parser.add_argument("--print", action="store_true", help="print the source made")
    parser.add_argument(
        "--rounds", type=int, default=3, help="times that each file is written"
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="take every Nth file only"
    )
    return parser.parse_args(argv)


def print_sources(files: Sequence[str], engine: str) -> int:
    unparse = engines.rules(engine).unparse
    trees = [(file, parsed(file)) for file in files]
    for file, tree in trees:
        if tree is None:
            print(f"{file} is not Python", file=sys.stderr)
        else:
            print(unparse(tree))
    return int(any(tree is None for _, tree in trees))


def expectation(files: list[str]) -> tuple[dict[str, str], float]:
    """The digest of each file that is Python, and ast.unparse's time."""
    expected: dict[str, str] = {}
    seconds = 0.0
    answers = digests(files)
    for _ in progress(files, "expected"):
        answer = next(answers)
        seconds += answer["seconds"]
        if answer["digest"] is not None:
            expected[answer["file"]] = answer["digest"]
    answers.close()
    return expected, seconds


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments(argv)
    sys.setrecursionlimit(DEPTH)
    files = files_of(options.paths)[:: options.every]
    chosen = list(dict.fromkeys(options.engine or engines.ENGINES))
    if options.print:
        return print_sources(files, chosen[0])

    expected, reference = expectation(files)
    if not expected:
        print("no file to compare", file=sys.stderr)
        return 1
    take_unparse_away()
    results = {engine: Result(engines.rules(engine).unparse) for engine in chosen}
    gc.disable()
    tally = compare(expected, results, max(1, options.rounds))
    found = share.seconds_of_dispatch(chosen, share.recorded(tally.sample))
    gc.enable()

    python = ".".join(map(str, sys.version_info[:3]))
    print(
        f"Python {python}: {tally.files} files, {tally.nodes:,} nodes; left out "
        f"because they do not parse: {len(files) - tally.files}"
    )
    shares = {
        engine: found[engine] / result.seconds_of_sample
        for engine, result in results.items()
    }
    report(tally, results, shares, reference)
    for engine, result in results.items():
        for file in result.different[:3]:
            print(f"different: {engine}, {file}")
            show_difference(file, result.unparse)
    return int(any(result.different for result in results.values()))
