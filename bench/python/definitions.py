"""Loads of other things than calls: misses, definitions, memory, import.

They give a time or a size, not a ratio. Each is repeated with a generic function
made anew; the least of the repetitions counts.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

from peers import PEERS, Build
from things import Function, classes, function, pairs

Builds = dict[str, Build]
Values = dict[str, float]

FOOTPRINT = Path(__file__).with_name("footprint.py")


@dataclass(frozen=True)
class Figure:
    name: str
    title: str
    unit: str
    goal: float | None
    peer: str | None  # the best known of a peer, as it was given
    values: Callable[[Builds, int], Values]  # of the builds, so many repetitions


def grid(count: int) -> tuple[list[type], list[Function]]:
    """Classes, and so many functions, each for another pair of them."""
    side = 1
    while side * side < count:
        side += 1
    kinds = classes(side)
    chosen = pairs(kinds, kinds)[:count]
    return kinds, [function(0, pair) for pair in chosen]


def derived(kinds: list[type]) -> list[Any]:
    """An object of a class of its own for each class."""
    return [type(f"Sub{kind.__name__}", (kind,), {})() for kind in kinds]


def least(builds: Builds, repetitions: int, once: Callable[[Build], float]) -> Values:
    """Of each peer, the least of the repetitions, in seconds."""
    found: Values = {}
    for name, build in builds.items():
        gc.collect()
        try:
            found[name] = once(build)
            # A peer that takes a second for it need not show that five times.
            for _ in range(repetitions if found[name] < 0.5 else 0):
                gc.collect()  # the generic function before, and its classes
                found[name] = min(found[name], once(build))
        except Exception:  # it cannot: see calls.fitting
            found.pop(name, None)
            if name == "latebind":
                raise
    return found


def scaled(values: Mapping[str, float], factor: float) -> Values:
    return {name: value * factor for name, value in values.items()}


# A call of classes that have been seen, but not together


def seconds_of_misses(build: Build, methods: int, fresh: bool) -> float:
    kinds, functions = grid(methods)
    made = build(functions, False)
    full = kinds[: methods // len(kinds)]
    if fresh:
        calls = list(zip(derived(full), derived(full), strict=True))
    else:
        firsts, seconds = derived(full), derived(kinds)
        made(firsts[0], seconds[0])
        for first in firsts[1:]:
            made(first, seconds[0])
        for second in seconds[1:]:
            made(firsts[0], second)
        calls = [(a, b) for a in firsts[1:] for b in seconds[1:]][:100]
    times = []
    for _ in range(4):
        start = perf_counter()
        for first, second in calls:
            made(first, second)
        times.append(perf_counter() - start)
    return (times[0] - min(times[1:])) / len(calls)


def misses(methods: int, fresh: bool = False) -> Callable[[Builds, int], Values]:
    def values(builds: Builds, repetitions: int) -> Values:
        found = least(
            builds,
            repetitions,
            lambda build: seconds_of_misses(build, methods, fresh),
        )
        return scaled(found, 1e6)

    return values


# Definitions


def seconds_to_register(build: Build) -> float:
    kinds, functions = grid(1000)
    one, other = derived(kinds[:2])
    start = perf_counter()
    made = build(functions, False)
    made(one, other)
    return perf_counter() - start


def register(builds: Builds, repetitions: int) -> Values:
    return scaled(least(builds, repetitions, seconds_to_register), 1e3)


ADDERS: dict[str, Callable[[Any, Function], Any]] = {
    "latebind": lambda made, function: made.add(function),
    "ovld": lambda made, function: made.register(function),
    "plum": lambda made, function: made.dispatch(function),
    "multipledispatch": lambda made, function: made.add(
        tuple(function.__annotations__.values()), function
    ),
    "multimethod": lambda made, function: made.register(function),
}


def seconds_to_add(name: str) -> float:
    """The least of five: a method is added, and one call made that runs it."""
    kinds, functions = grid(1000)
    made = PEERS[name][0](functions, False)
    objects = derived(kinds)
    made(objects[0], objects[1])
    best = float("inf")
    for number in range(1, 6):
        one = objects[number]
        added = function(number, [type(one), type(one)])
        add = ADDERS[name]
        start = perf_counter()
        add(made, added)
        found = made(one, one)
        best = min(best, perf_counter() - start)
        if found != number:
            raise ValueError("the method added did not run")
    return best


def add_one(builds: Builds, repetitions: int) -> Values:
    found: Values = {}
    for name in builds:
        if name in ADDERS:
            gc.collect()
            try:
                found[name] = 1e6 * seconds_to_add(name)
            except Exception:  # see calls.fitting
                if name == "latebind":
                    raise
    return found


# Memory and import, in processes of their own


def footprint(*arguments: str) -> list[float]:
    command = [sys.executable, str(FOOTPRINT), *arguments]
    environment = dict(os.environ)  # what was compiled shall stay so
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )
    return [float(each) for each in done.stdout.split()]


def asked(builds: Builds, question: str, column: int, repetitions: int) -> Values:
    found: Values = {}
    for name in builds:
        try:
            answers = [footprint(question, name) for _ in range(repetitions)]
        except subprocess.CalledProcessError:
            if name == "latebind":
                raise
            continue
        found[name] = min(answer[column] for answer in answers)
    return found


METHODS = 10_000  # of 100 × 100 classes
FEWER = 1_000  # for the peers, because some need a second for them


@cache
def bytes_per_method(question: str, name: str, count: int) -> list[float]:
    """By Python's allocator, and by resident memory."""
    return footprint(question, name, str(count))


