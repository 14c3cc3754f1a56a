"""An unchanged program that uses multipledispatch, before and after.

    python examples/python/before_after [--rounds N]

The program puzzle.py is solved in two processes: one as it is, and one in which
`latebind.compat.install("multipledispatch")` came first, so that every import of
multipledispatch, the solver's too, finds the drop-in. Both must come to the same
solutions. The processes work by turns; of each, the best round counts.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

NEEDS = ("multipledispatch", "kanren", "unification")


def child(after: bool, rounds: int) -> None:
    """Solves the puzzle; prints, for the parent, what came out and how long it
    took."""
    if after:
        import latebind.compat

        latebind.compat.install("multipledispatch")
    sys.path.insert(0, str(Path(__file__).parent))
    import multipledispatch
    import puzzle

    puzzle.solutions()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        solutions = puzzle.solutions()
        best = min(best, time.perf_counter() - start)
    dispatcher = multipledispatch.Dispatcher
    print(
        json.dumps(
            {
                "dispatcher": f"{dispatcher.__module__}.{dispatcher.__qualname__}",
                "solutions": [[list(map(str, one)) for one in s] for s in solutions],
                "seconds": best,
            }
        )
    )


def solve(role: str, rounds: int) -> dict:
    command = [sys.executable, __file__, "--role", role, "--rounds", str(rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the program failed {role} install()")
    return json.loads(done.stdout)


def missing() -> list[str]:
    from importlib.util import find_spec

    return [name for name in NEEDS if find_spec(name) is None]


def main() -> int:
    parser = argparse.ArgumentParser(prog="before_after", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--role", choices=["before", "after"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        child(options.role == "after", options.rounds)
        return 0
    if absent := missing():
        print(f"not installed: {', '.join(absent)}; pip install miniKanren")
        return 0

    answers: dict[str, list[dict]] = {"before": [], "after": []}
    for _ in range(3):
        for role, given in answers.items():
            given.append(solve(role, max(1, options.rounds // 3)))
    seconds = {
        role: min(a["seconds"] for a in given) for role, given in answers.items()
    }
    outcomes = {
        role: {json.dumps(answer["solutions"]) for answer in given}
        for role, given in answers.items()
    }
    equal = outcomes["before"] == outcomes["after"]
    for role, given in answers.items():
        text = "".join(sorted(outcomes[role]))
        print(
            f"{role:7} {1e3 * seconds[role]:8.2f} ms   solutions"
            f" {hashlib.sha256(text.encode()).hexdigest()[:12]}"
            f"   {given[0]['dispatcher']}"
        )
    print(f"the solutions are {'equal' if equal else 'DIFFERENT'}")
    print(f"after / before: {seconds['after'] / seconds['before']:.2f}")
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main())
