"""What the tests of latebind.ops share."""

from __future__ import annotations

import pytest

pytest.importorskip("latebind._ops", reason="the package was built without ops")
np = pytest.importorskip("numpy")

from latebind import ops  # noqa: E402


@pytest.fixture(autouse=True)
def on_the_cpu():
    """Where NumPy's numbers are, and with the same random numbers each time."""
    with ops.device("cpu"):
        ops.seed(1)
        yield
    assert ops.layers() == ()
    assert ops.is_grad_enabled()


@pytest.fixture
def rng():
    return np.random.default_rng(7)
