"""Operators against NumPy: values and promotion, on random shapes and strides.

The shared library is the first argument; it is called by ctypes. Run by a Python
that has NumPy; without it the test is skipped (exit status 77).
"""

import ctypes
import random
import sys
import warnings
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int64

try:
    import numpy as np
except ImportError:
    print("skipped: this Python has no NumPy")
    sys.exit(77)

NAMES = ["bool", "u8", "i8", "i32", "i64", "f16", "bf16", "f32", "f64"]
DTYPES = [np.bool_, np.uint8, np.int8, np.int32, np.int64, np.float16, None]
DTYPES += [np.float32, np.float64]
USED = [i for i, dtype in enumerate(DTYPES) if dtype is not None]
BOOL, I64, F16, F32, F64 = 0, 4, 5, 7, 8
ROUNDS = 40
READ_ONLY = 1
PRECISION = {F16: 2e-3, F32: 1e-6, F64: 1e-13}


class Tensor(ctypes.Structure):
    """The members of lbo_tensor."""

    _fields_ = [
        ("head", ctypes.c_void_p),
        ("references", ctypes.c_uint32),
        ("dtype", ctypes.c_uint8),
        ("ndim", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8),
        ("storage", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("offset", c_int64),
        ("size", c_int64),
        ("history", ctypes.c_void_p),
        ("dims", c_int64 * 16),
    ]


Handle = POINTER(Tensor)


def kind(dtype):
    return 0 if dtype == BOOL else 1 if dtype < F16 else 2


def index_of(array):
    """The library's number for an array's type."""
    return next(i for i in USED if np.dtype(DTYPES[i]) == array.dtype)


class World:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.lbo_tensor_release.restype = None
        self.lib.lbo_tensor_release.argtypes = [ctypes.c_void_p]
        self.lib.lbo_context_destroy.restype = None
        self.lib.lbo_tensor_bytes.restype = ctypes.c_size_t
        self.library = ctypes.c_void_p()
        self.context = ctypes.c_void_p()
        self.cpu = ctypes.c_void_p()
        self.do("lbo_library_create", None, byref(self.library))
        self.do("lbo_context_create", self.library, None, byref(self.context))
        self.do("lbo_device_find", self.library, c_char_p(b"cpu"), byref(self.cpu))

    def do(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        self.lib.lb_message.restype = c_char_p
        assert status == 0, f"{name}: {self.lib.lb_message().decode()}"

    def close(self):
        self.lib.lbo_context_destroy(self.context)
        self.do("lbo_library_destroy", self.library)  # fails if a tensor leaked

    def wrap(self, array, base):
        """A tensor over the array's own memory, which lies within `base`."""
        ndim = array.ndim
        steps = [s // array.itemsize for s in array.strides]
        result = Handle()
        self.do(
            "lbo_tensor_wrap",
            self.library,
            self.cpu,
            ctypes.c_void_p(base.ctypes.data),
            ctypes.c_size_t(base.nbytes),
            c_int64(array.ctypes.data - base.ctypes.data),
            c_int(index_of(array)),
            ctypes.c_size_t(ndim),
            (c_int64 * 16)(*array.shape),
            (c_int64 * 16)(*steps),
            ctypes.c_uint32(READ_ONLY),
            None,
            None,
            byref(result),
        )
        return result

    def take(self, tensor):
        """The elements as an array; the tensor is given back."""
        has = tensor.contents
        shape = has.dims[: has.ndim]
        array = np.empty(shape, DTYPES[has.dtype])
        if array.size:
            self.do(
                "lbo_read",
                self.context,
                tensor,
                ctypes.c_void_p(array.ctypes.data),
                ctypes.c_size_t(array.nbytes),
            )
        self.lib.lbo_tensor_release(tensor)
        return array

    def call(self, name, arrays, *attributes):
        tensors = [self.wrap(*pair) for pair in arrays]
        out = Handle()
        self.do(f"lbo_{name}", self.context, byref(out), *tensors, *attributes)
        for tensor in tensors:
            self.lib.lbo_tensor_release(tensor)
        return self.take(out)


def promote(a, b):
    """The type of two operands: the standard's table, and dtype.h beyond it."""
    if {NAMES[a], NAMES[b]} == {"u8", "i8"}:
        return NAMES.index("i32")
    return max(a, b)


def in_standard(a, b):
    """Whether NumPy and the library must agree on the type."""
    return kind(a) == kind(b) and {NAMES[a], NAMES[b]} != {"u8", "i8"}


def random_shape():
    sizes = [1, 2, 3, 4, 5, 17, 40]
    return [random.choice(sizes) for _ in range(random.randrange(4))]


def broadcast_shape(shape):
    """One that broadcasts to `shape`."""
    kept = shape[random.randrange(len(shape) + 1) :]
    return [1 if random.random() < 0.3 else size for size in kept]


def fill(base, dtype, low=-4.0, high=4.0):
    if dtype == BOOL:
        return np.random.random(base.shape) < 0.5
    if kind(dtype) == 1:
        low, high = (0 if NAMES[dtype] == "u8" else int(low)), int(high)
        return np.random.randint(low, high + 1, base.shape).astype(DTYPES[dtype])
    return (np.random.random(base.shape) * (high - low) + low).astype(DTYPES[dtype])


def random_array(shape, dtype, low=-4.0, high=4.0):
    """An array with steps, perhaps transposed and backwards, and its memory."""
    steps = [random.choice([1, 1, 2]) for _ in shape]
    order = list(range(len(shape)))
    if random.random() < 0.5:
        random.shuffle(order)
    base = np.empty([shape[i] * steps[i] for i in order], DTYPES[dtype])
    base[...] = fill(base, dtype, low, high)
    view = base.transpose(np.argsort(order)) if shape else base
    view = view[(..., *(slice(None, None, step) for step in steps))]
    if random.random() < 0.3:
        view = view[(..., *(slice(None, None, -1) for _ in shape))]
    return view, base


def compare(name, got, expected, tolerance, check_type=True):
    expected = np.asarray(expected)
    assert got.shape == expected.shape, f"{name}: {got.shape} {expected.shape}"
    if check_type:
        assert got.dtype == expected.dtype, f"{name}: {got.dtype} {expected.dtype}"
    np.testing.assert_allclose(
        got.astype(np.float64) if got.dtype == np.float16 else got,
        expected.astype(np.float64) if expected.dtype == np.float16 else expected,
        rtol=tolerance,
        atol=tolerance,
        err_msg=name,
    )


def logistic(x):
    return 1 / (1 + np.exp(-x))


NUMBERS, WITH_BOOL, TO_FLOAT = 1, 2, 4
BINARY = {
    "add": (np.add, WITH_BOOL),
    "sub": (np.subtract, NUMBERS),
    "mul": (np.multiply, WITH_BOOL),
    "div": (np.true_divide, TO_FLOAT),
    "minimum": (np.minimum, WITH_BOOL),
    "maximum": (np.maximum, WITH_BOOL),
    "equal": (np.equal, WITH_BOOL),
    "not_equal": (np.not_equal, WITH_BOOL),
    "less": (np.less, WITH_BOOL),
    "less_equal": (np.less_equal, WITH_BOOL),
    "greater": (np.greater, WITH_BOOL),
    "greater_equal": (np.greater_equal, WITH_BOOL),
}
UNARY = {
    "neg": (np.negative, NUMBERS),
    "abs": (np.abs, WITH_BOOL),
    "sign": (np.sign, NUMBERS),
    "sqrt": (np.sqrt, TO_FLOAT),
    "exp": (np.exp, TO_FLOAT),
    "log": (np.log, TO_FLOAT),
    "tanh": (np.tanh, TO_FLOAT),
    "sigmoid": (logistic, TO_FLOAT),
    "silu": (lambda x: x * logistic(x), TO_FLOAT),
    "relu": (lambda x: np.maximum(x, 0), TO_FLOAT),
}


def computed_in(flags, dtype):
    """The type that the inputs are converted to; None: there is an error."""
    if flags == TO_FLOAT and kind(dtype) < 2:
        return F32
    return None if flags == NUMBERS and dtype == BOOL else dtype


def apply(function, dtype, *arrays):
    """The same operation by NumPy; on half types by way of f32, as here."""
    wide = F32 if dtype == F16 else dtype
    result = function(*[array.astype(DTYPES[wide]) for array in arrays])
    return result if result.dtype == bool else result.astype(DTYPES[dtype])


def test_binary(world):
    for name, (function, flags) in BINARY.items():
        for a in USED:
            for b in USED:
                dtype = computed_in(flags, promote(a, b))
                if dtype is None:
                    continue
                for _ in range(ROUNDS // 8):
                    shape = random_shape()
                    x = random_array(shape, a)
                    y = random_array(broadcast_shape(shape), b)
                    got = world.call(name, [x, y])
                    expected = apply(function, dtype, x[0], y[0])
                    what = f"{name} {NAMES[a]} {NAMES[b]}"
                    compare(what, got, expected, 0)
                    if in_standard(a, b) and flags != TO_FLOAT:
                        ones = np.ones(1, x[0].dtype), np.ones(1, y[0].dtype)
                        assert got.dtype == function(*ones).dtype, what


def test_powers(world):
    for dtype in [i for i in USED if i not in (BOOL, F16)]:
        for _ in range(ROUNDS):
            shape = random_shape()
            x = random_array(shape, dtype, 0 if kind(dtype) == 2 else -4)
            y = random_array(broadcast_shape(shape), dtype, 0, 7)
            got = world.call("pow", [x, y])
            compare("pow", got, np.power(x[0], y[0]), PRECISION.get(dtype, 0))


def test_unary(world):
    for name, (function, flags) in UNARY.items():
        for a in USED:
            dtype = computed_in(flags, a)
            for _ in range(ROUNDS if dtype is not None else 0):
                x = random_array(random_shape(), a)
                expected = apply(function, dtype, x[0])
                tolerance = PRECISION[dtype] if flags == TO_FLOAT else 0
                got = world.call(name, [x])
                compare(f"{name} {NAMES[a]}", got, expected, tolerance)


def test_where(world):
    for a in USED:
        for b in USED:
            for _ in range(ROUNDS // 8):
                shape = random_shape()
                c = random_array(broadcast_shape(shape), BOOL)
                x = random_array(shape, a)
                y = random_array(broadcast_shape(shape), b)
                dtype = DTYPES[promote(a, b)]
                expected = np.where(c[0], x[0].astype(dtype), y[0].astype(dtype))
                compare("where", world.call("where", [c, x, y]), expected, 0)


def test_clamp(world):
    for dtype in [i for i in USED if i != BOOL]:
        for low, high in [(-1, 2), (1, 3), (2, 0)]:
            x = random_array(random_shape(), dtype)
            got = world.call("clamp", [x], c_double(low), c_double(high))
            if NAMES[dtype] == "u8":
                low = max(low, 0)
            expected = np.minimum(np.maximum(x[0], low), high)
            compare("clamp", got, expected.astype(x[0].dtype), 0)


def expected_sum(x, axes, keep):
    if kind(index_of(x)) < 2:
        return x.sum(axis=axes, keepdims=keep, dtype=np.int64)
    return x.astype(np.float64).sum(axis=axes, keepdims=keep).astype(x.dtype)


def expected_mean(x, axes, keep, correction=None):
    wide = x.astype(np.float64)
    dtype = x.dtype if kind(index_of(x)) == 2 else np.float32
    if correction is None:
        result = wide.mean(axis=axes, keepdims=keep)
    else:
        result = wide.var(axis=axes, keepdims=keep, ddof=correction)
    return result.astype(dtype)


def random_axes(ndim):
    """The argument for NumPy, and count and dims for the library."""
    if random.random() < 0.3:
        return None, c_int(-1), None
    axes = random.sample(range(ndim), random.randrange(ndim + 1))
    given = [axis - ndim if random.random() < 0.5 else axis for axis in axes]
    return tuple(axes), c_int(len(axes)), (c_int64 * 16)(*given)


def check_reductions(world, x, keep):
    axes, count, dims = random_axes(x[0].ndim)
    flag = ctypes.c_bool(keep)
    dtype = index_of(x[0])
    tolerance = PRECISION.get(dtype, 0) * max(1, x[0].size)
    rounding = max(PRECISION.get(dtype, 0), PRECISION[F32] if dtype < F16 else 0)
    got = world.call("sum", [x], count, dims, flag)
    compare("sum", got, expected_sum(x[0], axes, keep), min(tolerance, 1e-3 * 2))
    got = world.call("mean", [x], count, dims, flag)
    compare("mean", got, expected_mean(x[0], axes, keep), rounding)
    got = world.call("max", [x], count, dims, flag)
    compare("max", got, x[0].max(axis=axes, keepdims=keep), 0)
    got = world.call("min", [x], count, dims, flag)
    compare("min", got, x[0].min(axis=axes, keepdims=keep), 0)
    for correction in (0, 1):
        got = world.call("var", [x], count, dims, flag, c_double(correction))
        expected = expected_mean(x[0], axes, keep, correction)
        compare("var", got, expected, rounding * 4)


def test_reductions(world):
    for dtype in USED:
        for _ in range(ROUNDS):
            x = random_array(random_shape(), dtype)
            check_reductions(world, x, random.random() < 0.5)


def test_argmax(world):
    for dtype in USED:
        for _ in range(ROUNDS):
            x = random_array(random_shape(), dtype)
            keep = ctypes.c_bool(False)
            got = world.call("argmax", [x], c_int(-1), None, keep)
            compare("argmax", got, np.argmax(x[0]), 0)
            for axis in range(x[0].ndim):
                dims = (c_int64 * 16)(axis)
                got = world.call("argmax", [x], c_int(1), dims, keep)
                compare("argmax", got, np.argmax(x[0], axis=axis), 0)


def main():
    random.seed(20)
    np.random.seed(20)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    world = World(sys.argv[1])
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    for test in tests:
        test(world)
        print(f"ok {test.__name__}")
    world.close()


main()
