"""What outputs mean under a loss: each of torch's is right or refused, and own ones say what they take."""

import inspect
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import TweedieRegressor
from sklearn.metrics import mean_tweedie_deviance
from tests.conftest import refusal_of
from torch import Tensor, nn

import treino as tr
from treino.engine.losses import LOSSES, Loss

draw = torch.Generator().manual_seed(5)
X = torch.randn(60, 4, generator=draw)
PLANE = torch.randn(4, 3, generator=draw)
CLASSES = (X @ PLANE).argmax(1)
TWO = (X[:, 0] > 0).long()
NUMBERS = 0.7 * X[:, :1] + X[:, 1:2]
COUNTS = torch.poisson(NUMBERS.exp(), generator=draw)
OF_TORCH = [n for n, kind in vars(nn).items() if inspect.isclass(kind) and n.endswith("Loss")]
LIKE = {  # what a plain loop of torch writes for raw outputs
    "NLLLoss": lambda output, y: F.nll_loss(output.log_softmax(1), y),
    "CrossEntropyLoss": F.cross_entropy,
    "BCELoss": lambda output, y: F.binary_cross_entropy(output.sigmoid(), y[:, None].float()),
    "BCEWithLogitsLoss": lambda output, y: F.binary_cross_entropy_with_logits(output, y[:, None].float()),
    "MSELoss": F.mse_loss,
    "L1Loss": F.l1_loss,
    "HuberLoss": F.huber_loss,
    "SmoothL1Loss": F.smooth_l1_loss,
    "PoissonNLLLoss": F.poisson_nll_loss,
    "GaussianNLLLoss": lambda output, y: F.gaussian_nll_loss(output[:, :1], y, output[:, 1:].exp()),
}


def targets_of(name: str) -> tuple[Tensor, int]:
    """Targets, and the number of outputs."""
    kind = LOSSES[name]
    if kind.link == "exp":
        return COUNTS, 1
    if kind.joint:
        return NUMBERS, 2
    return (NUMBERS, 1) if kind.task == "regression" else (TWO, 1) if kind.outputs else (CLASSES, 3)


def trained(loss: Any, y: Tensor, outputs: int) -> Any:
    torch.manual_seed(6)
    training = tr.train((X, y), nn.Linear(4, outputs), loss=loss, optimizer="sgd", lr=0.05, batch_size="full",
                        shuffle="off", steps=8)  # fmt: skip
    list(training)
    return training


def looped(loss: Any, y: Tensor, outputs: int) -> nn.Module:
    torch.manual_seed(6)
    net = nn.Linear(4, outputs)
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    for _step in range(8):
        optimizer.zero_grad()
        loss(net(X), y).backward()
        optimizer.step()
    return net


def close(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)


MADE_OF = {"AdaptiveLogSoftmaxWithLoss": (4, 3, [2]), "LinearCrossEntropyLoss": (4, 3)}
FUNCTIONS = {  # of torch.nn.functional, by the class that means the same
    "NLLLoss": F.nll_loss,
    "CrossEntropyLoss": F.cross_entropy,
    "BCELoss": F.binary_cross_entropy,
    "SmoothL1Loss": F.smooth_l1_loss,
    "PoissonNLLLoss": F.poisson_nll_loss,
    "KLDivLoss": F.kl_div,
    "GaussianNLLLoss": F.gaussian_nll_loss,
    "TripletMarginLoss": F.triplet_margin_loss,
}
FORMS: dict[str, Any] = {
    "name": lambda name: name,
    "class": lambda name: getattr(nn, name),
    "object": lambda name: getattr(nn, name)(*MADE_OF.get(name, ())),
    "partial": lambda name: partial(getattr(nn, name), *MADE_OF.get(name, ())),
    "subclass": lambda name: type(f"Own{name}", (getattr(nn, name),), {}),
    "function": lambda name: FUNCTIONS.get(name, name),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OF_TORCH)
def test_each_loss_of_torch_is_right_or_refused(name: str, form: str) -> None:
    loss = FORMS[form](name)
    if name not in LIKE:
        assert refusal_of(tr.train, (X, CLASSES), nn.Linear(4, 3), loss=loss, steps=2).rule == "loss_of_torch"
        return
    y, outputs = targets_of(name)
    assert close(trained(loss, y, outputs).net(0), looped(LIKE[name], y, outputs))


def own_nll(log_p: Tensor, y: Tensor) -> Tensor:
    return -log_p.gather(1, y[:, None])[:, 0]


@pytest.mark.parametrize("loss", [own_nll, partial(own_nll), lambda o, y: -(o[:, 0] * y).mean()])
def test_a_loss_that_falls_without_end_is_refused(loss: Any) -> None:
    assert refusal_of(tr.train, (X, CLASSES), nn.Linear(4, 3), loss=loss, steps=2).rule == "own_loss_endless"