def memory_values(builds: Builds, repetitions: int, question: str, at: int) -> Values:
    found: Values = {}
    for name in builds:
        whole = name == "latebind" and repetitions > 1
        try:
            found[name] = bytes_per_method(question, name, METHODS if whole else FEWER)[
                at
            ]
        except subprocess.CalledProcessError:
            if name == "latebind":
                raise
    return found


def memory(builds: Builds, repetitions: int) -> Values:
    return memory_values(builds, repetitions, "memory", 0)


def resident(builds: Builds, repetitions: int) -> Values:
    return memory_values(builds, repetitions, "memory", 1)


def called(builds: Builds, repetitions: int) -> Values:
    """The same after the first call, which lays out the rules."""
    own = {name: build for name, build in builds.items() if name == "latebind"}
    return memory_values(own, repetitions, "called", 1)


def import_time(builds: Builds, repetitions: int) -> Values:
    own = {name: build for name, build in builds.items() if PEERS[name][1]}
    return scaled(asked(own, "import", 0, 3 * repetitions), 1e3)


def import_modules(builds: Builds, repetitions: int) -> Values:
    own = {name: build for name, build in builds.items() if PEERS[name][1]}
    return asked(own, "import", 1, 1)


FIGURES = [
    Figure("miss-100", "cache miss, 100 methods", "µs", 2, "9 µs", misses(100)),
    Figure("miss-1000", "cache miss, 1,000 methods", "µs", 4, "89 µs", misses(1000)),
    Figure(
        "miss-fresh",
        "first call of two new classes, 1,000 methods",
        "µs",
        None,
        None,
        misses(1000, fresh=True),
    ),
    Figure(
        "register",
        "register 1,000 methods, and an inexact call",
        "ms",
        10,
        "27 ms",
        register,
    ),
    Figure("add", "add one to 1,000, and call it", "µs", 20, "27 ms", add_one),
    Figure(
        "memory",
        "memory of a method, of Python's allocator",
        "bytes",
        None,
        None,
        memory,
    ),
    Figure("resident", "memory of a method, resident", "bytes", 400, "32–96", resident),
    Figure("called", "the same, the rules laid out", "bytes", 400, None, called),
    Figure("import", "import", "ms", 10, "18 ms", import_time),
    Figure("modules", "modules that the import adds", "", 20, None, import_modules),
]
