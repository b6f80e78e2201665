"""What outputs mean under a loss: each of torch's is right or refused, and own ones say what they take."""

import inspect
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.conftest import refusal_of
from torch import Tensor, nn

import treino as tr
from treino.engine.losses import LOSSES

draw = torch.Generator().manual_seed(5)
X = torch.randn(60, 4, generator=draw)
PLANE = torch.randn(4, 3, generator=draw)
CLASSES = (X @ PLANE).argmax(1)
TWO = (X[:, 0] > 0).long()
NUMBERS = 0.7 * X[:, :1] + X[:, 1:2]
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
}


def targets_of(name: str) -> tuple[Tensor, int]:
    """Targets, and the number of outputs."""
    kind = LOSSES[name]
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
