"""The registry of metrics: computed for R networks on the same rows, in float64, equal to scikit-learn's."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.registry import Registry
from treino.base.resampling import auc, f1_macro
from treino.base.words import N_, _
from treino.data.preparation.preparation import Preparation, Scale
from treino.engine.losses import Loss
from treino.engine.rng import fork_rng

METRIC_UNITS = Refusal(
    "There is no {metric} of several targets together, because each has a unit of its own.",
    "Use one of {names}; the {metric} of each target is shown in any case.",
)

TOGETHER = 20_000  # from this many rows on torch may sum one network's rows in parallel parts


@dataclass(frozen=True, eq=False)
class MetricInputs:
    """The inputs to metrics: the outputs of R networks for N rows, and the targets.

    output_RNC: logits, or standardised values ``[R, N, K]``, float64. y: ``[N]`` class numbers, or ``[N, K]``
    values, float64, or each network's own. scale: the regression target's standard deviation, or each
    network's. weight_RN: each row's weight for each network, float64; None: all rows count alike. answer_RN:
    the classes that they predict if a threshold decides; None: the most probable ones. axes: those of each
    row's target, whose positions N counts all; (): it has none, or each position is a row.
    """

    output_RNC: Tensor
    y: Tensor
    scale: float | Tensor = 1.0
    weight_RN: Tensor | None = None
    answer_RN: Tensor | None = None
    axes: tuple[int, ...] = ()

    @cached_property
    def score_RN(self) -> Tensor:
        """Each network's logit of the last class minus that of the first (or its only logit)."""
        output_RNC = self.output_RNC
        return output_RNC[..., 0] if output_RNC.shape[-1] == 1 else output_RNC[..., -1] - output_RNC[..., 0]

    @cached_property
    def guess_RN(self) -> Tensor:
        """The class that each network predicts."""
        if self.answer_RN is not None:
            return self.answer_RN
        one = self.output_RNC.shape[-1] == 1
        return (self.score_RN > 0).long() if one else self.output_RNC.argmax(-1)

    @cached_property
    def y_RN(self) -> Tensor:
        """Each network's class numbers or values; several targets are measured one by one."""
        y = self.y[..., 0] if self.y.is_floating_point() else self.y
        return y.expand(self.output_RNC.shape[:2])

    @cached_property
    def error_RN(self) -> Tensor:
        """The errors of numbers."""
        return self.output_RNC[..., 0] - self.y_RN

    def in_units(self, scale: Scale | Tensor, loss: Loss) -> "MetricInputs":
        """The numbers that outputs stand for under this loss, in the target's own unit."""
        output_RNC = loss.link.values(self.output_RNC)
        if not isinstance(scale, Preparation):
            return replace(self, output_RNC=output_RNC, scale=scale)
        return replace(self, output_RNC=scale.values(output_RNC), y=scale.values(self.y))

    def mean_R(self, value_RN: Tensor) -> Tensor:
        """The weighted mean of each network's values over the rows."""
        if self.weight_RN is None:
            return sums(value_RN) / value_RN.shape[-1]
        return sums(value_RN * self.weight_RN) / sums(self.weight_RN)


def sums(value_RN: Tensor) -> Tensor:
    """``[R]``: each network's sum over the rows; its bits don't depend on the number of networks."""
    if value_RN.shape[-1] < TOGETHER:
        return value_RN.sum(-1)
    return torch.stack([value_N.sum() for value_N in value_RN])


