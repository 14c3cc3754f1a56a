"""Which part of the time goes into finding the rule.

1. All calls that the rules make of one another on some files are written down.
2. The same calls are made of functions with the same rules, all of them empty
   (engines.twin), and of plain empty functions.
3. The difference is what finding the rules costs in this very sequence of
   classes. It is given as a part of the time that the files took.

The empty functions of all engines take turns; of each, the best round counts. What
is below the noise is 0.
"""

import ast
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import engines

ROUNDS = 15

Calls = dict[str, list[tuple[Any, ...]]]
Function = Callable[..., Any]


def recorded(trees: Sequence[ast.Module]) -> Calls:
    """By name of the function, the arguments of each call, in order."""
    rules = engines.rules("recorded")
    rules.dispatch.calls = made = []
    try:
        for tree in trees:
            rules.unparse(tree)
    finally:
        rules.dispatch.calls = None
    calls: Calls = {}
    for name, arguments in made:
        calls.setdefault(name, []).append(arguments)
    return calls


# Plain empty functions, by the number of parameters.
PLAIN: dict[int, Function] = {
    1: lambda first: None,
    2: lambda first, second: None,
    3: lambda first, second, third: None,
}


def once(functions: dict[str, Function], calls: Calls) -> float:
    start = time.perf_counter()
    for name, arguments in calls.items():
        function = functions[name]
        if len(arguments[0]) == 1:
            for (first,) in arguments:
                function(first)
        elif len(arguments[0]) == 2:
            for first, second in arguments:
                function(first, second)
        else:
            for first, second, third in arguments:
                function(first, second, third)
    return time.perf_counter() - start


def seconds_of_dispatch(chosen: Sequence[str], calls: Calls) -> dict[str, float]:
    """By engine, how long the rules of all these calls took to find."""
    twins = {engine: engines.twin(engine) for engine in chosen}
    twins[""] = {name: PLAIN[len(made[0])] for name, made in calls.items()}
    best = dict.fromkeys(twins, float("inf"))
    for _ in range(ROUNDS):
        for engine, functions in twins.items():
            best[engine] = min(best[engine], once(functions, calls))
    return {engine: max(0.0, best[engine] - best[""]) for engine in chosen}
