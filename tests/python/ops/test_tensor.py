"""The type Tensor: from and for Python, indexing, printing, numbers."""

from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import sys
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latebind import ops

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]


def array(rng, dtype, shape):
    if dtype == "bool":
        return rng.random(shape) > 0.5
    if dtype.startswith("float"):
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, 100, size=shape).astype(dtype)


# From Python ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (True, "bool", ()),
        (3, "int64", ()),
        (2.5, "float32", ()),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        ([1, 2.5], "float32", (2,)),
        ([True, 2], "int64", (2,)),
        (((1, 2), [3, 4]), "int64", (2, 2)),
        (range(3), "int64", (3,)),
        ([ops.tensor(1.0, "f64"), 2], "float64", (2,)),
        (np.ones((2, 1), "i4"), "int32", (2, 1)),
        (np.float32(2), "float32", ()),
        (bytearray(b"ab"), "uint8", (2,)),
    ],
)
def test_data_say_dtype_and_shape(data, dtype, shape):
    made = ops.tensor(data)
    assert (made.dtype, made.shape) == (dtype, shape)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([[1], [1, 2]], ValueError),
        ([[1], 2], ValueError),
        ([1, [2]], ValueError),
        ([[], 1], ValueError),
        (["1"], TypeError),
        (object(), TypeError),
        ([None], TypeError),
        ([1j], TypeError),
        (np.ones(2, "i2"), TypeError),
        (np.ones(2, "c8"), TypeError),
    ],
)
def test_what_is_no_tensor_is_refused(data, error):
    with pytest.raises(error):
        ops.tensor(data)


def test_a_list_that_holds_itself_is_refused():
    data: list[object] = []
    data.append(data)
    with pytest.raises(ValueError, match="nested"):
        ops.tensor(data)


@pytest.mark.parametrize(("dtype", "value"), [("u8", 256), ("u8", -1), ("i8", 128)])
def test_numbers_that_do_not_fit_are_refused(dtype, value):
    with pytest.raises(OverflowError, match=dtype):
        ops.tensor([value], dtype=dtype)
    with pytest.raises(OverflowError, match=dtype):
        ops.zeros((1,), dtype=dtype) + value


@pytest.mark.parametrize("dtype", DTYPES)
def test_lists_come_back_as_they_went(rng, dtype):
    for shape in [(), (3,), (2, 0, 3), (2, 3, 4)]:
        data = array(rng, dtype, shape)
        made = ops.tensor(data.tolist(), dtype=dtype)
        assert made.tolist() == data.tolist()
        assert ops.tensor(data).tolist() == data.tolist()
        assert ops.tensor(data.T).tolist() == data.T.tolist()


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_casts_between_all_dtypes_are_numpys(rng, dtype):
    values = rng.integers(0, 100, size=7)
    made = ops.tensor(values).astype(dtype)
    assert made.dtype == dtype
    wanted = values if dtype == "bfloat16" else values.astype(dtype)
    assert made.tolist() == wanted.tolist()


# Arithmetic -----------------------------------------------------------------

SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@given(st.data())
def test_operators_are_numpys_on_any_dtypes_and_shapes(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    shape = data.draw(SHAPES)
    other = tuple(data.draw(st.sampled_from([n, 1])) for n in shape)
    a_type, b_type = (
        data.draw(st.sampled_from(["int32", "float32", "float64"])) for _ in range(2)
    )
    a, b = array(rng, a_type, shape), array(rng, b_type, other)
    x, y = ops.tensor(a), ops.tensor(b)
    dtype = ops.result_type(x, y)
    for function in (
        lambda m, n: m + n,
        lambda m, n: m - n,
        lambda m, n: m * n,
        lambda m, n: m < n,
        lambda m, n: m == n,
        lambda m, n: m >= n,
    ):
        wanted, got = function(a, b), function(x, y)
        assert got.shape == wanted.shape
        if wanted.dtype != bool:
            assert got.dtype == dtype
        np.testing.assert_allclose(
            np.asarray(got, "f8"), wanted.astype("f8"), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        (lambda x: x + 1, "int32"),
        (lambda x: 1 - x, "int32"),
        (lambda x: x * 2.5, "float32"),
        (lambda x: 2**x, "int32"),
        (lambda x: x / 2, "float32"),
        (lambda x: 6 / x, "float32"),
        (lambda x: x + True, "int32"),
        (lambda x: -x, "int32"),
        (lambda x: abs(-x), "int32"),
        (lambda x: x > 1.5, "bool"),
    ],
)
def test_numbers_adapt(expression, dtype):
    data = np.array([1, 2, 3], "i4")
    got = expression(ops.tensor(data))
    assert got.dtype == dtype
    np.testing.assert_allclose(np.asarray(got), expression(data))