@dataclass(frozen=True)
class Metric:
    """An entry of the registry.

    task: the task it is for; None: both. better: +1 if larger is better, else -1. of(inputs): returns ``[R]``
    float64, NaN if undefined on these rows; None for the loss itself.
    about: its description. label: its name in tables and pictures (``N_``); default: the key with spaces.
    source: the metric of one network as an expression for exported scripts, in ``output``, ``y``, ``error``,
    ``spread`` and ``unit`` for regression, or ``{guess}``, ``{label}`` and ``{score}`` for classes. weighted:
    the same for rows with weights, in ``share``, the weights divided by their sum; "": scripts leave it out.
    function: a function that the expression calls and torch lacks; scripts copy it. always: scripts contain
    it whichever metric decides.
    in_unit: has the target's unit, so that there is none of several targets together.
    share: lies between 0 and 1. two_classes: for two classes only. may_lack: undefined on some sets of rows.
    charted: reports draw it with its interval beside the baselines. judged: a sweep's bracket keeps per-row
    scores for it, by which a sweep's judge decides; else the judge decides by accuracy or RMSE.
    by_axes: of targets with axes it gets these axes, not each position as a row.
    interval: ``wilson`` for the share of correct rows, ``bootstrap``, or None for no interval.
    """

    task: Literal["classification", "regression"] | None
    better: int
    of: Callable[[MetricInputs], Tensor] | None
    about: str
    source: str = ""
    function: Callable[..., Tensor] | None = None
    label: str = ""
    always: bool = False
    in_unit: bool = False
    share: bool = False
    two_classes: bool = False
    may_lack: bool = False
    charted: bool = False
    judged: bool = False
    by_axes: bool = False
    interval: Literal["wilson", "bootstrap"] | None = "bootstrap"
    weighted: str = ""


def metric_names(loss: Loss, outputs: int) -> tuple[str, ...]:
    """The names of the metrics that ``measure`` returns for this loss and number of outputs."""
    fits_two = outputs <= 2 and not loss.classes
    one = loss.task != "regression" or outputs == 1 or loss.link.joint
    further = [loss.metric] if loss.metric else []
    return tuple(
        name
        for name in (*METRICS, *further)
        if METRICS[name].task in (None, loss.task)
        and (fits_two or not METRICS[name].two_classes)
        and (one or not METRICS[name].in_unit)
    )


def further_metric(metric: str) -> str:
    """The metric, if it is measured only where it decides: one that is none of treino's; else ""."""
    return "" if metric in METRICS else metric


def of_all_targets(metric: str) -> bool:
    """Whether the metric's mean over several targets says something: not of a unit, nor of two classes."""
    return not METRICS[metric].in_unit and not METRICS[metric].two_classes


def measure(
    output_RNC: Tensor,
    y: Tensor,
    loss: Loss | str = "cross_entropy",
    scale: Scale | Sequence[Scale] | Tensor = 1.0,
    weight: Tensor | None = None,
    *,
    threshold: float | None = None,
) -> dict[str, Tensor]:
    """Return {metric: ``[R]`` float64 on the CPU}; empty without rows.

    output_RNC: the networks' outputs (logits, or standardised values), ``[R, N, C]``. y: ``[N]`` class
    numbers, or ``[N, K]`` values, or class numbers of several targets. loss: sets the task; the metric
    ``loss`` is in training units. scale: the standard deviation of a regression target, or of each, by which
    rmse and mae are multiplied; or its preparation, if its logarithm is learnt. weight: ``[N]``, or for each
    network its own ``[R, N]``: a row of weight 2 counts as two equal rows, one of weight 0 is ignored.
    threshold: the probability from which on the second of two classes is predicted; None: the most probable
    class is. y with R in front: each network has its own, and its own scale, ``[R]`` or ``[K, R]``.

    Classification: ``loss accuracy f1_macro``, and ``auc`` for two classes; f1_macro is the mean over the
    classes that occur in y or among the predictions, as in scikit-learn; auc is NaN if y has one class. All
    metrics are NaN if a row has no ``answered`` class: it is neither right nor wrong. Targets with axes: each
    position counts as a row, unless its class is -100.
    Regression: ``loss rmse mae r2``; as in scikit-learn, r2 of a constant y is 1 if it is predicted exactly,
    else 0; NaN for one row. Several targets: the mean over the targets; auc, and what has a target's unit
    (rmse, mae), isn't measured.
    """
    loss = Loss(loss) if isinstance(loss, str) else loss
    together: dict[str, Tensor] = {}
    if loss.whole and loss.measured and output_RNC.shape[1]:
        together["loss"] = _own_losses(output_RNC, y, loss, weight)
    if loss.axes:
        if loss.metric and METRICS[loss.metric].by_axes and output_RNC.shape[1]:
            together[loss.metric] = _by_axes(output_RNC, y, loss, scale, weight)
            loss = replace(loss, metric="")
        output_RNC, y, weight = loss.positions(output_RNC, y, weight)
        loss = loss.single
    parts = loss.by_target(output_RNC, y)
    several = isinstance(scale, Sequence) or (isinstance(scale, Tensor) and scale.dim() > 1)
    scales: Any = scale if several else [scale]
    scales = scales if len(scales) == len(parts) else [*scales] * len(parts)
    of_targets = [
        _measured(*part, loss.single, own, weight, threshold) for part, own in zip(parts, scales, strict=True)
    ]
    if len(of_targets) == 1:
        return together | of_targets[0]
    names = [
        name for name in of_targets[0] if all(name in own for own in of_targets) and of_all_targets(name)
    ]
    return together | {name: torch.stack([own[name] for own in of_targets]).mean(0) for name in names}


