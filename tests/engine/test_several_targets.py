"""Several targets in one network: the loss and its gradients are autograd's, the figures scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, r2_score, root_mean_squared_error
from tests.engine.test_losses import hand_written
from torch import nn
from torch.nn import functional as F

from treino.engine import Loss, mlp, train
from treino.engine.ensemble import Ensemble
from treino.engine.metrics import measure
from treino.engine.target_net import one_target

CLASSES = 3, 2
DRAW = torch.Generator().manual_seed(5)
X = torch.randn(24, 5, generator=DRAW, dtype=torch.float64)
Y = torch.stack([torch.randint(c, (24,), generator=DRAW) for c in CLASSES], 1)


def by_hand(output: torch.Tensor, y: torch.Tensor, smoothing: float, weight: torch.Tensor) -> torch.Tensor:
    """The mean over the targets of the rows' weighted mean."""
    means = [
        (weight * F.cross_entropy(z, c, label_smoothing=smoothing, reduction="none")).sum() / weight.sum()
        for z, c in zip(output.split(CLASSES, 1), y.T, strict=True)
    ]
    return torch.stack(means).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_classes_of_several_targets_have_autograds_gradient(smoothing: float) -> None:
    net, loss = mlp(6).module(5, 5).double(), Loss("cross_entropy", smoothing, classes=CLASSES)
    wanted = by_hand(net(X), Y, smoothing, torch.ones(24))
    wanted.backward()
    torch.testing.assert_close(loss(net(X), Y), wanted, rtol=1e-12, atol=0)
    for block in (1, 4):
        with torch.no_grad():
            got, slopes = hand_written(net, X, Y, loss, "relu", block)
        torch.testing.assert_close(got, wanted.detach().expand(block), rtol=1e-12, atol=0)
        for slope, p in zip(slopes, net.parameters(), strict=True):
            torch.testing.assert_close(slope, p.grad.expand(block, *p.shape), rtol=1e-10, atol=1e-14)


def test_weighted_rows_weigh_every_target() -> None:
    output, weight = torch.randn(24, 5, dtype=torch.float64), torch.arange(24.0).double()
    loss = Loss("cross_entropy", classes=CLASSES)
    torch.testing.assert_close(loss(output, Y, weight), by_hand(output, Y, 0.0, weight))
    each, mass = loss.rows(output, Y)
    torch.testing.assert_close((weight * each).sum() / (weight * mass).sum(), by_hand(output, Y, 0.0, weight))


def test_figures_are_the_mean_of_scikit_learns() -> None:
    output = torch.randn(24, 5, generator=DRAW, dtype=torch.float64)
    figures = measure(output[None], Y, Loss("cross_entropy", classes=CLASSES))
    guess = np.stack([z.argmax(1).numpy() for z in output.split(CLASSES, 1)], 1)
    columns = list(zip(Y.numpy().T, guess.T, strict=True))
    assert figures["accuracy"].item() == pytest.approx(np.mean([accuracy_score(*c) for c in columns]))
    f1 = np.mean([f1_score(*c, average="macro") for c in columns])
    assert figures["f1_macro"].item() == pytest.approx(f1)
    assert "auc" not in figures
    turned = measure(output[None].flip(-1), Y.flip(-1), Loss("cross_entropy", classes=CLASSES[::-1]))
    assert turned.keys() == figures.keys()  # whichever target has two classes

    true, said, scale = output[:, :2], output[:, 2:4], (3.0, 100.0)
    figures, own = measure(said[None], true, "mse", scale), [t.numpy() * scale for t in (true, said)]
    assert figures.keys() == {"loss", "r2"}  # rmse and mae have each target's own unit
    assert figures["r2"].item() == pytest.approx(r2_score(*own))
    raw = root_mean_squared_error(*own, multioutput="raw_values")
    parts = zip(Loss("mse").by_target(said[None], true), scale, strict=True)
    assert [measure(*part, "mse", unit)["rmse"].item() for part, unit in parts] == pytest.approx(raw)


def test_a_network_of_one_target_gives_that_targets_outputs() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(5, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x)

    x = X.float()
    together = Ensemble([mlp(4).module(5, 5), mlp(4).module(5, 5)], Loss("cross_entropy", classes=CLASSES))
    for net in (mlp(4).module(5, 5), Own(), together):
        parts = slice(0, 3), slice(3, 5)
        for number, part in enumerate(parts):
            torch.testing.assert_close(one_target(net, part, number)(x), net(x)[:, part])
    mean = torch.stack([member(x)[:, :3].softmax(1) for member in together.members]).mean(0)
    torch.testing.assert_close(together(x)[:, :3].softmax(1), mean)


def test_predicted_numbers_stay_within_each_targets_own_range() -> None:
    net = Ensemble([nn.Linear(5, 2), nn.Linear(5, 2)], "mse", ((-0.1, 5.0), (0.1, 6.0)))
    output = net(X.float() * 100)
    assert output[:, 0].abs().max() <= 0.1
    assert output[:, 1].min() >= 5
    assert output[:, 1].max() <= 6


def test_the_hand_written_kernel_trains_as_torch_does() -> None:
    loops = [
        train(
            (X[:, :4], torch.stack([X[:, 0] > 0, X[:, 1] > 0.3], 1).double()),
            mlp(4),
            engine=engine,
            dtype=torch.float64,
            epochs=3,
            batch_size=8,
            seeds=(1, 2),
        )
        for engine in ("module", "batched")
    ]
    for loop in loops:
        list(loop)
    torch.testing.assert_close(loops[0].state.population.params, loops[1].state.population.params)
