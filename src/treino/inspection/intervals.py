"""The uncertainty of metrics: bootstrap and Wilson intervals, and paired tests."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.beta import beta_below, t_point
from treino.base.resampling import (
    LEVEL,
    auc_scores,
    effective_rows,
    f1_scores,
    groups_of,
    of_weighted,
    percentile_interval,
    row_counts,
    weights_or_ones,
)
from treino.data.preparation.preparation import Scale
from treino.engine.losses import Loss
from treino.engine.metrics import METRICS, measure, metric_inputs, row_losses

# ---- Wilson's interval of a proportion

Z = 1.959963984540054  # the normal distribution's 97.5 % point


def wilson(right: float, rows: float) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927; recommended by Brown, Cai & DasGupta 2001).

    Unlike proportion ± 1.96·deviation it stays within [0, 1], and has a width if none or all are right.
    """
    share, z2 = right / rows, Z * Z
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows)) / (1 + z2 / rows)
    # if none or all are right, one end is exactly 0 or 1, but rounding would leave 1e-17
    return (0.0 if right == 0 else max(0.0, centre - half), 1.0 if right == rows else min(1.0, centre + half))


def weighted_accuracy(
    right_N: NDArray[np.bool_], weight: torch.Tensor | None, group: torch.Tensor | None = None
) -> tuple[float, tuple[float, float]]:
    """The share of right rows, and its interval; of rows with weights, for the effective number of rows.
    group: of each row, those of one group are alike."""
    if weight is None and group is None:
        right = int(right_N.sum())
        return right / len(right_N), wilson(right, len(right_N))
    weight_N = weights_or_ones(weight, len(right_N))
    share, effective = (
        float(np.average(right_N, weights=weight_N)),
        effective_rows(weight_N, groups_of(group), right_N),
    )
    return share, wilson(share * effective, effective)


# ---- 95 % intervals of metrics

Floats = NDArray[np.float64]
Groups = NDArray[np.int64] | None

RESAMPLES = 1000
_ROUNDING = 1e-12  # relative difference of a metric if its sums are in another order


def intervals(
    output_NC: torch.Tensor,
    y: torch.Tensor,
    loss: Loss,
    scale: Scale | Sequence[Scale] = 1.0,
    seed: int = 0,
    weight: torch.Tensor | None = None,
    threshold: float | None = None,
    group: torch.Tensor | None = None,
) -> dict[str, tuple[float, float] | None]:
    """95 % intervals of these rows' metrics: Wilson's or the percentile bootstrap, as the metric's registry
    entry says.

    output_NC, y, loss, scale, weight, threshold: as in ``engine.metrics.measure``, for one network. The
    bootstrap (Efron 1979) resamples the N rows with replacement, 1000 times, seeded. Its percentiles are
    widened for few rows, for which plain percentiles are too narrow (Hesterberg 2015, "What Teachers Should
    Know About the Bootstrap", section 5.2). Even so, on a dozen rows only 86 % of the intervals contain a
    skewed metric such as RMSE (simulated). None: no interval, because the metric is infinite, or equal in all
    resamples, as for a single row or if all rows are right. For weighted rows, Wilson's interval uses
    ``effective_rows`` as their number. Of targets with axes whole rows are resampled, for positions of a row
    are alike; f1_macro and auc have no interval there. group: of each row; groups are resampled whole.
    """
    rows = len(y)
    if rows == 0:
        return {}
    figures = measure(output_NC[None], y, loss, scale, weight, threshold=threshold)
    measured = {name: float(value[0]) for name, value in figures.items()}
    several, group_N = len(loss.by_target(output_NC, y)) > 1, groups_of(group)
    with np.errstate(all="ignore"):  # outputs of a diverged network overflow; they have no interval
        sample, names = _Sample(output_NC, y, loss, scale, weight, group_N), list(measured)
        if loss.axes:
            draws = _draws_of_rows(sample, seed)
        elif several:
            draws = _draws_of_several(sample, names, seed)
        else:
            draws = _draws(sample, names, seed, threshold)
    tail = tail_of(rows if group_N is None else int(group_N.max()) + 1)
    bounds: dict[str, tuple[float, float] | None] = dict.fromkeys(measured)
    for name, value in measured.items():
        if not math.isfinite(value):
            continue
        kind = METRICS[name].interval
        if kind is None or (name not in draws and kind != "wilson"):
            continue
        if kind == "wilson" and not several and not loss.axes:
            if group_N is not None:
                right = metric_inputs(output_NC[None], y, loss, threshold=threshold).guess_RN[0] == y
                bounds[name] = weighted_accuracy(right.cpu().numpy(), weight, group)[1]
                continue
            effective = rows if weight is None else effective_rows(weight.double().cpu().numpy())
            bounds[name] = wilson(round(value * rows) if weight is None else value * effective, effective)
            continue
        finite = draws[name][np.isfinite(draws[name])]
        if len(finite) and np.ptp(finite) > _ROUNDING * np.abs(finite).max():
            bounds[name] = percentile_interval(finite, tail)
    return bounds