def _by_axes(output_RNC: Tensor, y: Tensor, loss: Loss, scale: Any, weight: Tensor | None) -> Tensor:
    """``[R]``: a metric of the user's, of truths and answers in the target's axes."""
    of, rows = METRICS[loss.metric].of, output_RNC.shape[1]
    assert of is not None
    outputs = output_RNC.detach().cpu().double().unflatten(-1, (-1, math.prod(loss.axes)))
    target = loss.target(y.detach().cpu().reshape(rows, *loss.axes), torch.float64).reshape(-1)
    target = target if loss.task == "classification" else target.unsqueeze(-1)
    weight_RN = None if weight is None else weight.detach().cpu().double().expand(len(outputs), rows)
    inputs = MetricInputs(outputs.movedim(-1, -2).flatten(-3, -2), target, 1.0, weight_RN, None, loss.axes)
    one = scale[0] if isinstance(scale, Sequence) else scale
    return of(inputs.in_units(one, loss))


def _own_losses(output_RNC: Tensor, y: Tensor, loss: Loss, weight: Tensor | None) -> Tensor:
    """``[R]``: each network's loss of the user's, by the call that trains it."""
    output_RNC, y, own = output_RNC.detach().cpu().double(), y.detach().cpu(), loss.kind.own
    of_row = len(loss.axes) if loss.axes else int(loss.task == "regression")
    each = y if y.dim() > 1 + of_row else [y] * len(output_RNC)  # each network may have its own
    losses = []
    for row, (output_NC, y_N) in enumerate(zip(output_RNC, each, strict=True)):
        output, target = loss.as_trained(output_NC.contiguous()), loss.target(y_N, torch.float64)
        with _same_chance(loss):
            if weight is None:
                losses.append(own.measure(output, target, loss.batch_size))
                continue
            each_N, _one_N = own.rows(output, target)
            weight_N = weight.detach().cpu().double().expand(output_RNC.shape[:2])[row]
            losses.append((each_N * weight_N)[weight_N > 0].sum() / weight_N.sum())
    return torch.stack(losses).double()


def _measured(
    output_RNC: Tensor, y: Tensor, loss: Loss, scale: Any, weight: Tensor | None, threshold: float | None
) -> dict[str, Tensor]:
    if not output_RNC.shape[1]:
        return {}
    inputs = metric_inputs(output_RNC, y, loss, weight, threshold)
    output_RNC = inputs.output_RNC
    metrics: dict[str, Tensor] = {}
    if loss.whole and loss.measured:
        metrics["loss"] = _own_losses(output_RNC, y, loss, weight)
    elif loss.kind.task is not None and loss.measured:  # a loss of the user's may be absent
        metrics["loss"] = _losses(inputs, loss)
    inputs = inputs.in_units(scale, loss)
    silent = loss.task == "classification" and not output_RNC.isfinite().all()
    answered_R = answered(output_RNC).all(1) if silent else None
    for name in metric_names(loss, output_RNC.shape[-1]):
        if (of := METRICS[name].of) is not None:
            value_R = of(inputs)
            metrics[name] = value_R if answered_R is None else torch.where(answered_R, value_R, torch.nan)
    return metrics


def _losses(a: MetricInputs, loss: Loss) -> Tensor:
    """``[R]``: each network's loss; its bits don't depend on the number of networks."""
    R, N, C = a.output_RNC.shape
    if N >= TOGETHER and a.weight_RN is None:
        pairs = zip(a.output_RNC, a.y_RN, strict=True)
        return torch.stack([loss(o_NC.contiguous(), loss.target(y_N, torch.float64)) for o_NC, y_N in pairs])
    target = loss.target(a.y_RN.reshape(-1), torch.float64)
    each_RN, of_RN = (part.view(R, N) for part in loss.rows(a.output_RNC.reshape(R * N, C), target))
    if a.weight_RN is not None:
        each_RN, of_RN = each_RN * a.weight_RN, of_RN * a.weight_RN
    return each_RN.sum(-1) / of_RN.sum(-1)


