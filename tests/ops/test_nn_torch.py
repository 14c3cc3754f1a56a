"""Products, windows, normalization, losses and steps against PyTorch.

Arguments: the shared library, and perhaps the name of a plug-in to open. Called
by ctypes, by a Python that has PyTorch; without it the test is skipped (exit
status 77).
"""

import ctypes
import random
import sys
from ctypes import byref, c_bool, c_char_p, c_double, c_int, c_int64, c_void_p

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError:
    print("skipped: this Python has no PyTorch")
    sys.exit(77)

I64, F32, F64 = 4, 7, 8
NUMBER = {np.dtype("int64"): I64, np.dtype("float32"): F32, np.dtype("float64"): F64}
# Sums of some hundred products of numbers around 1, in another order.
PRECISION = {torch.float32: 1e-4, torch.float64: 1e-11}
NONE, MEAN, SUM = 0, 1, 2
REDUCTIONS = {NONE: "none", MEAN: "mean", SUM: "sum"}


class Tensor(ctypes.Structure):
    """The members of lbo_tensor."""

    _fields_ = [
        ("head", c_void_p),
        ("references", ctypes.c_uint32),
        ("dtype", ctypes.c_uint8),
        ("ndim", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8),
        ("storage", c_void_p),
        ("data", c_void_p),
        ("offset", c_int64),
        ("size", c_int64),
        ("history", c_void_p),
        ("dims", c_int64 * 16),
    ]


Handle = ctypes.POINTER(Tensor)


class Conv2d(ctypes.Structure):
    _fields_ = [
        ("stride", c_int64 * 2),
        ("padding", c_int64 * 2),
        ("dilation", c_int64 * 2),
        ("groups", c_int64),
    ]


class Pool2d(ctypes.Structure):
    _fields_ = [
        ("kernel", c_int64 * 2),
        ("stride", c_int64 * 2),
        ("padding", c_int64 * 2),
    ]


class Sgd(ctypes.Structure):
    _fields_ = [
        ("rate", c_double),
        ("momentum", c_double),
        ("decay", c_double),
        ("nesterov", c_bool),
    ]


class Adam(ctypes.Structure):
    _fields_ = [
        ("rate", c_double),
        ("beta1", c_double),
        ("beta2", c_double),
        ("epsilon", c_double),
        ("decay", c_double),
        ("decoupled", c_bool),
        ("step", c_int64),
    ]


def pair(values):
    return (c_int64 * 2)(*values)


