"""latebind.ops beside NumPy and PyTorch: small sums, and an empty module.

    PYTHONPATH=SITE python3 bench/python/operators.py FORWARD.so [--quick]

Run it by a Python that has NumPy and PyTorch (Debian's: python3-numpy and
python3-torch).  FORWARD.so is bench/ops/forward.c: the same module, called from C
in this process; its time is read from inside.  Shows medians of calls and ratios to
the peer, and what they are held to; asserts nothing.
"""

import ctypes
import os
import sys
from statistics import median

os.environ.setdefault("LATEBIND_OPS_DEVICE", "cpu")

import numpy as np
import torch
from harness import Case, Timing, measure, null_test, settle_down

from latebind import ops


def show(what: str, peer: str, ns: float, ratio: float, hold: float) -> None:
    verdict = "met" if ratio <= hold else "MISSED"
    print(
        f"{what:34} {ns:8.1f} ns  {ratio:6.3f} of {peer:22} hold to {hold}: {verdict}"
    )


def small_sums(timing: Timing) -> None:
    ours = [ops.asarray(np.ones(16, dtype=np.float32)) for _ in range(3)]
    theirs = [np.ones(16, dtype=np.float32) for _ in range(3)]

    def names(values: list, **more: object) -> dict:
        return {"a": values[0], "b": values[1], "c": values[2], **more}

    given = measure(
        {
            "plain": Case(["add(a, b, out=c)"], names(theirs, add=np.add), 1),
            "ours": Case(["add(a, b, out=c)"], names(ours, add=ops.add), 1),
        },
        timing,
    )["ours"]
    show("add(a, b, out=c), 16 floats", "NumPy's", given.nanoseconds, given.ratio, 0.7)
    made = measure(
        {
            "plain": Case(["a + b"], names(theirs), 1),
            "ours": Case(["a + b"], names(ours), 1),
        },
        timing,
    )["ours"]
    show("a + b, 16 floats", "NumPy's", made.nanoseconds, made.ratio, 0.7)


class Empty(ops.nn.Module):
    def forward(self, x: ops.Tensor) -> ops.Tensor:
        return x


class TorchEmpty(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def empty_module(timing: Timing, forward: ctypes.CDLL, calls: int) -> None:
    forward.bench_forward.restype = ctypes.c_double
    forward.bench_forward.argtypes = [ctypes.c_size_t]
    found = measure(
        {
            "plain": Case(["m(x)"], {"m": TorchEmpty(), "x": torch.ones(16)}, 1),
            "ours": Case(["m(x)"], {"m": Empty(), "x": ops.ones(16)}, 1),
        },
        timing,
    )
    ours, peer = found["ours"], found["plain"].nanoseconds
    show("empty module, Python", "nn.Module's", ours.nanoseconds, ours.ratio, 0.5)
    in_c = median(forward.bench_forward(calls) for _ in range(9))
    show("empty module, C", "nn.Module's", in_c, in_c / peer, 0.05)


def main() -> int:
    quick = "--quick" in sys.argv
    timing = Timing(windows=40) if quick else Timing()
    cpu = settle_down()
    torch.set_num_threads(1)
    print(f"# CPU {cpu}, NumPy {np.__version__}, PyTorch {torch.__version__}")
    print(f"# {null_test(timing)}")
    small_sums(timing)
    calls = 100_000 if quick else 1_000_000
    with torch.inference_mode():
        empty_module(timing, ctypes.CDLL(sys.argv[1]), calls)
    return 0


if __name__ == "__main__":
    sys.exit(main())