def test_in_place_writes_where_it_says():
    x = ops.tensor([1.0, 2.0, 3.0])
    y, view = x, x[1:]
    x += 1
    x *= view.copy()[0]
    assert x is y
    assert view.tolist() == [9.0, 12.0]
    with pytest.raises(ValueError, match="result"):
        x += ops.ones((2, 3))
    i = ops.tensor([1, 2])
    with pytest.raises(ValueError, match="i64"):
        i += 0.5


def test_out_is_what_comes_back():
    x, out = ops.tensor([1.0, 2.0]), ops.zeros((2,))
    assert ops.add(x, x, out=out) is out
    assert out.tolist() == [2.0, 4.0]
    assert ops.sum(x, out=ops.zeros(())).item() == 3.0
    for wrong in (ops.zeros((3,)), ops.zeros((2,), dtype="f64")):
        with pytest.raises(ValueError, match="add"):
            ops.add(x, x, out=wrong)


def test_truth_is_of_one_element():
    assert ops.tensor(1.0)
    assert not ops.tensor([False])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(ops.ones((2,)))


def test_bools_combine():
    a, b = ops.tensor([True, True, False]), ops.tensor([True, False, False])
    assert (a & b).tolist() == [True, False, False]
    assert (a | b).tolist() == [True, True, False]
    assert (a ^ b).tolist() == [False, True, False]
    assert (~a).tolist() == [False, False, True]
    with pytest.raises(TypeError):
        ops.ones((3,)) & a
    with pytest.raises(TypeError):
        ~ops.ones((3,))


def test_numbers_come_out():
    x = ops.tensor([[3]])
    assert (int(x), float(x), x.item(), [10, 20, 30, 40][x]) == (3, 3.0, 3, 40)
    with pytest.raises(ValueError, match="2 elements"):
        ops.ones((2,)).item()
    with pytest.raises(TypeError):
        [1][ops.tensor(0.0)]


def test_equality_is_elements_and_hash_is_identity():
    x, y = ops.ones((2,)), ops.ones((2,))
    assert (x == y).tolist() == [True, True]
    assert (x == "x") is False
    assert len({x, y, x}) == 2


