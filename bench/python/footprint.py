"""What one peer costs, measured in this process alone.

    python footprint.py memory PEER COUNT   bytes per method of two arguments, by
                                            Python's allocator and by resident
                                            memory
    python footprint.py called PEER COUNT   the same after a first call
    python footprint.py import PEER         seconds of the import, modules added

The functions and classes are there before; only what the peer makes of them is
counted. Python's allocator is asked by tracemalloc
in a process forked for it: tracing would be counted as resident.
"""

import gc
import os
import sys
import tracemalloc
from collections.abc import Callable
from time import perf_counter


def resident() -> int:
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def traced() -> int:
    return tracemalloc.get_traced_memory()[0]


def growth(peer: str, count: int, size: Callable[[], int], with_call: bool) -> float:
    """By how much it grows with each method."""
    from definitions import derived, grid
    from peers import PEERS

    build = PEERS[peer][0]
    small, some = grid(4)
    build(some, False)(small[0](), small[0]())  # whatever is made once
    kinds, functions = grid(count)
    one, other = derived(kinds[:2])
    gc.collect()
    before = size()
    made = build(functions, False)
    if with_call:
        made(one, other)
    gc.collect()
    return (size() - before) / count


def in_fork(measure: Callable[[], float]) -> float:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(measure()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return float(text)


def trace(peer: str, count: int, with_call: bool) -> float:
    tracemalloc.start()
    return growth(peer, count, traced, with_call)


def main() -> None:
    question, peer, *counts = sys.argv[1:]
    if question == "import":
        before = set(sys.modules)
        start = perf_counter()
        __import__(peer)
        print(perf_counter() - start, len(set(sys.modules) - before))
        return
    count, with_call = int(counts[0]), question == "called"
    print(
        in_fork(lambda: trace(peer, count, with_call)),
        growth(peer, count, resident, with_call),
    )


if __name__ == "__main__":
    main()