def _same_chance(loss: Loss) -> AbstractContextManager[None]:
    """The same random numbers for a loss of the user's at each measurement."""
    return nullcontext() if loss.kind.own is None else fork_rng(0)


def metric_inputs(
    output_RNC: Tensor,
    y: Tensor,
    loss: Loss,
    weight: Tensor | None = None,
    threshold: float | None = None,
) -> MetricInputs:
    """Convert the arguments of ``measure`` to the inputs of metrics."""
    y, shape = y.detach().cpu(), output_RNC.shape[:2]
    classes = y.long().reshape(shape if y.numel() > shape[1] else -1)
    target = loss.target(y, torch.float64) if loss.task == "regression" else classes
    answer_RN = None if threshold is None else answers_from(output_RNC.detach().cpu(), threshold)
    output_RNC = output_RNC.detach().cpu().double()
    if weight is None:
        return MetricInputs(output_RNC, target, 1.0, None, answer_RN)
    weight_RN = weight.detach().cpu().double().expand(shape)
    there_RN1 = (weight_RN > 0).unsqueeze(-1)  # leave out rows of weight 0, whose output may be NaN
    return MetricInputs(torch.where(there_RN1, output_RNC, 0.0), target, 1.0, weight_RN, answer_RN)


def probabilities(logits: Tensor) -> Tensor:
    """Probabilities ``[..., C]`` in the logits' precision: softmax, or ``[1 - p, p]`` for a single logit.

    Also with the fault ``softmax_before_cross_entropy``, softmax is applied once to the last layer's outputs.
    """
    if logits.shape[-1] == 1:
        return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=-1)
    return torch.softmax(logits, dim=-1)


def answered(logits: Tensor) -> Tensor:
    """``[...]``: whether logits ``[..., C]`` predict a class: whether their probabilities are numbers.

    They aren't if an output is NaN, which argmax takes for the largest, or ∞, or if all are −∞.
    """
    return ~logits[..., 0].isnan() if logits.shape[-1] == 1 else logits.amax(dim=-1).isfinite()


def answers_from(logits: Tensor, threshold: float | None) -> Tensor:
    """The class numbers ``[...]`` that logits ``[..., C]`` predict.

    That is the most probable class; with a threshold, the second of two classes where its probability is
    not below it (in float32, in which it was found).
    """
    if threshold is not None:
        return (probabilities(logits.float())[..., 1].double() >= threshold).long()
    return (logits[..., 0] > 0).long() if logits.shape[-1] == 1 else logits.argmax(dim=-1)


def _accuracy(a: MetricInputs) -> Tensor:
    return a.mean_R((a.guess_RN == a.y_RN).double())


def _f1(a: MetricInputs) -> Tensor:
    return f1_macro(a.guess_RN, a.y_RN, max(2, a.output_RNC.shape[-1]), a.weight_RN)


def _auc(a: MetricInputs) -> Tensor:
    if a.y.dim() == 1:
        return auc(a.score_RN, a.y, a.weight_RN)
    weights = [None] * len(a.y) if a.weight_RN is None else a.weight_RN.split(1)
    return torch.cat([auc(*each) for each in zip(a.score_RN.split(1), a.y, weights, strict=True)])


def _rmse(a: MetricInputs) -> Tensor:
    return a.mean_R(a.error_RN.square()).sqrt() * a.scale


def _mae(a: MetricInputs) -> Tensor:
    return a.mean_R(a.error_RN.abs()) * a.scale


def _r2(a: MetricInputs) -> Tensor:
    spread_RN, square_RN = (a.y_RN - a.mean_R(a.y_RN).unsqueeze(1)).square(), a.error_RN.square()
    of = sums if a.weight_RN is None else a.mean_R
    spread_R, square_R = of(spread_RN), of(square_RN)
    score_R = torch.where(spread_R > 0, 1 - square_R / spread_R, (square_R == 0).double())
    there_RN = torch.ones_like(a.y_RN) if a.weight_RN is None else a.weight_RN
    return torch.where((there_RN > 0).sum(-1) > 1, score_R, torch.nan)


