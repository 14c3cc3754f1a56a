"""Modules, optimizers, checkpoints; against PyTorch where that is there."""

from __future__ import annotations

import copy
import pickle
import struct

import numpy as np
import pytest

from latebind import ops
from latebind.ops import nn, optim


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.scale = nn.Parameter(ops.ones((8,)))
        self.count = nn.Buffer(ops.zeros(()))
        self.second = nn.Linear(8, 3, bias=False)

    def forward(self, x, double=False):
        y = self.second(nn.relu(self.first(x)) * self.scale)
        return y * 2 if double else y


def test_parameters_and_children_are_found_by_assignment():
    net = Net()
    names = [name for name, _ in net.named_parameters()]
    assert names == ["scale", "first.weight", "first.bias", "second.weight"]
    assert [name for name, _ in net.named_buffers()] == ["count"]
    assert net.size() == 8 + 32 + 8 + 24
    assert len(list(net.modules())) == 3
    del net.second
    assert len(list(net.parameters())) == 3
    net.scale = None
    assert "scale" not in net.state_dict()
    assert "Linear(4, 8, True)" in repr(net)


def test_calling_is_forward_and_keywords_pass():
    net, x = Net(), ops.ones((2, 4))
    assert net(x).shape == (2, 3)
    assert net(x, double=True).tolist() == (net(x) * 2).tolist()


def test_a_model_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty.*forward"):
        Empty()(1)


def test_a_model_inherits_its_bases_forward():
    class Wide(Net):
        pass

    class Shifted(nn.Linear):
        def forward(self, x):
            return super().forward(x) + 100

    assert Wide()(ops.ones((1, 4))).shape == (1, 3)
    assert Shifted(2, 2)(ops.zeros((1, 2)))[0, 0].item() > 50


def test_the_librarys_modules_compute_what_pytorchs_do(rng):
    torch = pytest.importorskip("torch")
    pairs = [
        (nn.Linear(5, 3), torch.nn.Linear(5, 3), (2, 7, 5)),
        (
            nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2),
            torch.nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2),
            (2, 4, 8, 8),
        ),
        (nn.LayerNorm(6), torch.nn.LayerNorm(6), (3, 6)),
        (nn.ReLU(), torch.nn.ReLU(), (3, 4)),
        (nn.GELU(), torch.nn.GELU(), (3, 4)),
        (nn.MaxPool2d(2), torch.nn.MaxPool2d(2), (1, 2, 4, 6)),
        (nn.AvgPool2d(3, 2, 1), torch.nn.AvgPool2d(3, 2, 1), (1, 2, 7, 7)),
        (nn.Flatten(), torch.nn.Flatten(), (2, 3, 4)),
    ]
    for mine, theirs, shape in pairs:
        mine.load_state_dict(theirs.state_dict())
        data = rng.normal(size=shape).astype("f4")
        x = ops.tensor(data, requires_grad=True)
        y = torch.tensor(data, requires_grad=True)
        got, wanted = mine(x), theirs(y)
        np.testing.assert_allclose(
            np.asarray(got.detach()), wanted.detach().numpy(), rtol=1e-4, atol=1e-5
        )
        (got * got).sum().backward()
        (wanted * wanted).sum().backward()
        np.testing.assert_allclose(
            np.asarray(x.grad), y.grad.numpy(), rtol=1e-3, atol=1e-4
        )
        for name, one in mine.named_parameters():
            grad = dict(theirs.named_parameters())[name].grad
            np.testing.assert_allclose(
                np.asarray(one.grad), grad.numpy(), rtol=1e-3, atol=1e-4
            )


def test_training_and_evaluation():
    model = nn.Sequential(nn.Dropout(0.5), nn.ReLU())
    x = ops.ones((100,))
    assert 0.0 in model(x).tolist()
    model.eval()
    assert not model[0].training
    assert model(x).tolist() == x.tolist()
    model.train()
    assert 0.0 in model(x).tolist()


def test_replacing_a_native_parameter_writes_into_it():
    layer = nn.Linear(2, 1, bias=False)
    layer.weight = ops.tensor([[2.0, 3.0]])
    assert layer(ops.ones((1, 2))).item() == 5
    with pytest.raises(ValueError, match="weight"):
        layer.weight = ops.ones((3, 3))


