"""The registry of metrics, of R networks on the same rows, in float64; they agree with scikit-learn's."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.engine.losses import Loss
from treino.resampling import auc, f1_macro
from treino.words import N_

TOGETHER = 20_000  # rows, from which on torch may sum one network's in parts, but not those of several


@dataclass(frozen=True, eq=False)
class MetricInputs:
    """What metrics are computed from: the outputs of R networks for N rows, and the rows' targets.

    output_RNC: logits, or standardised values ``[R, N, K]``, float64. y: ``[N]`` class numbers, or ``[N, K]``
    values, float64. scale: a target's standard deviation.
    """

    output_RNC: Tensor
    y: Tensor
    scale: float = 1.0

    @cached_property
    def score_RN(self) -> Tensor:
        """How far each network is for the last class, against the first."""
        output_RNC = self.output_RNC
        return output_RNC[..., 0] if output_RNC.shape[-1] == 1 else output_RNC[..., -1] - output_RNC[..., 0]

    @cached_property
    def guess_RN(self) -> Tensor:
        """The class that each network says."""
        one = self.output_RNC.shape[-1] == 1
        return (self.score_RN > 0).long() if one else self.output_RNC.argmax(-1)

    @property
    def error_RNK(self) -> list[Tensor]:
        """Network by network, so that no figure depends on how many are measured together."""
        return [output_NK - self.y for output_NK in self.output_RNC]


@dataclass(frozen=True)
class Metric:
    """An entry of the registry.

    task: what it is measured of; None: of everything. better: +1 where larger is better, else -1.
    of(inputs) -> ``[R]`` float64; None for the loss itself. NaN where these rows have no such figure.
    about: what it is. label: its name in tables and pictures, marked with ``N_``;
    default: the name with spaces.
    source: the same as an expression in exported scripts, of one network: of ``output``, ``y``, ``error``,
    ``spread`` and ``unit`` for numbers; for classes of ``{guess}``, ``{label}`` and ``{score}``.
    function: what the expression calls and torch doesn't have, which scripts copy. always: it is there
    whatever metric decides.
    share: it lies between 0 and 1. two_classes: of more there is none. may_lack: some rows have none.
    charted: reports draw it with its interval, beside the baselines. judged: ``tuning/top_members.py`` has
    scores of rows by which a sweep's judge decides as the metric does; else it decides by accuracy or RMSE.
    interval: ``wilson`` for a share of rows that are right, ``bootstrap``, or None where there is none.
    """

    task: Literal["classification", "regression"] | None
    better: int
    of: Callable[[MetricInputs], Tensor] | None
    about: str
    source: str = ""
    function: Callable[..., Tensor] | None = None
    label: str = ""
    always: bool = False
    share: bool = False
    two_classes: bool = False
    may_lack: bool = False
    charted: bool = False
    judged: bool = False
    interval: Literal["wilson", "bootstrap"] | None = "bootstrap"


def metric_names(loss: Loss, outputs: int) -> tuple[str, ...]:
    """What ``measure`` gives for this loss and number of outputs."""
    return tuple(
        name
        for name, metric in METRICS.items()
        if metric.task in (None, loss.task) and (outputs <= 2 or not metric.two_classes)
    )


def measure(
    output_RNC: Tensor, y: Tensor, loss: Loss | str = "cross_entropy", scale: float = 1.0
) -> dict[str, Tensor]:
    """-> {metric: ``[R]`` float64 on the CPU}; empty where there are no rows.

    output_RNC: the networks' outputs (logits, or standardised values), ``[R, N, C]``. y: ``[N]`` class
    numbers, or ``[N, K]`` values. loss: gives ``loss``, in training units, and the task.
    scale: a regression target's standard deviation: rmse and mae are multiplied with it.

    Classification: ``loss accuracy f1_macro``, and ``auc`` for two classes; f1_macro is the mean over the
    classes that occur in y or among the predictions, as in scikit-learn; auc is NaN where y has one class.
    All are NaN where an output is: such a row has no answer, which is neither right nor wrong.
    Regression: ``loss rmse mae r2``; r2 is 0 for a constant y that is not met exactly, 1 if it is, NaN for
    one row, as in scikit-learn.
    """
    loss = Loss(loss) if isinstance(loss, str) else loss
    if not len(y):
        return {}
    inputs = metric_inputs(output_RNC, y, loss, scale)
    output_RNC, target = inputs.output_RNC, inputs.y
    found = {"loss": _losses(output_RNC, target, loss)}
    answered_R = ~output_RNC.isnan().flatten(1).any(1)  # argmax takes NaN for the largest
    for name in metric_names(loss, output_RNC.shape[-1]):
        if (of := METRICS[name].of) is not None:
            value_R = of(inputs)
            silent = loss.task == "classification" and not answered_R.all()
            found[name] = torch.where(answered_R, value_R, torch.nan) if silent else value_R
    return found


def _losses(output_RNC: Tensor, y: Tensor, loss: Loss) -> Tensor:
    """``[R]``; a network's doesn't depend on how many are measured together."""
    target = loss.target(y, torch.float64)
    R, N, C = output_RNC.shape
    if N >= TOGETHER:
        return torch.stack([loss(output_NC.contiguous(), target) for output_NC in output_RNC])
    each, weight = loss.rows(output_RNC.reshape(R * N, C), target.repeat(R, *[1] * (target.dim() - 1)))
    return each.view(R, N).sum(-1) / weight.view(R, N).sum(-1)


def metric_inputs(output_RNC: Tensor, y: Tensor, loss: Loss, scale: float = 1.0) -> MetricInputs:
    """As ``measure`` takes them."""
    y = y.detach().cpu()
    target = loss.target(y, torch.float64) if loss.task == "regression" else y.long().reshape(-1)
    return MetricInputs(output_RNC.detach().cpu().double(), target, scale)


def _accuracy(a: MetricInputs) -> Tensor:
    return (a.guess_RN == a.y).sum(-1).double() / len(a.y)


def _f1(a: MetricInputs) -> Tensor:
    return f1_macro(a.guess_RN, a.y, max(2, a.output_RNC.shape[-1]))


def _auc(a: MetricInputs) -> Tensor:
    return auc(a.score_RN, a.y)


def _rmse(a: MetricInputs) -> Tensor:
    return torch.stack([(e.square().sum(0) / len(a.y)).sqrt().mean() * a.scale for e in a.error_RNK])


def _mae(a: MetricInputs) -> Tensor:
    return torch.stack([e.abs().mean() * a.scale for e in a.error_RNK])


def _r2(a: MetricInputs) -> Tensor:
    if len(a.y) < 2:
        return torch.full((len(a.output_RNC),), math.nan, dtype=torch.float64)
    spread_K = (a.y - a.y.mean(0)).square().sum(0)
    found = []
    for error_NK in a.error_RNK:
        square_K = error_NK.square().sum(0)
        r2_K = torch.where(spread_K > 0, 1 - square_K / spread_K, (square_K == 0).double())
        found.append(r2_K.mean())
    return torch.stack(found)


METRICS: dict[str, Metric] = {
    "loss": Metric(None, -1, None, "the loss, as it is trained", label=N_("loss"), always=True, judged=True),
    "accuracy": Metric(
        "classification", 1, _accuracy, "the share of rows that are right",
        "({guess} == {label}).sum().item() / len(y)", label=N_("accuracy"), always=True, share=True,
        interval="wilson", charted=True, judged=True,
    ),
    "f1_macro": Metric(
        "classification", 1, _f1, "the mean of the classes' F1",
        "f1_macro({guess}[None], {label}, len(CLASSES)).item()", f1_macro, share=True, charted=True,
        judged=True,
    ),
    "auc": Metric(
        "classification", 1, _auc, "the area under the ROC curve, of two classes",
        "auc({score}[None], {label}).item()", auc, share=True, two_classes=True, may_lack=True, judged=True,
    ),
    "rmse": Metric(
        "regression", -1, _rmse, "the root of the mean squared error, in the target's unit",
        "(error.square().sum() / len(y)).sqrt().item() * unit", always=True, charted=True, judged=True,
    ),
    "mae": Metric(
        "regression", -1, _mae, "the mean absolute error, in the target's unit",
        "error.abs().mean().item() * unit", always=True, judged=True,
    ),
    "r2": Metric(
        "regression", 1, _r2, "the share of the target's variance that is explained",
        "(1 - error.square().sum() / spread).item()", always=True, may_lack=True, charted=True, judged=True,
    ),
}  # fmt: skip


def row_losses(output_NC: Tensor, y: Tensor, loss: Loss) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each row's weighted loss and weight ``[N]``: the loss of all is the one's sum over the other's."""
    output_NC = output_NC.double()
    loss_N, weight_N = loss.rows(output_NC, loss.target(y, output_NC.dtype))
    return loss_N.cpu().numpy(), weight_N.cpu().numpy()


def batch_deviation(output_NC: Tensor, y: Tensor, loss: Loss, batch: int | None) -> float:
    """By how much the loss of a batch of these rows, drawn with replacement, deviates from that of all.

    batch: its rows; None, or more than there are: as many as there are. The rows' deviation over the root of
    that number; where the mean is a weighted one, to first order. NaN for a single row.
    """
    if len(y) < 2:
        return math.nan
    value_N, weight_N = row_losses(output_NC.detach().cpu(), y.detach().cpu(), loss)
    with np.errstate(all="ignore"):  # outputs of a network that diverges may overflow
        mean = value_N.sum() / weight_N.sum()
        apart_N = (value_N - mean * weight_N) / weight_N.mean()
        return float(np.sqrt(np.mean(apart_N**2) / min(batch or len(y), len(y))))
