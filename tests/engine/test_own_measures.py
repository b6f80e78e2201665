"""A loss of the user's is measured by the call that trains it: as a loop by hand would print it."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import treino as tr

CLASSES = 3
Function = Callable[[Tensor, Tensor], Tensor]


def focal(output: Tensor, target: Tensor) -> Tensor:
    entropy = F.cross_entropy(output, target, reduction="none")
    return (1 - torch.exp(-entropy)) ** 2 * entropy


def dice(output: Tensor, target: Tensor) -> Tensor:
    p, truth = output.softmax(1), F.one_hot(target, CLASSES).movedim(-1, 1).to(output)
    return 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)


def cosine(output: Tensor, target: Tensor) -> Tensor:
    return 1 - F.cosine_similarity(output.flatten(1), target.flatten(1)).mean()


def correlation(output: Tensor, target: Tensor) -> Tensor:
    """Of each column or position over the rows: it couples them."""
    a, b = (t.flatten(1) - t.flatten(1).mean(0) for t in (output, target))
    return 1 - ((a * b).sum(0) / (a.norm(dim=0) * b.norm(dim=0) + 1e-3)).mean()


def smooth(output: Tensor, target: Tensor) -> Tensor:
    """Errors, and jumps between neighbouring outputs of a row."""
    return (output - target).square().mean() + output.flatten(1).diff(dim=1).abs().sum() / len(output)


def contrast(output: Tensor, target: Tensor) -> Tensor:
    """Each row's output against those of the batch."""
    return F.cross_entropy(output.flatten(1) @ target.flatten(1).T, torch.arange(len(output)))


LOSSES: dict[str, list[Any]] = {
    "classes": [
        focal,
        lambda output, target: focal(output, target).mean(),
        dice,
        nn.CrossEntropyLoss(label_smoothing=0.1),
        lambda output, target: F.cross_entropy(output, target, torch.tensor([1.0, 2.0, 5.0]).to(output)),
        lambda output, target: F.cross_entropy(output, target, reduction="sum"),
    ],
    "values": [
        cosine,
        correlation,
        smooth,
        contrast,
        nn.SmoothL1Loss(beta=0.5),
        lambda output, target: (output - target) ** 2,
        lambda output, target: (output - target).abs().sum(),
        lambda output, target: (output - target).square().flatten(1).sum(1).sqrt().mean(),
    ],
}


class Pointwise(nn.Module):
    """One output at each position for the targets with axes; one layer for the others."""

    def __init__(self, inputs: int, outputs: int, axes: tuple[int, ...], classes: bool) -> None:
        super().__init__()
        self.axes, self.classes = axes, classes
        self.layer = nn.Conv1d(inputs, outputs, 1) if axes else nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        if not self.axes:
            return self.layer(x)
        output = self.layer(x.flatten(2)).unflatten(2, self.axes)
        return output if self.classes else output[:, 0]


def by_hand(loss: Function, output: Tensor, target: Tensor, size: int, couples: bool) -> float:
    """The loss of all rows; of one that couples rows over whole batches, the rest in the last."""
    if not couples or len(output) < 2 * size:
        return float(loss(output, target).mean())
    ends = [*range(0, len(output) - size + 1, size)]
    parts = zip(ends, [*ends[1:], len(output)], strict=True)
    return sum(float(loss(output[a:b], target[a:b]).mean()) * (b - a) for a, b in parts) / len(output)


def couples(loss: Function, output: Tensor, target: Tensor) -> bool:
    """Whether the rows' own losses have another mean than the loss."""
    alone = [float(loss(o[None], t[None]).mean()) for o, t in zip(output, target, strict=True)]
    return not math.isclose(sum(alone) / len(alone), float(loss(output, target).mean()), rel_tol=1e-4)


@pytest.mark.proof
@settings(max_examples=20)
@given(
    kind=st.sampled_from(sorted(LOSSES)),
    number=st.integers(0, 7),
    axes=st.sampled_from([(), (4,), (2, 3)]),
    columns=st.integers(2, 4),
    many=st.integers(18, 80),
    size=st.sampled_from([5, 8, 64]),
    seed=st.integers(0, 99),
)
def test_any_loss_is_measured_as_a_loop_by_hand_measures_it(
    kind: str, number: int, axes: tuple[int, ...], columns: int, many: int, size: int, seed: int
) -> None:
    loss = LOSSES[kind][number % len(LOSSES[kind])]
    drawn = torch.Generator().manual_seed(seed)
    x = torch.randn(many, 3, *axes, generator=drawn)
    outputs = CLASSES if kind == "classes" else 1 if axes else columns
    y = torch.randint(CLASSES, (len(x), *axes), generator=drawn)
    y[:CLASSES] = torch.arange(CLASSES).reshape(-1, *(1 for _axis in axes))
    if kind == "values":
        y = torch.randn(len(x), *(axes or (columns,)), generator=drawn)
    torch.manual_seed(seed)
    net = Pointwise(3, outputs, axes, kind == "classes")
    data = tr.load((x, y), validation=0.5, test=0.0, data_seed=seed)
    rows = data.validation
    target = rows.y.reshape(len(rows), *y.shape[1:]).to(y.dtype if kind == "classes" else torch.float64)
    training: Any = tr.train(data, net, loss=loss, batch_size=size, epochs=2, lr=0.01)
    figures = 0
    for tick in training:
        for epoch in tick.epochs[-1:]:
            if epoch.evaluation is None:
                continue
            figures += 1
            with torch.no_grad():
                output = training.net(0, "last")(rows.x.reshape(len(rows), 3, *axes)).double()
            wanted = by_hand(loss, output, target, size, couples(loss, output[:8], target[:8]))
            assert float(epoch.evaluation["validation"]["loss"][0]) == pytest.approx(wanted, rel=1e-4)
    assert figures
