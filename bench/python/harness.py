"""How a call is timed.

1. A loop is a compiled function whose body is the calls, written out one below
   the other (at least 20), on local variables; so the loop itself takes a small
   part of the time, and that is subtracted, too.
2. The process is pinned to one CPU and collects no garbage.
3. A load's loops take turns: one window of about 1.5 ms each, 150 times. The
   minimum of each counts: what a window takes beyond it is the machine's.
4. A call's time is that of its loop less that of a loop with nothing in it, or,
   where the load says so, less that of a loop with all but the call in it.
5. What counts is the ratio to a plain call of the same shape in the same turns.

`null_test` shows what the subtraction is worth: nothing must take 0 ns, and a
call takes the same time however often it is written out.
"""

import gc
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Any

WINDOW = 1.5e-3  # seconds
WINDOWS = 150
LEAST = 20  # calls written out


@dataclass(frozen=True)
class Timing:
    windows: int = WINDOWS
    window: float = WINDOW


def settle_down() -> int | None:
    """No garbage collection from here on, and one CPU; says which, if the system
    can do that."""
    gc.disable()
    if not hasattr(os, "sched_setaffinity"):
        return None
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu


class Loop:
    """A compiled loop over statements; `names` are their local variables."""

    def __init__(self, statements: Sequence[str], names: Mapping[str, Any]) -> None:
        copies = -(-LEAST // len(statements)) if statements else 1
        written = list(statements) * copies
        self.copies = copies
        body = "".join(f"        {each}\n" for each in written or ["pass"])
        parameters = ", ".join(["turns", "clock", *names])
        source = (
            f"def run({parameters}):\n"
            "    start = clock()\n"
            "    for _ in turns:\n"
            f"{body}"
            "    return clock() - start\n"
        )
        scope: dict[str, Any] = {}
        exec(compile(source, "<loop>", "exec"), scope)
        self.run = scope["run"]
        self.values = tuple(names.values())
        self.turns = 1

    def time(self, turns: int) -> float:
        return self.run(repeat(None, turns), perf_counter, *self.values)

    def settle(self, window: float) -> None:
        """Finds how many turns a window takes; warms up on the way."""
        taken = 0.0
        while taken < window / 4:
            self.turns *= 2
            taken = self.time(self.turns)
        self.turns = max(1, int(self.turns * window / taken))

    def window(self) -> float:
        """Seconds per turn of one copy of the statements, the loop's own time
        with it."""
        return self.time(self.turns) / self.turns


@dataclass
class Case:
    """Statements to be timed, and how many calls there are in them."""

    statements: Sequence[str]
    names: Mapping[str, Any]
    calls: int
    less: Sequence[str] = ()  # statements whose time is not the calls'


@dataclass
class Measured:
    nanoseconds: float  # of one call
    ratio: float  # to the plain one


def measure(cases: Mapping[str, Case], timing: Timing) -> dict[str, Measured]:
    """Times all cases by turns. The one named "plain" is what the others are
    compared with."""
    loops: dict[tuple[str, bool], Loop] = {("", False): Loop((), {})}
    for name, case in cases.items():
        loops[name, True] = Loop(case.statements, case.names)
        if case.less:
            loops[name, False] = Loop(case.less, case.names)
    for loop in loops.values():
        loop.settle(timing.window)
    best = dict.fromkeys(loops, float("inf"))
    order = list(loops)
    for number in range(timing.windows):
        start = number % len(order)
        for key in order[start:] + order[:start]:
            best[key] = min(best[key], loops[key].window())

    empty = best["", False]
    seconds = {}
    for name, case in cases.items():
        whole = (best[name, True] - empty) / loops[name, True].copies
        if case.less:
            whole -= (best[name, False] - empty) / loops[name, False].copies
        seconds[name] = whole / case.calls
    plain = seconds["plain"]
    return {
        name: Measured(1e9 * value, value / plain) for name, value in seconds.items()
    }


def null_test(timing: Timing) -> str:
    """What is measured where the answer is known."""

    def plain(a: object, b: object) -> int:
        return 0

    names = {"f": plain, "a": 1, "b": 2}
    found = measure(
        {
            "plain": Case(["f(a, b)"] * 20, names, 20),
            "again": Case(["f(a, b)"] * 20, names, 20),
            "longer": Case(["f(a, b)"] * 64, names, 64),
            "nothing": Case((), names, 20),
            "less all": Case(["f(a, b)"] * 20, names, 20, ["f(a, b)"] * 20),
        },
        timing,
    )
    return (
        f"plain call {found['plain'].nanoseconds:.1f} ns,"
        f" the same again {found['again'].ratio:.3f},"
        f" 64 instead of 20 written out {found['longer'].ratio:.3f},"
        f" nothing {found['nothing'].nanoseconds:.2f} ns,"
        f" a call less a call {found['less all'].nanoseconds:.2f} ns"
    )
