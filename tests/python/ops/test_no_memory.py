"""Python's memory gives out at each place in turn: an exception, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("_testcapi")

WORK = {
    "arithmetic": "y = (x + 1) * x\nops.add(x, x, out=y)\ny += 2\n",
    "lists": "ops.tensor([[1, 2.5], [3, 4]]).tolist()\nx.shape\nrepr(x)\n",
    "index": "x[1:, None]\nx[[0, 1]]\nx[x > 1]\nx[0] = 3\n",
    "attributes": "ops.sum(x, axis=0, keepdims=True)\nx.reshape(1, -1)\n"
    "ops.concat([x, x])\nops.call('layer_norm', x, None, None)\n",
    "exchange": "memoryview(x)\nops.from_dlpack(x)\nops.asarray(memoryview(x))\n"
    "x.__dlpack__(max_version=(1, 0))\n",
    "gradients": "w.grad = None\n(w * w).sum().backward()\n"
    "ops.gradients((w * 2).sum(), [w])\n",
    "layers": "with count:\n    x + x\n",
    "kernels": "twice(x, factor=3.0)\ntwice(w).sum().backward()\n",
    "modules": "net(x)\nnet.state_dict()\n",
}


@pytest.mark.parametrize("name", WORK)
def test_memory_gives_out(name):
    code = textwrap.dedent(
        """
        import _testcapi, gc, threading
        from latebind import ops
        from latebind.ops import nn
        ops.device("cpu").__enter__()
        x = ops.tensor([1.0, 2.0, 3.0])
        w = ops.tensor([1.0, 2.0, 3.0], requires_grad=True)
        net = nn.Linear(3, 2)
        threading.excepthook = lambda args: None
        @ops.layer
        def count(call, next):
            call.inputs, call.attributes
            return next()
        @ops.operator(gradient=lambda i, o, g, factor: g * factor)
        def twice(x, *, factor=2.0):
            return x * factor
        def work():
        {}
        for _ in range(3):
            work()
        failures = 0
        for n in range(150):
            _testcapi.set_nomemory(n, n + 1)
            try:
                work()
            except MemoryError:
                failures += 1
            except SystemError as error:
                # CPython's own, of functions in Python; ours are in C.
                assert str(error).startswith("<function"), error
            except RuntimeError as error:
                assert "can't" in str(error), error  # a lock, a thread
            finally:
                _testcapi.remove_mem_hooks()
        work()
        gc.collect()
        assert ops.layers() == ()
        assert failures > 0
        """
    ).format(textwrap.indent(WORK[name], "    "))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
