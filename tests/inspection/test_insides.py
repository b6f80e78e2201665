"""Unit responses against forward hooks on the same grid; the diagram computes the network's output."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from treino.base.errors import TreinoError
from treino.data import Data, load
from treino.inspection.boundary import boundary
from treino.inspection.thumbnails import first_weights
from treino.inspection.unit_responses import SHOWN, UnitDiagram, insides


def grid_rows(data: Data, shown: UnitDiagram) -> Tensor:
    """The grid's rows of a table with two numbers, made by hand."""
    at = np.stack(np.meshgrid(shown.x_R, shown.y_R), -1).reshape(-1, 2)
    mean, scale = np.array(data.preparation.mean), np.array(data.preparation.scale)
    return torch.tensor((at - mean) / scale, dtype=torch.float32)


def hooked(net: nn.Module, module: nn.Module, x: Tensor) -> np.ndarray:
    """What the module gives, read by a hook of our own."""
    seen: list[Tensor] = []
    handle = module.register_forward_hook(lambda _m, _a, out: seen.append(out.detach().clone()))
    net.eval()
    with torch.no_grad():
        net(x)
    handle.remove()
    return seen[0].double().numpy()


def test_thumbnails_are_what_forward_hooks_give(wine2: Data, trainer: Callable[..., nn.Sequential]) -> None:
    net = trainer(wine2, dropout=0.5)
    shown = insides(net, wine2, resolution=20)
    inputs, hidden, out = shown.stages
    assert (inputs.labels, hidden.what, out.labels) == (wine2.features, "Linear, Tanh", wine2.classes)
    x = grid_rows(wine2, shown)
    for stage, module in ((hidden, net[1]), (out, net[3])):
        theirs = hooked(net, module, x)[:, stage.units_K].T.reshape(stage.seen_KRR.shape)
        np.testing.assert_allclose(stage.seen_KRR, theirs, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(inputs.seen_KRR, x.T.reshape(2, 20, 20), atol=1e-6)
    np.testing.assert_array_equal(hidden.weight_KJ, net[0].weight.detach().double())
    np.testing.assert_array_equal(out.weight_KJ, net[3].weight.detach().double())
    np.testing.assert_array_equal(out.bias_K, net[3].bias.detach().double())
    seen = boundary(net, wine2, resolution=20)
    assert shown.sight.axis_names == seen.axes.axis_names
    np.testing.assert_array_equal(shown.x_R, seen.x_R)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_the_units_that_move_the_next_layer_most_are_shown(iris: Data) -> None:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(4, 50), nn.ReLU(), nn.Linear(50, 3))
    with torch.no_grad():
        net[0].weight[7], net[0].bias[7] = 0, -1  # never on
    stage = insides(net, iris, resolution=5).stages[1]
    with torch.no_grad():
        given = net[:2](iris.train.x).double()
    move = given.std(0, correction=0) * net[2].weight.detach().double().norm(dim=0)
    assert stage.units_K.tolist() == sorted(move.argsort(descending=True)[:SHOWN].tolist())
    assert 7 not in stage.units_K
    np.testing.assert_allclose(stage.active_K, (given > 0).double().mean(0)[stage.units_K])
    with torch.no_grad():
        net[0].weight[8:], net[0].bias[8:] = 0, -1
    dead = insides(net, iris, resolution=5).stages[1]
    assert [u for u, d in zip(dead.units_K, dead.dead_K, strict=True) if d] == [
        u for u in dead.units_K if u == 7 or u >= 8
    ]


class InPlace(nn.Module):
    """Activations are functions in place, and there is a way past a layer: no chain of modules."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.out = nn.Linear(2, 5), nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.one(x), inplace=True)
        return self.out(torch.tanh(self.two(h)) + h)


class Images(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)
        self.relu, self.flat, self.out = nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(6 * 36, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.flat(self.relu(self.norm(self.first(x)))))


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.read, self.out = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.read(x)[0][:, -1])


def test_any_network_is_read_as_it_runs(wine2: Data) -> None:
    torch.manual_seed(0)
    net = InPlace()
    shown = insides(net, wine2, resolution=6)
    x = grid_rows(wine2, shown)
    got: list[Tensor] = []
    handles = [
        m.register_forward_pre_hook(lambda _m, a: got.append(a[0].clone())) for m in (net.two, net.out)
    ]
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    for stage, theirs in zip(shown.stages[1:3], got, strict=True):  # what the next layer really gets
        np.testing.assert_allclose(stage.seen_KRR.reshape(5, -1), theirs.double().T, atol=1e-6)
    assert "one, two" in shown.notes[0]


def test_pictures_and_sequences() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(60, 3, 8, 8), torch.arange(60) % 3
    net, data = Images().eval(), load(TensorDataset(x, y))
    shown = insides(net, data, resolution=4, item_shape=(3, 8, 8))
    first, last = shown.stages
    assert first.what == "Conv2d, BatchNorm2d, ReLU"
    assert last.weight_KJ is None
    at = np.stack(np.meshgrid(shown.x_R, shown.y_R), -1).reshape(-1, 2)
    with torch.no_grad():
        theirs = net.relu(net.norm(net.first(shown.sight.rows(at).reshape(-1, 3, 8, 8)))).mean((2, 3))
    np.testing.assert_allclose(first.seen_KRR.reshape(6, -1), theirs.double().T, atol=1e-6)
    np.testing.assert_array_equal(first.tile_K, net.first.weight.detach().double())
    assert shown.mean_item is not None
    np.testing.assert_allclose(shown.mean_item, data.train.x.mean(0).reshape(3, 8, 8), atol=1e-6)
    kernels = first_weights(net, data, item_shape=(3, 8, 8))
    norm = net.first.weight.detach().flatten(1).norm(dim=1)
    assert kernels.units_U.tolist() == norm.argsort(descending=True).tolist()

    words = load(TensorDataset(torch.randn(60, 5, 3), y))
    read = insides(Words(), words, resolution=4, item_shape=(5, 3))
    assert [s.name for s in read.stages] == ["out"]
    assert "read (LSTM)" in read.notes[0]
    with pytest.raises(TreinoError, match="has no matrix of weights on the inputs"):
        first_weights(Words(), words, item_shape=(5, 3))


def test_one_input_deep_networks_and_outputs_that_overflow(iris: Data) -> None:
    one = load("iris", features=["petal_length"])
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 3))
    shown = insides(net, one, resolution=11)
    assert shown.stages[1].seen_KRR.shape == (4, 1, 11)
    assert shown.said_RRC.shape[0] == 1

    deep = nn.Sequential(*[m for _k in range(11) for m in (nn.Linear(4, 4), nn.ReLU())], nn.Linear(4, 3))
    shown = insides(deep, iris, resolution=5)
    assert (len(shown.stages), shown.left_out) == (9, 4)
    assert [s.weight_KJ is None for s in shown.stages] == [k in (0, 5) for k in range(9)]

    with torch.no_grad():
        for parameter in deep.parameters():
            parameter.mul_(1e20)
    shown = insides(deep, iris, resolution=5)
    assert not np.isfinite(shown.said_RRC).all()
