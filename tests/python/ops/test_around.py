"""Gradients, layers, kernels, operators, devices, threads: what is around a call."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import traceback
import warnings

import numpy as np
import pytest

from latebind import ops

# Gradients -------------------------------------------------------------------


def test_backward_adds_to_leaves():
    x = ops.tensor([1.0, 2.0], requires_grad=True)
    for times in (1, 2):
        (x * x).sum().backward()
        assert x.grad.tolist() == [2.0 * times, 4.0 * times]
    x.grad = None
    assert x.grad is None
    (x * x).backward(ops.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2, 40]


def test_gradients_are_recorded_unless_not_wanted():
    x = ops.ones((2,), requires_grad=True)
    assert (x * 2).requires_grad
    with ops.no_grad():
        assert not (x * 2).requires_grad
        with ops.enable_grad():
            assert (x * 2).requires_grad
        x += 1  # a leaf, but nobody watches
    assert x.tolist() == [2, 2]
    assert not x.detach().requires_grad

    @ops.no_grad()
    def frozen():
        return x * 2

    assert not frozen().requires_grad
    assert ops.is_grad_enabled()


def test_gradients_of_gradients():
    x = ops.tensor(3.0, requires_grad=True)
    (first,) = ops.gradients(x * x * x, [x], create_graph=True)
    (second,) = ops.gradients(first, [x])
    assert (first.item(), second.item()) == (27, 18)
    assert x.grad is None


def test_what_backward_refuses():
    with pytest.raises(ValueError, match="history"):
        ops.ones(()).backward()
    x = ops.ones((2,), requires_grad=True)
    with pytest.raises(ValueError):
        (x * 2).backward()
    with pytest.raises(ValueError):
        ops.ones((2,), dtype="i32").requires_grad = True
    with pytest.raises(RuntimeError, match="not recorded"):
        x[0] = 1
    with pytest.raises(ValueError, match="leaf"):
        x += 1


# Layers ---------------------------------------------------------------------


def test_a_layer_sees_calls_and_changes_results():
    seen = []

    @ops.layer
    def note(call, next):
        result = next()
        seen.append((call.op, [x.shape for x in call.inputs], call.attributes))
        assert call.results[0].tolist() == result.tolist()
        return result

    x = ops.ones((2, 3))
    with note:
        x.sum(axis=0, keepdims=True)
        ops.add(x, x)
    x + x
    assert seen == [
        ("sum", [(2, 3)], {"dims": (0,), "keep": True}),
        ("add", [(2, 3), (2, 3)], {}),
    ]


def test_layers_nest_in_the_order_of_their_activation():
    trail = []

    def made(name):
        def around(call, next):
            trail.append(name)
            return next()

        return ops.layer(around)

    x = ops.ones((1,))
    with made("outer"), made("inner"):
        x + x
    assert trail == ["inner", "outer"]


def test_a_layer_may_run_the_rest_on_other_inputs():
    @ops.layer(operators=["add"])
    def negate(call, next):
        a, b = call.inputs
        return next(-a, b)

    x, out = ops.tensor([1.0]), ops.zeros((1,))
    with negate:
        assert (x + 10).item() == 9
        assert ops.add(x, x, out=out) is out
        assert out.item() == 0
        assert (x - x).item() == 0


def test_a_layer_may_replace_the_result():
    @ops.layer(operators=["add"])
    def nothing(call, next):
        return ops.zeros(call.inputs[0].shape)

    x, out = ops.tensor([1.0]), ops.ones((1,))
    with nothing:
        assert (x + x).item() == 0
        ops.add(x, x, out=out)
    assert out.item() == 0


@pytest.mark.parametrize(
    "wrong", [lambda c, n: None, lambda c, n: 3, lambda c, n: (n(), n())]
)
def test_a_layer_must_give_a_result(wrong):
    with ops.layer(wrong), pytest.raises((TypeError, ValueError, RuntimeError)):
        ops.ones((1,)) + 1
    assert (ops.ones((1,)) + 1).item() == 2


def test_exceptions_of_layers_arrive():
    @ops.layer
    def bad(call, next):
        next()
        raise KeyError("from the layer")

    with bad, pytest.raises(KeyError, match="from the layer") as caught:
        ops.ones((1,)) + 1
    names = [one.name for one in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "bad"


def test_calls_do_not_outlive_their_layer():
    kept = []

    @ops.layer
    def keep(call, next):
        kept.extend([call, next])
        return next()

    with keep:
        ops.ones((1,)) + 1
    for wrong in (lambda: kept[0].inputs, lambda: kept[1]()):
        with pytest.raises(RuntimeError, match="over"):
            wrong()


def test_gradients_with_a_layer_around():
    calls = []

    @ops.layer
    def note(call, next):
        calls.append(call.op)
        return next()

    x = ops.ones((2,), requires_grad=True)
    with note:
        y = (x * 3).sum()
    y.backward()
    assert x.grad.tolist() == [3, 3]
    assert calls == ["mul", "sum"]


def test_the_librarys_layers(tmp_path):
    lines = []
    with ops.log_shapes(lines.append):
        ops.ones((2, 3)) + ops.ones((3,))
    assert any("add" in one and "f32[2, 3]" in one for one in lines)

    with ops.profile() as profile:
        ops.ones((4, 4)) @ ops.ones((4, 4))
    assert "matmul" in profile.table()
    profile.trace(tmp_path / "trace.json")
    assert json.loads((tmp_path / "trace.json").read_text())
    profile.clear()

    with ops.nan_check(), pytest.raises(RuntimeError, match="log"):
        ops.log(ops.tensor([-1.0]))
    with ops.autocast("bf16"):
        assert (ops.ones((2, 2)) @ ops.ones((2, 2))).dtype == "bf16"
        assert ops.exp(ops.ones((2,))).dtype == "f32"


def test_exceptions_of_a_report_arrive():
    def report(line):
        raise KeyError(line)

    x = ops.ones((1,))
    with ops.log_shapes(report), pytest.raises(KeyError, match="add"):
        x + x


# Kernels and operators ------------------------------------------------------


def test_an_operator_of_ones_own_with_gradient():
    @ops.operator(gradient=lambda ins, outs, g, factor: g * factor)
    def test_scaled(x, *, factor=2.0):
        return x * factor

    x = ops.tensor([1.0, 2.0], requires_grad=True)
    y = test_scaled(x, factor=3.0)
    assert y.tolist() == [3, 6]
    assert test_scaled(x.detach()).tolist() == [2, 4]
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]
    with pytest.raises(TypeError, match="no argument"):
        test_scaled(x, nothing=1)
    with pytest.raises(ValueError, match="test_scaled"):
        ops.operator("test_scaled")(lambda x: x)


def test_results_of_several_and_shapes_of_their_own():
    @ops.operator(results=2, infer=lambda x: [("i64", ()), (x.dtype, (x.size, 1))])
    def test_pair(x):
        return x.size, x.reshape(-1, 1)

    count, column = ops.call("test_pair", ops.ones((2, 3)))
    assert (count.item(), column.shape) == (6, (6, 1))
    assert [one[1] for one in ops.infer("test_pair", ops.ones((2, 3)))] == [(), (6, 1)]


def test_kernels_are_chosen_by_class_and_removed():
    @ops.operator(inputs=2, device=None)
    def test_join(a, b):
        """Only declared."""

    x = ops.ones((2,))
    with pytest.raises(ops.NoKernelError, match="test_join"):
        test_join(x, x)

    @ops.kernel("test_join", "cpu", "cpu")
    def general(a, b):
        return a + b

    @ops.kernel("test_join", "cpu.f32", "cpu.f32")
    def special(a, b, out):
        out[...] = -1

    assert test_join(x, x).tolist() == [-1, -1]
    assert test_join(x.astype("f64"), x.astype("f64")).tolist() == [2, 2]
    special.remove()
    special.remove()
    assert test_join(x, x).tolist() == [2, 2]
    general.remove()
    with pytest.raises(ops.NoKernelError):
        test_join(x, x)


def test_exceptions_of_kernels_have_their_traceback():
    @ops.operator()
    def test_fails(x):
        raise ZeroDivisionError("in the kernel")

    with pytest.raises(ZeroDivisionError, match="in the kernel") as caught:
        test_fails(ops.ones((1,)))
    names = [one.name for one in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "test_fails"
    big = ops.ones((200, 200))  # without the interpreter's lock
    with pytest.raises(ZeroDivisionError):
        test_fails(big)


@pytest.mark.parametrize("value", [None, "x", [1, 2, 3]])
def test_kernels_that_return_nonsense(value):
    name = f"test_nonsense_{type(value).__name__}"
    ops.operator(name)(lambda x: value)
    with pytest.raises((TypeError, ValueError)):
        ops.get_operator(name)(ops.ones((2,)))


@pytest.mark.parametrize(
    ("operator", "classes"),
    [
        ("add", ("cpu.f32",)),
        ("add", ("cpu.f32", "cpu.x")),
        ("no", ("cpu",)),
        ("add", ("gpu9", "cpu")),
        ("reshape", ("cpu",)),
    ],
)
def test_kernels_that_cannot_be(operator, classes):
    with pytest.raises((TypeError, LookupError, ValueError)):
        ops.kernel(operator, *classes)(lambda *a: a[0])


def test_operators_by_name():
    x = ops.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert ops.call("sum", x, dims=(1,)).tolist() == [3, 7]
    assert ops.get_operator("sum")(x, axis=1, keepdims=True).shape == (2, 1)
    assert "matmul" in ops.operators()
    assert "dims" in ops.sum.attributes
    assert "sum" in ops.sum.__doc__
    out, mean, rstd = ops.call("layer_norm", x, None, None)
    assert mean.shape[0] == 2
    with pytest.raises(LookupError, match="nope"):
        ops.call("nope", x)
    for wrong in (
        lambda: ops.add(x),
        lambda: ops.add(x, x, x),
        lambda: ops.sum(x, dims=0, axis=0),
        lambda: ops.add(x, None),
        lambda: ops.concat(x, x, x),
    ):
        with pytest.raises((TypeError, ValueError)):
            wrong()


def test_explain_names_the_kernel():
    x = ops.ones((2,))
    assert "add" in ops.explain("add", x, x)


# Devices and threads --------------------------------------------------------


def test_devices():
    assert ops.device() == "cpu"
    assert "cpu" in [name for name, *_ in ops.devices()]
    assert ops.best_device in [name for name, *_ in ops.devices()]
    with pytest.raises(LookupError, match="cpu"), ops.device("nowhere"):
        pass
    with pytest.raises(LookupError):
        ops.ones((1,)).to_device("nowhere")
    x = ops.ones((1,))
    assert x.to("cpu") is x
    assert x.to("cpu", "f64").dtype == "f64"


def test_what_a_device_lacks_runs_on_the_cpu_and_is_counted():
    if ops.best_device == "cpu":
        pytest.skip("there is only the CPU")

    @ops.operator()
    def test_only_cpu(x):
        return x + 1

    with ops.device(ops.best_device):
        x = ops.ones((2,))
    with ops.fallback("warn"), pytest.warns(ops.OpsWarning, match="test_only_cpu"):
        assert test_only_cpu(x).tolist() == [2, 2]
    with ops.fallback("silent"), warnings.catch_warnings():
        warnings.simplefilter("error")
        test_only_cpu(x)
    assert ops.fallbacks()["test_only_cpu"][0] == 2
    with ops.fallback("error"), pytest.raises(ops.NoKernelError):
        test_only_cpu(x)


def test_fallback_knows_three_policies():
    with pytest.raises(ValueError, match="silent"):
        ops.fallback("maybe")


def test_each_thread_has_its_own_layers_and_numbers():
    results = []

    def work():
        ops.seed(3)
        x = ops.uniform((1000, 30))
        with ops.no_grad():
            results.append((ops.layers(), (x.T @ x)[0, 0].item()))

    @ops.layer
    def here(call, next):
        return next()

    with here:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert len(results) == 8
    assert {one for one, _ in results} == {()}
    assert len({number for _, number in results}) == 1


def test_random_numbers_are_as_the_seed_says():
    ops.seed(5)
    first = ops.normal((100,)).tolist() + ops.uniform((10,)).tolist()
    ops.seed(5)
    assert ops.normal((100,)).tolist() + ops.uniform((10,)).tolist() == first
    assert abs(np.mean(ops.normal((10000,)).tolist())) < 0.05
    dropped = ops.nn.dropout(ops.ones((1000,)), 0.25)
    np.testing.assert_allclose(np.unique(np.asarray(dropped)), [0, 4 / 3], rtol=1e-6)
    assert 0.6 < (dropped > 0).astype("f32").mean().item() < 0.9


def test_the_namespace_is_the_array_apis():
    x = ops.ones((1,))
    assert x.__array_namespace__(api_version="2023.12") is ops
    info = ops.__array_namespace_info__()
    assert info.default_dtypes()["integral"] is ops.int64
    assert set(info.dtypes(kind="integral")) == {"uint8", "int8", "int32", "int64"}
    for name in ops.__all__:
        assert hasattr(ops, name), name


def test_other_interpreters_are_refused():
    code = (
        "import _xxsubinterpreters as s\n"
        "import latebind.ops\n"
        "i = s.create()\n"
        "try:\n"
        "    s.run_string(i, 'import latebind._ops')\n"
        "except s.RunFailedError as error:\n"
        "    print(error)\n"
        "s.destroy(i)\n"
    )
    if sys.version_info[:2] not in ((3, 10), (3, 11), (3, 12)):
        pytest.skip("another module makes interpreters there")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ImportError" in done.stdout


def test_the_interpreter_ends_with_everything_in_use():
    code = (
        "import threading, numpy\n"
        "from latebind import ops\n"
        "x = ops.asarray(numpy.ones(3)); y = ops.ones((2,), requires_grad=True)\n"
        "z = (y * 2).sum()\n"
        "l = ops.layer(lambda call, next: next()); l.__enter__()\n"
        "t = threading.Thread(target=lambda: ops.ones((2,)) + 1); t.start()\n"
        "import atexit; atexit.register(lambda: x + 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
