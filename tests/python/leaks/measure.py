"""Count references around a scenario that is repeated (needs python3-dbg).

1. Run the scenario some times to warm up (caches, interned names, free lists).
2. Run it in several rounds, with a collection after each, and take the number of
   references and of allocated blocks.
3. A leak of one reference per run shows as `count` more in *every* round; single
   rounds may grow for other reasons, so the smallest growth counts.
"""

import gc
import sys
from collections.abc import Callable

ROUNDS = 4


def references() -> tuple[int, int]:
    for _ in range(3):
        gc.collect()
    return sys.gettotalrefcount(), sys.getallocatedblocks()


def expect_no_leak(scenario: Callable[[], object], count: int = 1_000) -> None:
    """Exit with 1 when `scenario` leaves something behind each time it is run."""
    if not hasattr(sys, "gettotalrefcount"):
        print("skipped: needs a debug build of Python (python3-dbg)")
        sys.exit(77)
    for _ in range(count):
        scenario()
    growth = []
    for _ in range(ROUNDS):
        before = references()
        for _ in range(count):
            scenario()
        after = references()
        growth.append((after[0] - before[0], after[1] - before[1]))
    least = tuple(min(one[which] for one in growth) for which in (0, 1))
    print(f"{scenario.__name__}: {count} times, least growth of {ROUNDS} rounds:")
    print(f"  {least[0]} references, {least[1]} blocks ({growth})")
    if max(least) >= count // 4:
        print("  LEAK")
        sys.exit(1)
