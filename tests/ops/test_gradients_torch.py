"""Gradients against PyTorch's, of operators at their kinks and of small models.

Argument: the shared library. Called by ctypes, by a Python that has PyTorch;
without it the test is skipped (exit status 77). Each case is one function of an
adaptor and tensors; it runs on PyTorch and on the library, and results and
gradients by all floating tensors are compared.
"""

import ctypes
import sys
from ctypes import byref, c_bool, c_char_p, c_double, c_int, c_int64, c_size_t, c_void_p

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError:
    print("skipped: this Python has no PyTorch")
    sys.exit(77)

NUMBER = {np.dtype("int64"): 4, np.dtype("float32"): 7, np.dtype("float64"): 8}
KIND = {number: dtype for dtype, number in NUMBER.items()}


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


class Ours:
    """The library, with the names of the methods of Torch below."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.lbo_tensor_release.restype = None
        self.lib.lbo_context_destroy.restype = None
        self.lib.lbo_gradient.restype = Handle
        self.lib.lb_message.restype = c_char_p
        self.library, self.context, self.autograd = c_void_p(), c_void_p(), c_void_p()
        self.owned = []
        self.do("lbo_library_create", None, byref(self.library))
        self.do("lbo_context_create", self.library, None, byref(self.context))
        self.do("lbo_autograd_create", self.library, byref(self.autograd))
        self.do("lbo_push", self.context, self.autograd)

    def do(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        assert status == 0, f"{name}: {self.lib.lb_message().decode()}"

    def own(self):
        handle = Handle()
        self.owned.append(handle)
        return handle

    def run(self, name, *arguments):
        out = self.own()
        self.do("lbo_" + name, self.context, byref(out), *arguments)
        return out

    def give(self, tensor):
        array = np.ascontiguousarray(tensor.detach().numpy())
        out, shape = self.own(), (c_int64 * 16)(*tensor.shape)
        data = c_void_p(array.ctypes.data)
        number, ndim = c_int(NUMBER[array.dtype]), c_size_t(tensor.dim())
        self.do("lbo_from_data", self.context, number, ndim, shape, data, byref(out))
        if tensor.is_floating_point():
            self.do("lbo_require_gradient", out, c_bool(True))
        return out

    def take(self, handle):
        assert handle, "there is no gradient"
        tensor = handle.contents
        dtype = KIND[tensor.dtype]
        array = np.empty(tensor.dims[: tensor.ndim], dtype)
        data = c_void_p(array.ctypes.data)
        self.do("lbo_read", self.context, handle, data, c_size_t(array.nbytes))
        return torch.from_numpy(array)

    def backward(self, result, seed):
        self.do("lbo_backward", self.context, result, self.give(seed), c_bool(False))

    def gradient(self, result, x, seed):
        """With a history of its own."""
        out, inputs = self.own(), (Handle * 1)(x)
        more = (result, self.give(seed), inputs, c_size_t(1), c_bool(True))
        self.do("lbo_gradients", self.context, *more, byref(out))
        return out

    def drop(self):
        for handle in self.owned:
            self.lib.lbo_tensor_release(handle)
        self.owned = []

    def close(self):
        self.drop()
        self.lib.lbo_context_destroy(self.context)
        self.do("lbo_library_destroy", self.library)

    def __getattr__(self, name):
        """Operators whose arguments are tensors only."""
        return lambda *tensors: self.run(name, *tensors)

    def gelu(self, x, approximate=False):
        return self.run("gelu", x, c_bool(approximate))

    def clamp(self, x, low, high):
        return self.run("clamp", x, c_double(low), c_double(high))

    def reduce(self, name, x, dims, keep):
        dims = list(dims)
        return self.run(name, x, c_int(len(dims)), (c_int64 * 4)(*dims), c_bool(keep))

    def sum(self, x, dims, keep=False):
        return self.reduce("sum", x, dims, keep)

    def max(self, x, dims, keep=False):
        return self.reduce("max", x, dims, keep)

    def softmax(self, x, dim):
        return self.run("softmax", x, c_int64(dim))

    def log_softmax(self, x, dim):
        return self.run("log_softmax", x, c_int64(dim))

    def cross_entropy(self, x, target):
        return self.run("cross_entropy", x, target, c_int(1), c_int64(-100))

    def mse(self, a, b):
        return self.run("mse", a, b, c_int(1))

    def layer_norm(self, x, weight, bias):
        return self.run("layer_norm", x, weight, bias, c_int64(1), c_double(1e-5))

    def conv2d(self, x, weight, bias, stride, padding, dilation, groups):
        how = Conv2d((stride, stride), (padding, padding), (dilation, dilation), groups)
        return self.run("conv2d", x, weight, bias, byref(how))

    def max_pool2d(self, x, kernel, stride, padding):
        how = Pool2d((kernel, kernel), (stride, stride), (padding, padding))
        out = self.own()
        self.do("lbo_max_pool2d", self.context, byref(out), None, x, byref(how))
        return out

    def avg_pool2d(self, x, kernel, stride, padding):
        how = Pool2d((kernel, kernel), (stride, stride), (padding, padding))
        return self.run("avg_pool2d", x, byref(how))

    def swap_dims(self, x, a, b):
        return self.run("swap_dims", x, c_int64(a), c_int64(b))

    def reshape(self, x, *shape):
        return self.run("reshape", x, c_size_t(len(shape)), (c_int64 * 8)(*shape))

    def slice(self, x, dim, start, stop):
        more = (c_int64(dim), c_int64(start), c_int64(stop), c_int64(1))
        return self.run("slice", x, *more)

    def gather(self, x, index, dim):
        return self.run("gather", x, index, c_int64(dim))

    def stack(self, tensors, dim):
        several = (Handle * len(tensors))(*tensors)
        return self.run("stack", several, c_size_t(len(tensors)), c_int64(dim))

    def concat(self, tensors, dim):
        several = (Handle * len(tensors))(*tensors)
        return self.run("concat", several, c_size_t(len(tensors)), c_int64(dim))


class Torch:
    linear, silu, relu, mse = F.linear, F.silu, F.relu, F.mse_loss
    softmax, log_softmax, cross_entropy = F.softmax, F.log_softmax, F.cross_entropy
    swap_dims, stack, concat = torch.transpose, torch.stack, torch.cat

    def __getattr__(self, name):
        return getattr(torch, name)

    def gelu(self, x, approximate=False):
        return F.gelu(x, approximate="tanh" if approximate else "none")

    def sum(self, x, dims, keep=False):
        return torch.sum(x, dims, keepdim=keep)

    def max(self, x, dims, keep=False):
        return torch.amax(x, dims, keepdim=keep)

    def layer_norm(self, x, weight, bias):
        return F.layer_norm(x, x.shape[-1:], weight, bias)

    def conv2d(self, x, weight, bias, *how):
        return F.conv2d(x, weight, bias, *how)

    def max_pool2d(self, x, kernel, stride, padding):
        return F.max_pool2d(x, kernel, stride, padding)

    def avg_pool2d(self, x, kernel, stride, padding):
        return F.avg_pool2d(x, kernel, stride, padding)

    def reshape(self, x, *shape):
        return torch.reshape(x, shape)

    def slice(self, x, dim, start, stop):
        return x.narrow(dim, start, stop - start)

    def gather(self, x, index, dim):
        return torch.gather(x, dim, index)

    def embedding(self, weight, indices):
        return F.embedding(indices, weight)

    def gradient(self, result, x, seed):
        return torch.autograd.grad(result, x, seed, create_graph=True)[0]


# A static method where the function stands for itself.
for name, value in list(vars(Torch).items()):
    if not name.startswith("__") and getattr(value, "__module__", "") != __name__:
        setattr(Torch, name, staticmethod(value))

torch.manual_seed(1)
WHOLE = torch.tensor([-2.0, -1.0, -1.0, 0.0, 0.0, 1.0, 2.0, 2.0])
OTHER = torch.tensor([-1.0, -1.0, 2.0, 0.0, 1.0, 1.0, -2.0, 2.0])


def random(*shape):
    return torch.randn(*shape)


def attention(o, x, weight, out):
    """Two heads over [batch 2, time 3, size 4]."""
    joined = o.linear(x, weight, None)
    parts = [o.slice(joined, 2, 4 * i, 4 * i + 4) for i in range(3)]
    q, k, v = (o.swap_dims(o.reshape(p, 2, 3, 2, 2), 1, 2) for p in parts)
    weights = o.softmax(o.matmul(q, o.swap_dims(k, -1, -2)), -1)
    heads = o.swap_dims(o.matmul(weights, v), 1, 2)
    return o.linear(o.reshape(heads, 2, 3, 4), out, None)


def mlp(o, x, w1, b1, w2, b2, target):
    return o.cross_entropy(o.linear(o.gelu(o.linear(x, w1, b1)), w2, b2), target)


def cnn(o, x, weight, bias, last, target):
    h = o.max_pool2d(o.relu(o.conv2d(x, weight, bias, 1, 1, 1, 1)), 2, 2, 0)
    return o.cross_entropy(o.matmul(o.reshape(h, 3, 4 * 9), last), target)


def penalty(o, x, weight):
    """A gradient as part of a loss."""
    y = o.tanh(o.matmul(x, weight))
    slope = o.gradient(y, x, torch.ones(5, 2, dtype=torch.float64))
    return o.sum(o.mul(slope, slope), (0, 1))


def curvature(of):
    def case(o, x):
        y = of(o, x)
        slope = o.gradient(y, x, torch.ones(6, dtype=torch.float64))
        return o.mul(slope, o.exp(x))

    return case


CASES = {
    "abs at 0": (lambda o, x: o.abs(x), WHOLE),
    "relu at 0": (lambda o, x: o.relu(x), WHOLE),
    "clamp at bounds": (lambda o, x: o.clamp(x, -1, 1), WHOLE),
    "minimum of equals": (lambda o, a, b: o.minimum(a, b), WHOLE, OTHER),
    "maximum of equals": (lambda o, a, b: o.maximum(a, b), WHOLE, OTHER),
    "max of equals": (lambda o, x: o.max(x, (0,)), WHOLE),
    "max along": (lambda o, x: o.max(x, (1,), True), random(3, 4)),
    "pow of 0": (lambda o, a, b: o.pow(a, b), WHOLE.abs(), OTHER.abs()),
    "div": (lambda o, a, b: o.div(a, b), random(2, 3), random(3) + 4),
    "silu": (lambda o, x: o.silu(x), random(7)),
    "gelu": (lambda o, x: o.gelu(x), random(7)),
    "gelu tanh": (lambda o, x: o.gelu(x, True), random(7)),
    "batches": (lambda o, a, b: o.matmul(a, b), random(2, 1, 3, 4), random(5, 4, 2)),
    "layer_norm": (
        lambda o, x, w, b: o.layer_norm(x, w, b),
        random(4, 6),
        random(6),
        random(6),
    ),
    "conv2d": (
        lambda o, x, w, b: o.conv2d(x, w, b, 2, 1, 2, 2),
        random(2, 4, 9, 8),
        random(6, 2, 3, 2),
        random(6),
    ),
    "avg_pool2d": (lambda o, x: o.avg_pool2d(x, 3, 2, 1), random(2, 3, 7, 8)),
    "max_pool2d": (lambda o, x: o.max_pool2d(x, 3, 2, 1), random(2, 3, 7, 8)),
    "log_softmax": (lambda o, x: o.log_softmax(x, 0), random(4, 6)),
    "embedding": (
        lambda o, w, i: o.embedding(w, i),
        random(4, 3),
        torch.tensor([[1, 1], [3, 0], [1, 2]]),
    ),
    "gather": (
        lambda o, x, i: o.gather(x, i, 1),
        random(2, 4),
        torch.tensor([[1, 1, 3], [0, 2, 0]]),
    ),
    "stack and concat": (
        lambda o, a, b: o.concat([o.stack([a, b], 1), o.stack([b, b], 1)], 0),
        random(2, 3),
        random(2, 3),
    ),
    "mse": (lambda o, a, b: o.mse(a, b), random(3, 4), random(3, 4)),
    "attention": (attention, random(2, 3, 4), random(12, 4), random(4, 4)),
    "mlp": (
        mlp,
        random(8, 5),
        random(7, 5),
        random(7),
        random(3, 7),
        random(3),
        torch.arange(8) % 3,
    ),
    "cnn": (
        cnn,
        random(3, 2, 6, 6),
        random(4, 2, 3, 3),
        random(4),
        random(36, 5),
        torch.tensor([4, 0, 2]),
    ),
    "gradient penalty": (penalty, random(5, 3), random(3, 2)),
    "tanh twice": (curvature(lambda o, x: o.tanh(x)), random(6)),
    "sigmoid twice": (curvature(lambda o, x: o.sigmoid(x)), random(6)),
    "gelu twice": (curvature(lambda o, x: o.gelu(x)), random(6)),
    "softmax twice": (curvature(lambda o, x: o.softmax(o.mul(x, x), 0)), random(6)),
}
F64_ONLY = {"gradient penalty"} | {name for name in CASES if "twice" in name}


def compare(got, expected, what):
    bound = 1e-4 if expected.dtype == torch.float32 else 1e-10
    assert got.dtype == expected.dtype, (what, got.dtype, expected.dtype)
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    assert torch.allclose(got, expected, bound, bound, equal_nan=True), (
        f"{what}: {got}, PyTorch has {expected}"
    )


def check(ours, name, dtype):
    case, *tensors = CASES[name]
    theirs = [
        t.to(dtype).clone().requires_grad_() if t.is_floating_point() else t
        for t in tensors
    ]
    handles = [ours.give(t) for t in theirs]
    expected, got = case(Torch(), *theirs), case(ours, *handles)
    compare(ours.take(got), expected.detach(), name)
    seed = torch.randn_like(expected)
    expected.backward(seed)
    ours.backward(got, seed)
    for i, (tensor, handle) in enumerate(zip(theirs, handles, strict=True)):
        if tensor.is_floating_point():
            gradient = ours.take(ours.lib.lbo_gradient(handle))
            compare(gradient, tensor.grad, f"{name}: the gradient by input {i}")
    ours.drop()


def main():
    torch.set_num_threads(1)
    ours = Ours(sys.argv[1])
    for name in CASES:
        for dtype in (torch.float32, torch.float64):
            if dtype == torch.float64 or name not in F64_ONLY:
                check(ours, name, dtype)
    ours.close()
    print(f"the gradients of {len(CASES)} cases agree with PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