class World:
    def __init__(self, path, plugin):
        self.lib = ctypes.CDLL(path)
        self.lib.lbo_tensor_release.restype = None
        self.lib.lbo_context_destroy.restype = None
        self.lib.lb_message.restype = c_char_p
        self.library, self.context = c_void_p(), c_void_p()
        self.owned = []
        self.do("lbo_library_create", None, byref(self.library))
        if plugin:
            self.do("lbo_plugin_open", self.library, plugin.encode(), None)
        self.do("lbo_context_create", self.library, None, byref(self.context))

    def do(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        assert status == 0, f"{name}: {self.lib.lb_message().decode()}"

    def give(self, tensor):
        """A torch tensor's copy; None stays none. Lives until drop."""
        if tensor is None:
            return None
        array = np.ascontiguousarray(tensor.detach().numpy())
        result = Handle()
        shape = (c_int64 * 16)(*tensor.shape)
        self.do(
            "lbo_from_data",
            self.context,
            c_int(NUMBER[array.dtype]),
            ctypes.c_size_t(tensor.dim()),
            shape,
            c_void_p(array.ctypes.data),
            byref(result),
        )
        self.owned.append(result)
        return result

    def take(self, handle):
        """What is in a tensor, as torch's."""
        tensor = handle.contents
        shape = tensor.dims[: tensor.ndim]
        kind = {v: k for k, v in NUMBER.items()}[tensor.dtype]
        size = kind.itemsize * tensor.size
        data = ctypes.string_at(tensor.data, size)
        return torch.from_numpy(np.frombuffer(data, kind).reshape(shape).copy())

    def run(self, name, *arguments, results=1):
        """The results of lbo_NAME that go first among the arguments."""
        out = [Handle() for _ in range(results)]
        self.owned += out
        self.do(name, self.context, *[byref(o) for o in out], *arguments)
        return self.take(out[0]) if results == 1 else [self.take(o) for o in out]

    def drop(self):
        for handle in self.owned:
            self.lib.lbo_tensor_release(handle)
        self.owned = []

    def close(self):
        self.drop()
        self.lib.lbo_context_destroy(self.context)
        self.do("lbo_library_destroy", self.library)


def same(got, expected, what, factor=1):
    bound = PRECISION.get(expected.dtype, 0) * factor
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    assert torch.allclose(got, expected, bound, bound, equal_nan=True), (
        f"{what}: {(got - expected).abs().max()}"
    )


def numbers(dtype, *shape):
    return torch.randn(*shape, dtype=dtype).requires_grad_()


def gradients(result, inputs):
    g = torch.randn_like(result)
    return g, torch.autograd.grad(result, inputs, g)


def check_matmul(world, dtype):
    batches = random.choice([[], [2], [3, 1], [2, 3]])
    m, n, k = (random.randrange(1, 40) for _ in range(3))
    a, b = numbers(dtype, *batches, m, k), numbers(dtype, k, n)
    got = world.run("lbo_matmul", world.give(a), world.give(b))
    same(got, a @ b, "matmul")


def check_linear(world, dtype):
    rows, n, k = random.randrange(50), random.randrange(1, 70), random.randrange(70)
    x, weight = numbers(dtype, rows, k), numbers(dtype, n, k)
    bias = random.choice([None, numbers(dtype, n)])
    arguments = [world.give(t) for t in (x, weight, bias)]
    same(world.run("lbo_linear", *arguments), F.linear(x, weight, bias), "linear")


def check_conv2d(world, dtype):
    groups = random.choice([1, 1, 2, 3])
    kernel = [random.randrange(1, 4), random.randrange(1, 4)]
    how = {
        "stride": [random.randrange(1, 3), random.randrange(1, 3)],
        "padding": [random.randrange(3), random.randrange(3)],
        "dilation": [random.randrange(1, 3), random.randrange(1, 3)],
    }
    size = [random.randrange(7, 20), random.randrange(7, 20)]
    x = numbers(dtype, random.randrange(1, 5), groups * random.randrange(1, 9), *size)
    weight = numbers(
        dtype, groups * random.randrange(1, 9), x.shape[1] // groups, *kernel
    )
    bias = random.choice([None, numbers(dtype, weight.shape[0])])
    by = Conv2d(*[pair(values) for values in how.values()], groups)
    expected = F.conv2d(x, weight, bias, groups=groups, **how)
    xs, ws = world.give(x), world.give(weight)
    got = world.run("lbo_conv2d", xs, ws, world.give(bias), byref(by))
    same(got, expected, "conv2d")
    g, (by_x, by_weight) = gradients(expected, [x, weight])
    gs = world.give(g)
    got = world.run("lbo_conv2d_backward_input", gs, ws, xs, byref(by))
    same(got, by_x, "conv2d by input")
    got = world.run("lbo_conv2d_backward_weight", gs, xs, ws, byref(by))
    same(got, by_weight, "conv2d by weight", 10)


def check_pool2d(world, dtype):
    kernel = [random.randrange(1, 5), random.randrange(1, 5)]
    stride = [random.randrange(1, 4), random.randrange(1, 4)]
    padding = [random.randrange(k // 2 + 1) for k in kernel]
    size = random.choices(range(4, 15), k=2)
    x = numbers(dtype, random.randrange(1, 4), random.randrange(1, 5), *size)
    by = Pool2d(pair(kernel), pair(stride), pair(padding))
    xs = world.give(x)
    best, places = F.max_pool2d(x, kernel, stride, padding, return_indices=True)
    got = world.run("lbo_max_pool2d", xs, byref(by), results=2)
    same(got[0], best, "max_pool2d")
    same(got[1], places, "indices")
    g, (by_x,) = gradients(best, [x])
    arguments = [world.give(t) for t in (g, places)] + [xs]
    same(world.run("lbo_max_pool2d_backward", *arguments), by_x, "max_pool2d_backward")
    mean = F.avg_pool2d(x, kernel, stride, padding)
    same(world.run("lbo_avg_pool2d", xs, byref(by)), mean, "avg_pool2d")
    g, (by_x,) = gradients(mean, [x])
    got = world.run("lbo_avg_pool2d_backward", world.give(g), xs, byref(by))
    same(got, by_x, "avg_pool2d_backward")


def check_softmax(world, dtype):
    x = numbers(dtype, *random.choices(range(1, 40), k=random.randrange(1, 4)))
    dim = random.randrange(-x.dim(), x.dim())
    for name in ("softmax", "log_softmax"):
        expected = getattr(torch, name)(x, dim)
        got = world.run("lbo_" + name, world.give(x), c_int64(dim))
        same(got, expected, name)
        g, (by_x,) = gradients(expected, [x])
        arguments = [world.give(g), world.give(expected), c_int64(dim)]
        same(world.run(f"lbo_{name}_backward", *arguments), by_x, name + " by x")


def check_losses(world, dtype):
    rows, classes = random.randrange(1, 40), random.randrange(1, 70)
    x, target = numbers(dtype, rows, classes), torch.randint(classes, (rows,))
    target[torch.rand(rows) < 0.2] = -100
    how, name = random.choice(list(REDUCTIONS.items()))
    more = (c_int(how), c_int64(-100))
    expected = F.cross_entropy(x, target, reduction=name)
    got = world.run("lbo_cross_entropy", world.give(x), world.give(target), *more)
    same(got, expected, "cross_entropy")
    if (target != -100).any():
        g, (by_x,) = gradients(expected, [x])
        inputs = (g, torch.log_softmax(x, 1), target)
        arguments = [world.give(t) for t in inputs]
        got = world.run("lbo_cross_entropy_backward", *arguments, *more)
        same(got, by_x, "cross_entropy_backward")
    y = numbers(dtype, rows, classes)
    got = world.run("lbo_mse", world.give(x), world.give(y), c_int(how))
    same(got, F.mse_loss(x, y, reduction=name), "mse")


def check_layer_norm(world, dtype):
    shape = random.choices(range(2, 30), k=random.randrange(1, 4))
    dims = random.randrange(1, len(shape) + 1)
    x, inner = numbers(dtype, *shape), shape[len(shape) - dims :]
    weight, bias = numbers(dtype, *inner), numbers(dtype, *inner)
    epsilon = 1e-5
    expected, mean, rstd = torch.native_layer_norm(x, inner, weight, bias, epsilon)
    inputs = [world.give(t) for t in (x, weight, bias)]
    got = world.run("lbo_layer_norm", *inputs, c_int64(dims), c_double(epsilon))
    same(got, expected, "layer_norm")
    g, by = gradients(expected, [x, weight, bias])
    outer = shape[: len(shape) - dims]
    statistics = [t.detach().reshape(outer) for t in (mean, rstd)]
    arguments = [world.give(t) for t in (g, x, *statistics, weight)]
    out = (Handle * 3)()
    world.do("lbo_layer_norm_backward", world.context, out, *arguments, c_int64(dims))
    for i, name in enumerate(("x", "weight", "bias")):
        same(world.take(out[i]), by[i], "layer_norm by " + name, 10)
        world.lib.lbo_tensor_release(out[i])


def check_steps(world, dtype):
    start = torch.randn(random.randrange(1, 200), dtype=dtype)
    momentum, decay = random.choice([0, 0.9]), random.choice([0, 0.1])
    nesterov = momentum > 0 and random.random() < 0.5
    decoupled = random.random() < 0.5
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    p, q = start.clone().requires_grad_(), start.clone().requires_grad_()
    sgd = torch.optim.SGD(
        [p], 0.1, momentum=momentum, weight_decay=decay, nesterov=nesterov
    )
    adam = kind([q], 0.01, (0.9, 0.99), 1e-8, weight_decay=decay)
    sp, ap = world.give(start), world.give(start)
    zeros = [world.give(torch.zeros_like(start)) for _ in range(3)]
    by = Sgd(0.1, momentum, decay, nesterov)
    for step in range(1, 5):
        g = torch.randn_like(start)
        p.grad, q.grad = g, g.clone()
        sgd.step()
        adam.step()
        velocity = zeros[0] if momentum else None
        gs = world.give(g)
        world.do("lbo_sgd_step", world.context, sp, gs, velocity, byref(by))
        now = Adam(0.01, 0.9, 0.99, 1e-8, decay, decoupled, step)
        world.do("lbo_adam_step", world.context, ap, gs, zeros[1], zeros[2], byref(now))
    same(world.take(sp), p.detach(), "sgd_step")
    same(world.take(ap), q.detach(), "adam_step")


CHECKS = [
    check_matmul,
    check_linear,
    check_conv2d,
    check_pool2d,
    check_softmax,
    check_losses,
    check_layer_norm,
    check_steps,
]


def main():
    torch.manual_seed(1)
    random.seed(1)
    torch.set_num_threads(1)
    world = World(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    for check in CHECKS:
        for i in range(40):
            check(world, (torch.float32, torch.float64)[i % 2])
            world.drop()
    world.close()
    print(f"{len(CHECKS)} families agree with PyTorch {torch.__version__}")


main()