def test_iterating_gives_rows():
    assert [row.tolist() for row in ops.tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    assert len(ops.zeros((3, 0))) == 3
    for call in (len, iter):
        with pytest.raises(TypeError):
            call(ops.tensor(1.0))


# Indexing -------------------------------------------------------------------


@st.composite
def keys(draw, shape):
    items, dots = [], False
    for n in shape:
        kind = draw(st.sampled_from("isi.n"))
        if kind == "." and not dots:
            dots = True
            items.append(Ellipsis)
            break
        if kind == "n":
            items.append(None)
        if kind == "i" and n > 0:
            items.append(draw(st.integers(-n, n - 1)))
        else:
            items.append(draw(st.slices(n)))
    return tuple(items)


@given(st.data())
def test_basic_indices_are_numpys(data):
    shape = data.draw(SHAPES)
    a = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    key = data.draw(keys(shape))
    got = ops.asarray(a)[key]
    assert got.shape == a[key].shape
    assert got.tolist() == a[key].tolist()
    b = a.copy()
    x = ops.tensor(a)
    x[key] = -1
    b[key] = -1
    assert x.tolist() == b.tolist()


@given(st.data())
def test_gradients_go_through_indices(data):
    shape = data.draw(SHAPES)
    key = data.draw(keys(shape))
    x = ops.zeros(shape, requires_grad=True)
    a = np.zeros(shape, "f4")
    x[key].sum().backward()
    a[key] += 1
    assert x.grad is not None or a.size == 0
    if x.grad is not None:
        assert x.grad.tolist() == a.tolist()


def test_tensors_choose(rng):
    a = rng.normal(size=(5, 3)).astype("f4")
    x = ops.asarray(a)
    for index in ([0, -1, 2], [[0, 1], [4, 4]], []):
        key = np.array(index, dtype="i8")
        np.testing.assert_array_equal(np.asarray(x[ops.asarray(key)]), a[key])
        np.testing.assert_array_equal(np.asarray(x[index]), a[key])
    for mask in (a > 0, a[:, 0] > 0, a > 100):
        np.testing.assert_array_equal(np.asarray(x[ops.asarray(mask)]), a[mask])
    y, b = x.copy(), a.copy()
    y[y < 0] = 0.5
    b[b < 0] = 0.5
    np.testing.assert_array_equal(np.asarray(y), b)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (3, IndexError),
        (-4, IndexError),
        ((0, 0, 0), IndexError),
        ((..., ...), IndexError),
        ("a", IndexError),
        (1.0, IndexError),
        (slice(None, None, 0), ValueError),
        ([3], IndexError),
        ([True], IndexError),
        ((0, [1]), IndexError),
        (2**70, IndexError),
        ([0.5], IndexError),
    ],
)
def test_bad_indices_are_refused(key, error):
    with pytest.raises(error):
        ops.zeros((3, 2))[key]
    with pytest.raises((error, ValueError)):
        ops.zeros((3, 2))[key] = 1


def test_views_share_and_assignment_broadcasts():
    x = ops.zeros((2, 3))
    x[1] = ops.tensor([1, 2, 3])
    x.T[0] = 7
    assert x.tolist() == [[7, 0, 0], [7, 2, 3]]
    x[:, 1:] = [[5.5], [6]]
    assert x.tolist() == [[7, 5.5, 5.5], [7, 6, 6]]
    with pytest.raises(ValueError, match="expand|shape"):
        x[0] = ops.zeros((4,))
    with pytest.raises(TypeError):
        del x[0]


def test_overlapping_assignment_is_as_if_copied():
    x = ops.arange(5)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3]


# Shapes ---------------------------------------------------------------------


def test_shapes_as_numpy_and_pytorch_say_it():
    x = ops.arange(24).reshape(2, 3, 4)
    a = np.arange(24).reshape(2, 3, 4)
    assert x.reshape((4, -1)).tolist() == a.reshape(4, -1).tolist()
    assert x.view(6, 4).tolist() == a.reshape(6, 4).tolist()
    assert x.permute(2, 0, 1).tolist() == a.transpose(2, 0, 1).tolist()
    assert x.transpose().tolist() == a.T.tolist()
    assert x.transpose(0, 2).tolist() == a.swapaxes(0, 2).tolist()
    assert x.mT.tolist() == a.swapaxes(1, 2).tolist()
    assert x.flatten(1).shape == (2, 12)
    assert x[:, :1].squeeze(1).shape == (2, 4)
    assert ops.expand_dims(x, axis=-1).shape == (2, 3, 4, 1)
    assert ops.moveaxis(x, 0, -1).tolist() == np.moveaxis(a, 0, -1).tolist()
    assert ops.flip(x, axis=1).tolist() == a[:, ::-1].tolist()
    assert [p.shape for p in ops.split(x, [1, 2], axis=1)] == [(2, 1, 4), (2, 2, 4)]
    assert [p.tolist() for p in ops.unstack(x)] == a.tolist()
    assert ops.take(x, ops.tensor([2, 0]), axis=1).tolist() == a[:, [2, 0]].tolist()
    assert ops.broadcast_to(ops.arange(3), (2, 3)).shape == (2, 3)
    assert (x.size, x.ndim, x.nbytes, x.strides) == (24, 3, 192, (12, 4, 1))