def _resamples(
    rows: int, random: np.random.Generator, group_N: Groups, resamples: int = RESAMPLES
) -> Iterator[Floats]:
    units = rows if group_N is None else int(group_N.max()) + 1
    return row_counts(units, resamples, lambda shape: random.integers(units, size=shape), group_N=group_N)


def tail_of(rows: int) -> float:
    """The share of resamples below the interval, and above it."""
    if rows < 2:
        return 0.0
    return math.erfc(math.sqrt(rows / (rows - 1) / 2) * t_point((1 + LEVEL) / 2, rows - 1)) / 2


class _Sample(NamedTuple):
    """The rows that are resampled; the fields are those of ``intervals``."""

    output_NC: torch.Tensor
    y: torch.Tensor
    loss: Loss
    scales: Scale | Sequence[Scale]
    weight: torch.Tensor | None
    group_N: Groups

    @property
    def scale(self) -> Scale:
        """That of the only target."""
        return self.scales[0] if isinstance(self.scales, Sequence) else self.scales


def _draws_of_several(sample: _Sample, names: list[str], seed: int) -> dict[str, Floats]:
    """``_draws`` of the mean over targets: each resample is the same rows for all of them."""
    output_NC, y, loss, scale, weight, group_N = sample
    parts, apart = loss.by_target(output_NC, y), ("accuracy", "f1_macro")
    scales = scale if isinstance(scale, Sequence) else [scale] * len(parts)
    others = [name for name in names if name not in apart and not (name == "loss" and loss.whole)]
    each = [
        _draws(_Sample(*part, loss.single, s, weight, group_N), others, seed)
        for part, s in zip(parts, scales, strict=True)
    ]
    values = {name: np.mean([own[name] for own in each], axis=0) for name in others}
    if loss.whole:
        of_rows_N2 = np.stack(row_losses(output_NC, y, loss, weight), 1)
        drawn = _resamples(len(y), np.random.default_rng(seed), group_N)
        sum_B2 = np.concatenate([count_BN @ of_rows_N2 for count_BN in drawn])
        values["loss"] = sum_B2[:, 0] / sum_B2[:, 1]
    if loss.task == "classification":
        of_classes = [metric_inputs(out_NC[None], own_y, loss.single) for out_NC, own_y in parts]
        scores = [f1_scores(own.guess_RN, own.y) for own in of_classes]
        right_N = torch.stack([own.guess_RN[0] == own.y for own in of_classes]).double().mean(0).numpy()
        random, accuracy, f1 = np.random.default_rng(seed), list[Floats](), list[Floats]()
        weight_N = weights_or_ones(weight, len(y))
        for count_BN in _resamples(len(y), random, group_N):
            count_BN = count_BN * weight_N
            accuracy.append(count_BN @ right_N / count_BN.sum(1))
            count = torch.from_numpy(count_BN)
            f1.append(np.mean([score(count)[:, 0].numpy() for score in scores], axis=0))
        values |= {"accuracy": np.concatenate(accuracy), "f1_macro": np.concatenate(f1)}
    return values