METRICS: Registry[Metric] = Registry(
    {
        "loss": Metric(
            None, -1, None, "the loss, as it is trained", label=N_("loss"), always=True, judged=True
        ),
        "accuracy": Metric(
            "classification",
            1,
            _accuracy,
            "the share of rows that are right",
            "({guess} == {label}).sum().item() / len(y)",
            label=N_("accuracy"),
            always=True,
            share=True,
            interval="wilson",
            charted=True,
            judged=True,
            weighted="(share * ({guess} == {label})).sum().item()",
        ),
        "f1_macro": Metric(
            "classification",
            1,
            _f1,
            "the mean of the classes' F1",
            "f1_macro({guess}[None], {label}, len(CLASSES)).item()",
            f1_macro,
            share=True,
            charted=True,
            judged=True,
            weighted="f1_macro({guess}[None], {label}, len(CLASSES), share[None]).item()",
        ),
        "auc": Metric(
            "classification",
            1,
            _auc,
            "the area under the ROC curve, of two classes",
            "auc({score}[None], {label}).item()",
            auc,
            share=True,
            two_classes=True,
            may_lack=True,
            judged=True,
            weighted="auc({score}[None], {label}, share[None]).item()",
        ),
        "rmse": Metric(
            "regression",
            -1,
            _rmse,
            "the root of the mean squared error, in the target's unit",
            "(error.square().sum() / len(y)).sqrt().item() * unit",
            always=True,
            in_unit=True,
            charted=True,
            judged=True,
            weighted="(share * error.square()).sum().sqrt().item() * unit",
        ),
        "mae": Metric(
            "regression",
            -1,
            _mae,
            "the mean absolute error, in the target's unit",
            "error.abs().mean().item() * unit",
            always=True,
            in_unit=True,
            judged=True,
            weighted="(share * error.abs()).sum().item() * unit",
        ),
        "r2": Metric(
            "regression",
            1,
            _r2,
            "the share of the target's variance that is explained",
            "(1 - error.square().sum() / spread).item()",
            always=True,
            may_lack=True,
            charted=True,
            judged=True,
            weighted="(1 - (share * error.square()).sum() / spread).item()",
        ),
    },
    "treino.engine.own_metrics",
)


def row_losses(
    output_NC: Tensor, y: Tensor, loss: Loss, weight: Tensor | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each row's weighted loss, and its weight, ``[N]``; the loss is Σ losses / Σ weights. weight: ``[N]``,
    the rows' own."""
    output_NC = output_NC.double()
    with _same_chance(loss):
        parts = loss.rows(output_NC, loss.target(y, output_NC.dtype))
    loss_N, weight_N = (part if weight is None else part * weight.to(part) for part in parts)
    return loss_N.cpu().numpy(), weight_N.cpu().numpy()


def batch_deviation(
    output_NC: Tensor, y: Tensor, loss: Loss, batch: int | None, weight: Tensor | None = None
) -> float:
    """The standard deviation of the loss of a batch drawn from these rows with replacement.

    batch: its size; at most, and by default, the number of rows. The result is the rows' deviation over the
    square root of the size; with weights, this holds to first order. NaN for a single row.
    """
    if len(y) < 2:
        return math.nan
    value_N, weight_N = row_losses(output_NC.detach().cpu(), y.detach().cpu(), loss, weight)
    with np.errstate(all="ignore"):  # a diverging network's outputs may overflow
        mean = value_N.sum() / weight_N.sum()
        apart_N = (value_N - mean * weight_N) / weight_N.mean()
        return float(np.sqrt(np.mean(apart_N**2) / min(batch or len(y), len(y))))


def metric_name(metric: str) -> str:
    """Return a metric's name in words; metrics such as loss and accuracy have one in every language."""
    known = METRICS.get(metric)
    label = metric.partition("@")[0].replace("_", " ")
    return _(known.label) if known is not None and known.label else label


def is_charted(metric: str) -> bool:
    """Whether reports draw the metric with its interval."""
    return (known := METRICS.find(metric)) is not None and known.charted


def is_share(metric: str) -> bool:
    """Whether the metric lies between 0 and 1."""
    return (known := METRICS.find(metric)) is not None and known.share
