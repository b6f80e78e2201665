"""Bootstrap 95 % intervals of test figures."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from treino.engine.losses import Loss
from treino.engine.metrics import METRICS, measure, metric_inputs, row_losses
from treino.inspection.wilson import wilson
from treino.resampling import LEVEL, auc_scores, f1_scores, percentile_interval, row_counts

Floats = NDArray[np.float64]

RESAMPLES = 1000
_ROUNDING = 1e-12  # of a figure: the difference of sums in another order


def intervals(
    output_NC: torch.Tensor, y: torch.Tensor, loss: Loss, scale: float = 1.0, seed: int = 0
) -> dict[str, tuple[float, float] | None]:
    """95 % intervals of these rows' metrics: Wilson's or the percentile bootstrap, by the metric's entry.

    output_NC, y, loss, scale: as in ``engine.metrics.measure``, for one network. The bootstrap (Efron 1979)
    draws the N rows again with replacement, 1000 times, seeded. Its percentiles are widened for few rows, for
    which plain ones are too narrow (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section
    5.2). Even so, on a dozen rows 86 % instead of 95 % of the intervals contain a skewed figure such as RMSE
    (simulated). None: no interval, because the metric is infinite, or equal in all resamples, as for a single
    row or if all rows are right.
    """
    rows = len(y)
    if rows == 0:
        return {}
    measured = {name: float(value[0]) for name, value in measure(output_NC[None], y, loss, scale).items()}
    with np.errstate(all="ignore"):  # outputs of a diverged network overflow; they have no interval
        draws = _draws(output_NC, y, loss, scale, list(measured), seed)
    tail = _tail(rows)
    bounds: dict[str, tuple[float, float] | None] = dict.fromkeys(measured)
    for name, value in measured.items():
        if not math.isfinite(value):
            continue
        kind = METRICS[name].interval
        if kind is None:
            continue
        if kind == "wilson":
            bounds[name] = wilson(round(value * rows), rows)
            continue
        finite = draws[name][np.isfinite(draws[name])]
        if len(finite) and np.ptp(finite) > _ROUNDING * np.abs(finite).max():
            bounds[name] = percentile_interval(finite, tail)
    return bounds


def _tail(rows: int) -> float:
    """The share of resamples on either side of the interval."""
    from scipy.special import ndtr, stdtrit

    if rows < 2:
        return 0.0
    return float(ndtr(math.sqrt(rows / (rows - 1)) * stdtrit(rows - 1, (1 - LEVEL) / 2)))


def _draws(
    output_NC: torch.Tensor, y: torch.Tensor, loss: Loss, scale: float, names: list[str], seed: int
) -> dict[str, Floats]:
    """Each metric on each of the resamples: ``{metric: [RESAMPLES]}``; NaN for a draw without the metric."""
    random = np.random.default_rng(seed)
    inputs = metric_inputs(output_NC[None], y, loss, scale)
    if "auc" in names:  # drawn numbers refer to rows in order of score, as in every stored interval
        order_N = torch.argsort(inputs.score_RN[0])
        output_NC, y = output_NC[order_N], y[order_N]
        inputs = metric_inputs(output_NC[None], y, loss, scale)
        area = auc_scores(inputs.score_RN, inputs.y)
    columns = list(row_losses(output_NC, y, loss))
    if y.is_floating_point():
        error_N = ((output_NC.double() - y)[:, 0] * scale).cpu().numpy()
        true_N = y[:, 0].double().cpu().numpy() * scale
        true_N = true_N - true_N.mean()  # r2 doesn't change, and the squares keep their digits
        columns += [error_N**2, np.abs(error_N), true_N, true_N**2]
    column_NK = np.stack(columns, axis=1)
    sums, aucs = [], []
    for count_BN in row_counts(len(y), RESAMPLES, lambda shape: random.integers(len(y), size=shape)):
        sums.append(count_BN @ column_NK)
        if "auc" in names:
            aucs.append(area(torch.from_numpy(count_BN))[:, 0].numpy())
    sum_BK = np.concatenate(sums)
    values = {"loss": sum_BK[:, 0] / sum_BK[:, 1]}
    if y.is_floating_point():
        squares, absolutes, first, second = sum_BK[:, 2:].T
        values["rmse"] = np.sqrt(squares / len(y))
        values["mae"] = absolutes / len(y)
        spread = second - first**2 / len(y)
        values["r2"] = np.where(spread > 1e-12 * second, 1 - squares / spread, np.nan)
    if "f1_macro" in names:
        # F1 needs the confusion table alone, so its cells are drawn instead of rows.
        cell_2K, rows_K = np.unique(np.stack([y, inputs.guess_RN[0]]), axis=1, return_counts=True)
        count_BK = random.multinomial(len(y), rows_K / rows_K.sum(), size=RESAMPLES).astype(np.float64)
        true_K, guess_K = torch.from_numpy(cell_2K)
        values["f1_macro"] = f1_scores(guess_K[None], true_K)(torch.from_numpy(count_BK))[:, 0].numpy()
    if aucs:
        values["auc"] = np.concatenate(aucs)
    others = [n for n in names if n not in values and METRICS[n].interval == "bootstrap"]
    return values | _resampled(output_NC, y, loss, scale, others, random)


def _resampled(
    output_NC: torch.Tensor, y: torch.Tensor, loss: Loss, scale: float, names: list[str],
    random: np.random.Generator,
) -> dict[str, Floats]:  # fmt: skip
    """Metrics without a faster method, measured on the rows of each resample."""
    values: dict[str, Floats] = {name: np.full(RESAMPLES, np.nan) for name in names}
    for draw in range(RESAMPLES) if names else ():
        drawn_N = torch.from_numpy(random.integers(len(y), size=len(y)))
        inputs = metric_inputs(output_NC[drawn_N][None], y[drawn_N], loss, scale)
        for name in names:
            of = METRICS[name].of
            assert of is not None
            values[name][draw] = float(of(inputs)[0])
    return values