def test_a_loss_of_ones_own_declares_its_link() -> None:
    def nll(log_p: Tensor, y: Tensor) -> Tensor:
        return own_nll(log_p, y)

    def brier(p: Tensor, y: Tensor) -> Tensor:
        return (p - y).square().mean(1)

    nll.link = "log_softmax"  # type: ignore[attr-defined]
    assert close(trained(nll, CLASSES, 3).net(0), looped(LIKE["NLLLoss"], CLASSES, 3))
    brier.link = "sigmoid"  # type: ignore[attr-defined]
    wanted = looped(lambda output, y: (output.sigmoid() - y[:, None]).square().mean(), TWO, 1)
    assert close(trained(brier, TWO, 1).net(0), wanted)
    brier.link = "tan"  # type: ignore[attr-defined]
    assert refusal_of(tr.train, (X, TWO), nn.Linear(4, 1), loss=brier, steps=2).rule == "loss_link_unknown"


@pytest.mark.parametrize("name", [name for name, kind in LOSSES.items() if kind.power is not None])
def test_the_loss_of_a_distribution_is_that_of_scikit_learn(name: str, tmp_path: Path) -> None:
    """Its differences are those of half the deviance, and a linear network ends at scikit-learn's model."""
    y, loss = COUNTS + (name == "gamma"), Loss(name, of="regression")
    power: Any = loss.kind.power
    z_BK = torch.randn(2, 60, 1, generator=draw)
    ours = loss(z_BK[0], y) - loss(z_BK[1], y)
    theirs = [mean_tweedie_deviance(y[:, 0], z_B1[:, 0].exp(), power=power) / 2 for z_B1 in z_BK]
    assert float(ours) == pytest.approx(theirs[0] - theirs[1], rel=1e-4)
    frame = pd.DataFrame(X.numpy(), columns=list("abcd")).assign(y=1000 * y[:, 0].numpy())
    how = {"net": nn.Linear(4, 1), "optimizer": "adam", "lr": 0.02, "weight_decay": 0, "batch_size": "full"}
    run = tr.fit(frame, target="y", loss=name, validation=0, test=0, epochs=1500, parent=tmp_path, **how)
    model = TweedieRegressor(power=power, alpha=0, link="log", max_iter=1000, tol=1e-8)
    wanted = model.fit(frame[list("abcd")], frame["y"]).predict(frame[list("abcd")])
    np.testing.assert_allclose(run.predict(frame)["prediction"], wanted, rtol=0.02)


@pytest.mark.parametrize(("name", "least"), [("poisson", -1), ("gamma", 0), ("tweedie", -0.5)])
def test_a_target_that_a_distribution_never_has_is_refused(name: str, least: float, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(60), "y": [least, *range(1, 60)]}, dtype=float)
    refusal = refusal_of(tr.fit, frame, target="y", loss=name, parent=tmp_path, lean=True)
    assert (refusal.rule, f"{least:g}" in refusal.message) == ("loss_lowest", True)


def test_quantiles_and_deviations_are_those_of_new_rows(tmp_path: Path) -> None:
    """Of numbers whose spread grows by one column, through the frame that predicts."""
    x_N2 = torch.randn(3000, 2, generator=draw)
    spread_N = (0.6 * x_N2[:, 1]).exp()
    frame = pd.DataFrame(x_N2.numpy(), columns=["a", "b"])
    frame["y"] = (5 + 3 * x_N2[:, 0] + 4 * spread_N * torch.randn(3000, generator=draw)).numpy()
    known, new = frame[:2000], frame[2000:]
    how = {"target": "y", "hidden": [16], "epochs": 25, "lr": 0.01, "test": 0, "parent": tmp_path}
    answers = tr.fit(known, loss="quantile", quantiles=(0.1, 0.4, 0.9), **how).predict(new)
    low, middle, high = (answers[f"quantile_{level}"].to_numpy() for level in (0.1, 0.4, 0.9))
    assert ((low <= middle) & (middle <= high)).all()
    np.testing.assert_array_equal(answers["prediction"], middle)
    below = [float((new["y"] < one).mean()) for one in (low, middle, high)]
    np.testing.assert_allclose(below, [0.1, 0.4, 0.9], atol=0.05)
    normal = tr.fit(known, loss="gaussian", **how).predict(new)
    ratio_N = normal["deviation"].to_numpy() / (4 * spread_N[2000:].numpy())
    assert 0.9 < float(np.median(ratio_N)) < 1.1
    assert float(np.quantile(abs(np.log(ratio_N)), 0.9)) < 0.4


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"loss": "quantile", "target": ("y", "z")}, "loss_targets"),
        ({"loss": "gaussian", "log_target": True}, "log_loss"),
    ],
)
def test_what_a_loss_of_several_outputs_is_not_for_is_refused(
    settings: dict[str, Any], rule: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({name: np.arange(1.0, 61) ** k for k, name in enumerate("xyz", 1)})
    given = {"target": "y", "parent": tmp_path, "lean": True} | settings
    assert refusal_of(tr.fit, frame, **given).rule == rule