def _draws(sample: _Sample, names: list[str], seed: int, threshold: float | None = None) -> dict[str, Floats]:
    """``{metric: [RESAMPLES]}``: each metric on each resample; NaN if the metric is undefined there."""
    output_NC, y, loss, _scales, weight, group_N = sample
    random = np.random.default_rng(seed)
    inputs = metric_inputs(output_NC[None], y, loss, threshold=threshold)
    if "auc" in names:  # rows are drawn from the order of scores, to reproduce stored intervals
        order_N = torch.argsort(inputs.score_RN[0])
        output_NC, y = output_NC[order_N], y[order_N]
        weight = None if weight is None else weight[order_N]
        group_N = None if group_N is None else group_N[order_N.numpy()]
        inputs = metric_inputs(output_NC[None], y, loss, threshold=threshold)
        area = of_weighted(auc_scores(inputs.score_RN, inputs.y), weight)
    weight_N = weights_or_ones(weight, len(y))
    none = np.full(len(y), np.nan), np.ones(len(y))
    columns = list(row_losses(output_NC, y, loss, weight) if loss.measured else none)
    if y.is_floating_point():
        own = inputs.in_units(sample.scale, loss)
        error_N = (own.error_RN[0] * own.scale).numpy()
        true_N = (own.y[:, 0] * own.scale).numpy()
        true_N = true_N - true_N.mean()  # doesn't change r2, and the squares stay precise
        columns += [of_N * weight_N for of_N in (error_N**2, np.abs(error_N), true_N, true_N**2)]
        columns += [] if weight is None else [weight_N]
    column_NK = np.stack(columns, axis=1)
    sums, aucs = [], []
    for count_BN in _resamples(len(y), random, group_N):
        sums.append(count_BN @ column_NK)
        if "auc" in names:
            aucs.append(area(torch.from_numpy(count_BN))[:, 0].numpy())
    sum_BK = np.concatenate(sums)
    values = {"loss": sum_BK[:, 0] / sum_BK[:, 1]}
    if y.is_floating_point():
        values |= _of_errors(sum_BK[:, 2:6], len(y) if weight is None else sum_BK[:, 6])
    if "f1_macro" in names and (weight is not None or group_N is not None):
        scores = of_weighted(f1_scores(inputs.guess_RN, inputs.y), weight)
        counts = _resamples(len(y), random, group_N)
        values["f1_macro"] = np.concatenate([scores(torch.from_numpy(c))[:, 0].numpy() for c in counts])
    elif "f1_macro" in names:
        # F1 depends on the confusion matrix only, so cells are drawn instead of rows
        cell_2K, rows_K = np.unique(np.stack([y, inputs.guess_RN[0]]), axis=1, return_counts=True)
        count_BK = random.multinomial(len(y), rows_K / rows_K.sum(), size=RESAMPLES).astype(np.float64)
        true_K, guess_K = torch.from_numpy(cell_2K)
        values["f1_macro"] = f1_scores(guess_K[None], true_K)(torch.from_numpy(count_BK))[:, 0].numpy()
    if aucs:
        values["auc"] = np.concatenate(aucs)
    others = [n for n in names if n not in values and METRICS[n].interval == "bootstrap"]
    return values | _resampled(_Sample(output_NC, y, loss, sample.scale, weight, group_N), others, random)