@pytest.mark.parametrize(
    ("make", "peer", "words"),
    [
        (
            lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
            "SGD",
            {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        ),
        (
            lambda p: optim.SGD(p, 0.1, decay=0.1),
            "SGD",
            {"lr": 0.1, "weight_decay": 0.1},
        ),
        (lambda p: optim.Adam(p, 0.01), "Adam", {"lr": 0.01}),
        (lambda p: optim.AdamW(p, 0.01), "AdamW", {"lr": 0.01}),
    ],
)
def test_optimizers_step_as_pytorchs(rng, make, peer, words):
    torch = pytest.importorskip("torch")
    start = rng.normal(size=(3, 4)).astype("f4")
    mine = ops.tensor(start, requires_grad=True)
    theirs = torch.tensor(start, requires_grad=True)
    a, b = make([mine]), getattr(torch.optim, peer)([theirs], **words)
    for _ in range(5):
        for one, parameter in ((a, mine), (b, theirs)):
            one.zero_grad()
            ((parameter * parameter).sum() + parameter.sum()).backward()
            one.step()
    np.testing.assert_allclose(
        np.asarray(mine.detach()), theirs.detach().numpy(), rtol=1e-4, atol=1e-5
    )
    assert a.steps == 5
    assert a.clip_grad_norm(0.5) > 0.5


def test_schedules():
    assert optim.constant(0.1, 1000) == pytest.approx(0.1)
    assert optim.cosine(1.0, 0, period=10) == pytest.approx(1.0)
    assert optim.cosine(1.0, 5, period=10) == pytest.approx(0.5)
    assert optim.linear(1.0, 10, period=10) == pytest.approx(0.0)
    assert optim.stepwise(1.0, 20, period=10) == pytest.approx(0.01)
    optimizer = optim.SGD([ops.ones((1,), requires_grad=True)])
    optimizer.rate = 0.25
    assert optimizer.rate == 0.25


def test_a_model_learns():
    model, x = Net(), ops.normal((64, 4))
    target = (x[:, 0] > 0).astype("i64")
    optimizer = optim.Adam(model, 0.05)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


# Checkpoints ----------------------------------------------------------------


def test_saving_and_loading(tmp_path):
    net, x = Net(), ops.ones((2, 4))
    net.save(tmp_path / "net.safetensors", {"made": "here"})
    other = Net().load(tmp_path / "net.safetensors")
    assert other(x).tolist() == net(x).tolist()
    raw = (tmp_path / "net.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    assert b"first.weight" in raw[8 : 8 + length]
    (tmp_path / "bad").write_bytes(raw[:40])
    with pytest.raises(ValueError):
        ops.load(tmp_path / "bad")
    with pytest.raises(LookupError):
        ops.load(tmp_path / "missing")


def test_a_state_that_does_not_fit_changes_nothing():
    net = Net()
    before = {k: v.tolist() for k, v in net.state_dict().items()}
    state = {k: v * 0 for k, v in net.state_dict().items()}
    for broken, error in (
        ({**state, "more": ops.ones((1,))}, KeyError),
        ({k: v for k, v in state.items() if k != "scale"}, KeyError),
        ({**state, "count": ops.ones((9,))}, ValueError),
    ):
        with pytest.raises(error, match="more|scale|count"):
            net.load_state_dict(broken)
    assert {k: v.tolist() for k, v in net.state_dict().items()} == before


def test_training_goes_on_from_a_checkpoint(tmp_path):
    def steps(model, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            (model(ops.ones((1, 4))) ** 2).sum().backward()
            optimizer.step()

    straight = Net()
    start = {k: v.copy() for k, v in straight.state_dict().items()}
    first = optim.Adam(straight, 0.01)
    steps(straight, first, 3)
    first.save(tmp_path / "run")
    steps(straight, first, 3)
    again = Net()
    again.load_state_dict(start)
    second = optim.Adam(again, 0.01)
    second.load(tmp_path / "run")
    assert second.steps == 3
    steps(again, second, 3)
    for name, one in again.named_parameters():
        np.testing.assert_allclose(
            one.tolist(), dict(straight.named_parameters())[name].tolist(), rtol=1e-6
        )


def test_modules_pickle_and_copy():
    net, x = Net(), ops.ones((2, 4))
    for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert other(x).tolist() == net(x).tolist()
        other.first.weight = ops.zeros((8, 4))
        other.scale = nn.Parameter(ops.zeros((8,)))
        assert other(x).tolist() != net(x).tolist()
