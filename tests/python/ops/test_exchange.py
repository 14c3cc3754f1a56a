"""Memory that is shared with NumPy, PyTorch and whoever speaks DLPack."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

from latebind import ops

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_shares_memory_both_ways(dtype):
    a = np.zeros((3, 4), dtype)
    x = ops.asarray(a)
    a[1, 2] = 1
    assert x[1, 2].item() == 1
    b = np.asarray(x)
    assert b.dtype == a.dtype
    b[0, 0] = 1
    assert a[0, 0] == 1
    assert np.shares_memory(a, b)


@pytest.mark.parametrize(
    "cut", [np.s_[::2, ::-1], np.s_[:, 1], np.s_[3:, :], np.s_[::-1].__class__(None)]
)
def test_strides_are_kept(cut):
    a = np.arange(20.0).reshape(4, 5)[cut]
    x = ops.asarray(a)
    np.testing.assert_array_equal(np.asarray(x), a)
    np.testing.assert_array_equal(np.asarray(x.T if x.ndim == 2 else x), a.T)
    if a.size:
        assert np.shares_memory(np.asarray(x), a)


def test_memory_lives_as_long_as_a_view_of_it():
    class Array(np.ndarray):
        pass

    a = np.arange(6.0).view(Array)
    ref = weakref.ref(a)
    x = ops.asarray(a)[2:]
    del a
    gc.collect()
    assert x.tolist() == [2, 3, 4, 5]
    assert ref() is not None
    del x
    gc.collect()
    assert ref() is None

    b = np.asarray(ops.arange(4)[1:])
    gc.collect()
    assert b.tolist() == [1, 2, 3]


def test_the_last_view_may_go_in_another_thread():
    a = np.arange(6.0)
    held = [ops.asarray(a)]
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
    a.resize((12,))  # refused while a buffer is out
    assert a.shape == (12,)


def test_read_only_memory_is_not_written():
    a = np.zeros(3)
    a.flags.writeable = False
    x = ops.asarray(a)
    assert (x + 1).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        x += 1
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1
    assert memoryview(x).readonly
    assert ops.asarray(b"abc").tolist() == [97, 98, 99]


def test_copies_only_where_asked():
    a = np.zeros(3, "f4")
    assert ops.asarray(a, copy=False)._pointer == a.ctypes.data
    assert ops.asarray(a, copy=True)._pointer != a.ctypes.data
    assert ops.tensor(a)._pointer != a.ctypes.data
    assert ops.asarray(a, dtype="f64").dtype == "f64"
    for wrong in (
        lambda: ops.asarray(a, dtype="f64", copy=False),
        lambda: ops.asarray([1, 2], copy=False),
    ):
        with pytest.raises(ValueError, match="copy"):
            wrong()


def test_what_cannot_be_addressed_by_elements_is_copied():
    record = np.zeros(4, dtype=[("a", "u1"), ("b", "<f4")])
    record["b"] = [1, 2, 3, 4]
    assert ops.tensor(record["b"]).tolist() == [1, 2, 3, 4]
    swapped = np.array([1, 2, 3], ">f4")
    with pytest.raises(TypeError, match="dtype"):
        ops.tensor(swapped)


def test_memoryviews():
    x = ops.arange(6, dtype="i32").reshape(2, 3)
    view = memoryview(x)
    assert (view.shape, view.strides, view.format, view.nbytes) == (
        (2, 3),
        (12, 4),
        "i",
        24,
    )
    assert view.tolist() == x.tolist()
    view[1, 1] = 40
    assert x[1, 1].item() == 40
    assert bytes(ops.tensor([1, 2], dtype="u8")) == b"\1\2"
    with pytest.raises(BufferError, match="bfloat16"):
        memoryview(ops.zeros((1,), dtype="bf16"))
    with pytest.raises(BufferError, match="detach"):
        memoryview(ops.zeros((1,), requires_grad=True))
    with pytest.raises((BufferError, ValueError)):
        np.frombuffer(x.T, "i4")


def test_bfloat16_goes_to_numpy_as_float32():
    assert np.asarray(ops.tensor([1.5], dtype="bf16")).dtype == "f4"


# DLPack ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES[1:])
def test_numpy_takes_our_capsules(dtype):
    x = ops.arange(6, dtype=dtype).reshape(2, 3)[:, ::2]
    a = np.from_dlpack(x)
    assert a.tolist() == x.tolist()
    assert a.ctypes.data == x._pointer


def test_we_take_numpys_capsules():
    a = np.arange(6.0).reshape(2, 3)[:, 1:]
    x = ops.from_dlpack(a)
    assert x.tolist() == a.tolist()
    x[0, 0] = 40
    assert a[0, 0] == 40


def test_versions_of_dlpack():
    x = ops.ones((2,))
    assert "dltensor_versioned" in repr(x.__dlpack__(max_version=(1, 0)))
    for old in (None, (0, 8)):
        assert '"dltensor"' in repr(x.__dlpack__(max_version=old))
    assert x.__dlpack_device__() == (1, 0)
    y = ops.from_dlpack(x.__dlpack__(max_version=(1, 1)))
    assert y._pointer == x._pointer
    z = ops.from_dlpack(x.__dlpack__(copy=True))
    assert z._pointer != x._pointer


def test_a_capsule_is_taken_once_and_freed_if_never():
    x = ops.ones((2,))
    capsule = x.__dlpack__()
    ops.from_dlpack(capsule)
    with pytest.raises(TypeError, match="capsule"):
        ops.from_dlpack(capsule)
    del capsule
    x.__dlpack__(max_version=(1, 0))  # nobody takes it


@pytest.mark.parametrize("what", [3, object(), [1]])
def test_what_has_no_dlpack_is_refused(what):
    with pytest.raises((TypeError, AttributeError)):
        ops.from_dlpack(what)


def test_dlpack_refuses_what_it_cannot_say():
    with pytest.raises(BufferError, match="detach"):
        ops.ones((1,), requires_grad=True).__dlpack__()
    with pytest.raises(BufferError, match="device"):
        ops.ones((1,)).__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError):
        ops.ones((1,)).__dlpack__(max_version=3)


# Users' own arrays ----------------------------------------------------------


def test_operators_take_numpys_arrays_and_give_such():
    a, b = np.arange(3.0), np.ones(3)
    got = ops.add(a, b)
    assert type(got) is np.ndarray
    assert got.dtype == "f8"
    assert got.tolist() == [1, 2, 3]
    assert type(ops.sum(a)) is np.ndarray
    assert ops.concat([a, b]).shape == (6,)
    assert ops.where(a > 1, a, 0.0).tolist() == [0, 0, 2]
    out = np.zeros(3)
    assert ops.multiply(a, 2, out=out) is out
    assert out.tolist() == [0, 2, 4]


def test_torch_tensors_likewise():
    torch = pytest.importorskip("torch")
    a = torch.arange(3.0)
    got = ops.add(a, a)
    assert type(got) is torch.Tensor
    assert got.tolist() == [0, 2, 4]
    assert ops.greater(a, 1.0).tolist() == [False, False, True]
    x = ops.asarray(a)
    x[0] = 9
    assert a[0] == 9
    assert torch.from_dlpack(x).data_ptr() == a.data_ptr()
    with pytest.raises(TypeError, match="detach"):
        ops.add(a.clone().requires_grad_(), 1)
    with pytest.raises(TypeError, match=r"numpy.ndarray.*torch.Tensor"):
        ops.add(np.ones(3), a)


def test_kinds_are_not_mixed():
    with pytest.raises(TypeError, match="several kinds"):
        ops.add(ops.ones((3,)), np.ones(3))
    for wrong in (
        lambda: ops.ones((3,)) + np.ones(3),
        lambda: np.ones(3) + ops.ones((3,)),
    ):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError, match="str"):
        ops.add("a", "b")


def test_kinds_are_open():
    class Money:
        def __init__(self, cents):
            self.cents = cents

    @ops.kind_of.register(Money)
    def _(array):
        return ops.Kind(
            "Money", lambda m: ops.tensor(m.cents), lambda x: Money(x.item())
        )

    got = ops.add(Money(3), Money(4))
    assert type(got) is Money
    assert got.cents == 7