def _draws_of_rows(sample: _Sample, seed: int) -> dict[str, Floats]:
    """``_draws`` for targets with axes: each resample is whole rows, with all their positions."""
    output_NC, y, loss, _scales, weight, group_N = sample
    random, rows = np.random.default_rng(seed), len(y)
    output_KC, y_K, _weight = loss.positions(output_NC, y)
    inputs = metric_inputs(output_KC[None], y_K, loss.single).in_units(sample.scale, loss)
    row_K, weight_N = loss.rows_of_positions(y).numpy(), weights_or_ones(weight, rows)

    def by_row(value_K: torch.Tensor) -> Floats:
        return np.bincount(row_K, value_K.double().numpy(), rows) * weight_N

    columns = [*row_losses(output_NC, y, loss, weight), by_row(torch.ones(len(row_K)))]
    if loss.task == "classification":
        columns.append(by_row(inputs.guess_RN[0] == inputs.y_RN[0]))
    else:
        error_K, true_K = inputs.error_RN[0] * inputs.scale, inputs.y_RN[0] * inputs.scale
        true_K = true_K - true_K.mean()
        columns += map(by_row, (error_K**2, error_K.abs(), true_K, true_K**2))
    column_NK = np.stack(columns, axis=1)
    drawn = _resamples(rows, random, group_N)
    sum_BK = np.concatenate([count_BN @ column_NK for count_BN in drawn])
    loss_B, mass_B, total_B = sum_BK[:, :3].T
    values = {"loss": loss_B / mass_B}
    if loss.task == "classification":
        return values | {"accuracy": sum_BK[:, 3] / total_B}
    return values | _of_errors(sum_BK[:, 3:], total_B)


def _of_errors(sum_B4: Floats, total: float | Floats) -> dict[str, Floats]:
    """The metrics of numbers, from the sums of squared and absolute errors, of targets and their squares."""
    squares, absolutes, first, second = sum_B4.T
    spread = second - first**2 / total
    r2 = np.where(spread > 1e-12 * second, 1 - squares / spread, np.nan)
    return {"rmse": np.sqrt(squares / total), "mae": absolutes / total, "r2": r2}


def _resampled(sample: _Sample, names: list[str], random: np.random.Generator) -> dict[str, Floats]:
    """Metrics without a faster method, measured on each resample's rows."""
    output_NC, y, loss, _scales, weight, group_N = sample
    values: dict[str, Floats] = {name: np.full(RESAMPLES, np.nan) for name in names}
    for draw in range(RESAMPLES) if names else ():
        drawn_N = torch.from_numpy(random.integers(len(y), size=len(y)))
        if group_N is not None:
            (count_N,) = next(_resamples(len(y), random, group_N, 1)).astype(np.int64)
            drawn_N = torch.arange(len(y)).repeat_interleave(torch.from_numpy(count_N))
        drawn_weight = None if weight is None else weight[drawn_N]
        inputs = metric_inputs(output_NC[drawn_N][None], y[drawn_N], loss, drawn_weight)
        inputs = inputs.in_units(sample.scale, loss)
        for name in names:
            of = METRICS[name].of
            assert of is not None
            values[name][draw] = float(of(inputs)[0])
    return values


# ---- paired statistical tests of two networks on the same rows

PAIRED_RESAMPLES = 4000
SURE = 0.05  # p-value below which a difference counts as significant


@dataclass(frozen=True)
class PairedTest:
    """The result of a paired test of two networks a and b.

    metric: ``accuracy`` (higher is better), ``rmse`` or ``loss``. a, b: the networks' metrics on the same
    ``rows`` rows. p: the p-value: the probability of a difference at least this large by chance. only_a,
    only_b: the rows that only one network gets right. interval: the 95 % interval of the difference b - a of
    an rmse or a loss.
    """

    metric: str
    a: float
    b: float
    rows: int
    p: float
    only_a: int = 0
    only_b: int = 0
    interval: tuple[float, float] | None = None