# As an object ---------------------------------------------------------------


def test_printing():
    assert repr(ops.tensor([[1.0, 2.0], [3.0, 4.0]])) == (
        "tensor([[1, 2],\n        [3, 4]], f32)"
    )
    assert len(repr(ops.zeros((1000, 1000)))) < 2000


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_pickles_and_copies_are_the_same(dtype):
    x = ops.tensor([[1, 0, 1]]).astype(dtype).T
    for y in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert (y.dtype, y.shape, y.tolist()) == (x.dtype, x.shape, x.tolist())
    y = copy.copy(x)
    y[0] = 0
    assert x[0].item() == 1


def test_dtypes_and_operators_pickle_as_themselves():
    assert pickle.loads(pickle.dumps(ops.float16)) is ops.float16
    assert pickle.loads(pickle.dumps(ops.relu)).__name__ == "relu"


def test_leaves_stay_leaves_when_copied():
    x = ops.ones((2,), requires_grad=True)
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.requires_grad
        y.sum().backward()
        assert y.grad.tolist() == [1, 1]
    assert x.grad is None


def test_weak_references_and_memory_are_given_back():
    x = ops.ones((3,))
    ref = weakref.ref(x)
    del x
    gc.collect()
    assert ref() is None


def test_nothing_is_held_after_a_million_bytes_of_calls():
    def work():
        x = ops.ones((4,), requires_grad=True)
        y = (x * 2 + 1)[1:].sum()
        y.backward()
        ops.tensor([[1, 2], [3, 4]]).tolist()
        with contextlib.suppress(ValueError):
            x + ops.ones((3,))

    work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(200):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 50


# Dtypes ---------------------------------------------------------------------


def test_dtypes_are_named_by_many():
    for name in ("float32", "f32", ops.float32, np.float32, np.dtype("f4"), float):
        assert ops.zeros((1,), dtype=name).dtype is ops.float32
    assert ops.float32 == "f32" and ops.float32 == "float32" and ops.float32 != "f64"
    assert hash(ops.float32) == hash("float32")
    with pytest.raises(TypeError, match="complex64"):
        ops.zeros((1,), dtype="complex64")


def test_promotion_is_as_the_standard_says():
    for a in DTYPES:
        for b in DTYPES:
            mixed = {a[0], b[0]} not in ({"f"}, {"i"}, {"u"}, {"b"}, {"i", "u"})
            if mixed:
                continue
            wanted = np.promote_types(a, b)
            if wanted != "int16":
                assert ops.result_type(
                    ops.get_operator("cast")(ops.zeros((1,)), a), b
                ) == str(wanted)
    assert ops.result_type(ops.int8, 1) == "int8"
    assert ops.result_type(ops.int8, 1.0) == "float32"
    assert ops.can_cast(ops.int8, ops.int32) and not ops.can_cast("f32", "i32")
    assert ops.isdtype("f16", "real floating") and not ops.isdtype("u8", "bool")


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_finfo_is_numpys(name):
    mine, theirs = ops.finfo(name), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(mine, field) == float(getattr(theirs, field)), field


@pytest.mark.parametrize("name", ["uint8", "int8", "int32", "int64"])
def test_iinfo_is_numpys(name):
    mine, theirs = ops.iinfo(name), np.iinfo(name)
    assert (mine.bits, mine.max, mine.min) == (theirs.bits, theirs.max, theirs.min)
