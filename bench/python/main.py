"""What a call through Latebind costs in Python, beside its peers.

    python bench/python/main.py [--quick] [--only NAME]... [--peer NAME]...

Prints one table. It asserts nothing: a goal that is missed shows as MISSED.
README.md says how it is measured.
"""

import argparse
import gc
import importlib
import os
import platform
import sys
import sysconfig
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from calls import LOADS, Load
from definitions import FIGURES, Figure
from harness import Measured, Timing, measure, null_test, settle_down
from peers import Build, installed

COLUMNS = (46, 12, 8, 10, 26, 12)


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"


def built_with() -> str:
    """How the extension was built, where it says so."""
    try:
        core = importlib.import_module("latebind._core")
    except ImportError:
        return "latebind is not installed"
    stated = getattr(core, "build_flags", None)
    if stated:
        return f"latebind built with {stated}"
    compiler, flags = sysconfig.get_config_vars("CC", "CFLAGS")
    telling = [each for each in str(flags).split() if each[:2] in ("-O", "-f", "-m")]
    return f"Python built with {compiler} {' '.join(telling)}"


def head(cpu: int | None, versions: dict[str, str], absent: Sequence[str]) -> None:
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    pinned = f"pinned to CPU {cpu}" if cpu is not None else "not pinned"
    print(f"# {processor()}, {os.cpu_count()} CPUs, {pinned}, load {load}")
    print(f"# {platform.system()} {platform.release()}, {platform.machine()}")
    print(f"# Python {sys.version.split()[0]}, {platform.python_compiler()}")
    print(f"# {built_with()}")
    print("# " + ", ".join(f"{name} {which}" for name, which in versions.items()))
    if absent:
        print(f"# not installed, left out: {', '.join(absent)}")


def row(*cells: str) -> str:
    first, *others = zip(cells, COLUMNS, strict=False)
    text = f"{first[0]:<{first[1]}}"
    return (text + "".join(f"{cell:>{width}}" for cell, width in others)).rstrip()


def verdict(value: float | None, goal: float | None) -> str:
    if value is None or goal is None:
        return ""
    return "" if value <= goal else "  MISSED"


def best_peer(values: dict[str, float]) -> str:
    """Of the packages, the best one but Latebind."""
    others = {n: v for n, v in values.items() if n not in NOT_PEERS}
    if not others:
        return "–"
    name = min(others, key=lambda each: others[each])
    return f"{name} {shown(others[name])}"


NOT_PEERS = {
    "latebind",
    "plain",
    "isinstance chain",
    "match statement",
    "dict of types",
    "the C function itself",
}


def shown(value: float) -> str:
    return (
        f"{value:.2f}"
        if value < 10
        else f"{value:.1f}"
        if value < 100
        else (f"{value:,.0f}")
    )


def details(values: dict[str, float], unit: str) -> str:
    listed = sorted(values.items(), key=lambda item: item[1])
    return "    " + ", ".join(f"{name} {shown(value)}{unit}" for name, value in listed)


def show_load(load: Load, found: dict[str, Measured]) -> None:
    ratios = {name: each.ratio for name, each in found.items()}
    own = ratios.get("latebind")
    print(
        row(
            load.title,
            shown(own) if own is not None else "–",
            f"≤ {load.goal:g}" if load.goal else "",
            f"{found['plain'].nanoseconds:.1f}",
            best_peer(ratios),
            f"{load.peer:g}" if load.peer else "",
        )
        + verdict(own, load.goal)
    )
    print(details(ratios, ""), flush=True)


def show_figure(figure: Figure, values: dict[str, float]) -> None:
    own = values.get("latebind")
    unit = f" {figure.unit}" if figure.unit else ""
    print(
        row(
            figure.title,
            f"{shown(own)}{unit}" if own is not None else "–",
            f"≤ {figure.goal:g}" if figure.goal else "",
            "",
            peer + unit if (peer := best_peer(values)) != "–" else peer,
            figure.peer or "",
        )
        + verdict(own, figure.goal)
    )
    print(details(values, unit), flush=True)


def run_load(load: Load, timing: Timing, builds: dict[str, Build]) -> None:
    show_load(load, measure(load.cases(builds), timing))


def run_figure(figure: Figure, repetitions: int, builds: dict[str, Build]) -> None:
    show_figure(figure, figure.values(builds, repetitions))


def with_peers(
    title: str, builds: dict[str, Build], run: Callable[[dict[str, Build]], None]
) -> None:
    """Runs a load; if Latebind fails, says how, and runs it without."""
    gc.collect()
    try:
        run(builds)
    except Exception as error:
        print(f"FAILED {title}: {type(error).__name__}: {error}")
        run({name: build for name, build in builds.items() if name != "latebind"})


def arguments() -> argparse.Namespace:
    names = [each.name for each in (*LOADS, *FIGURES)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shorter samples")
    parser.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="NAME",
        help=f"run this load only: {', '.join(names)}",
    )
    parser.add_argument(
        "--peer", action="append", metavar="NAME", help="compare with this peer only"
    )
    return parser.parse_args()


def chosen(builds: dict[str, Build], peers: Sequence[str] | None) -> dict[str, Build]:
    if peers is None:
        return builds
    return {n: b for n, b in builds.items() if n == "latebind" or n in peers}


def main() -> int:
    options = arguments()
    cpu = settle_down()
    builds, versions, absent = installed()
    builds = chosen(builds, options.peer)
    timing = Timing(20, 0.5e-3) if options.quick else Timing()
    repetitions = 1 if options.quick else 5
    head(cpu, versions, absent)
    print(f"# null test: {null_test(timing)}\n", flush=True)
    print(row("load", "latebind", "goal", "plain ns", "best peer here", "best known"))
    for load in LOADS:
        if not options.only or load.name in options.only:
            with_peers(load.title, builds, partial(run_load, load, timing))
    for figure in FIGURES:
        if not options.only or figure.name in options.only:
            with_peers(figure.title, builds, partial(run_figure, figure, repetitions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