def paired_classes(
    right_a_N: NDArray[np.bool_],
    right_b_N: NDArray[np.bool_],
    weight_N: Floats | None = None,
    group_N: Groups = None,
) -> PairedTest:
    """McNemar's exact test: only rows that one network gets right count; by chance each gets half of them.
    For rows with weights or in groups, the paired bootstrap of the accuracies is used.

    McNemar 1947; recommended for two classifiers and one test set by Dietterich, "Approximate statistical
    tests for comparing supervised classification learning algorithms", Neural Computation 10 (1998).
    """
    only_a, only_b = int((right_a_N & ~right_b_N).sum()), int((right_b_N & ~right_a_N).sum())
    differ, fewer = only_a + only_b, min(only_a, only_b)
    p = min(1.0, 2 * beta_below(0.5, differ - fewer, fewer + 1)) if differ else 1.0  # binomial
    if weight_N is not None or group_N is not None:
        weight_N = np.ones(len(right_a_N)) if weight_N is None else weight_N
        right_N = (right_a_N * weight_N, right_b_N * weight_N)
        test = _bootstrapped("accuracy", right_N, weight_N, lambda mean: mean, 0, group_N)
        return replace(test, only_a=only_a, only_b=only_b, interval=None)
    a, b = float(right_a_N.mean()), float(right_b_N.mean())
    return PairedTest("accuracy", a, b, len(right_a_N), p, only_a, only_b)


def paired_errors(
    error_a_N: Floats,
    error_b_N: Floats,
    weight_N: Floats | None = None,
    group_N: Groups = None,
    seed: int = 0,
) -> PairedTest:
    """Test the difference of two rmse by the paired bootstrap, which draws the same rows for both networks.

    Efron & Tibshirani, "An introduction to the bootstrap" (1993), 16.4: p is twice the share of resamples
    in which the difference has the opposite sign.
    """
    weight_N = np.ones(len(error_a_N)) if weight_N is None else weight_N
    square_N = (error_a_N**2 * weight_N, error_b_N**2 * weight_N)
    return _bootstrapped("rmse", square_N, weight_N, np.sqrt, seed, group_N)


def paired_losses(
    loss_a_N: Floats, loss_b_N: Floats, weight_N: Floats, seed: int = 0, group_N: Groups = None
) -> PairedTest:
    """Test the difference of two losses by the paired bootstrap. loss_a_N, loss_b_N, weight_N: for each row,
    from ``engine.metrics.row_losses``."""
    return _bootstrapped("loss", (loss_a_N, loss_b_N), weight_N, lambda mean: mean, seed, group_N)


def _bootstrapped(
    metric: str,
    value_N: tuple[Floats, Floats],
    weight_N: Floats,
    of_mean: Callable[[Floats], Floats],
    seed: int,
    group_N: Groups,
) -> PairedTest:
    """The paired bootstrap of two metrics that are functions of a weighted mean over rows."""
    value_N2, rows = np.stack(value_N, axis=1), len(weight_N)
    a, b = (float(v) for v in of_mean(value_N2.sum(axis=0) / weight_N.sum()))
    if rows < 2 or (value_N[0] == value_N[1]).all():  # no randomness
        return PairedTest(metric, a, b, rows, 1.0)
    random = np.random.default_rng(seed)
    counts = _resamples(rows, random, group_N, PAIRED_RESAMPLES)
    sum_B3 = np.concatenate([count_BN @ np.column_stack([value_N2, weight_N]) for count_BN in counts])
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw of rows without weight
        metric_B2 = of_mean(sum_B3[:, :2] / sum_B3[:, 2:])
    difference_B = metric_B2[:, 1] - metric_B2[:, 0]
    difference_B = difference_B[np.isfinite(difference_B)]
    above = (1 + (difference_B >= 0).sum()) / (PAIRED_RESAMPLES + 1)
    below = (1 + (difference_B <= 0).sum()) / (PAIRED_RESAMPLES + 1)
    p = min(1.0, float(2 * min(above, below)))
    return PairedTest(metric, a, b, rows, p, interval=percentile_interval(difference_B))


def holm(p_K: Sequence[float]) -> list[float]:
    """p-values adjusted for K comparisons: without differences, the chance that any is below 5 % is 5 %.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
    (1979).
    """
    order = sorted(range(len(p_K)), key=lambda i: p_K[i])
    adjusted, largest = [0.0] * len(p_K), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_K) - rank) * p_K[i]))
        adjusted[i] = largest
    return adjusted
