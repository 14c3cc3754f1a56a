"""A progress bar on the terminal; nothing where there is none."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
WIDTH = 40


def progress(items: Sequence[T], title: str) -> Iterator[T]:
    """The items, one after the other, with a bar below that grows."""
    shown = sys.stderr.isatty()
    due = 0.0
    for number, item in enumerate(items):
        if shown and time.monotonic() >= due:
            due = time.monotonic() + 0.1
            full = WIDTH * number // len(items)
            bar = "#" * full + "." * (WIDTH - full)
            print(f"\r{title} [{bar}] {number}/{len(items)}", end="", file=sys.stderr)
            sys.stderr.flush()
        yield item
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
