"""Bootstrap 95 % intervals of test figures."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from treino.engine.losses import Loss
from treino.engine.metrics import METRICS, measure, metric_inputs, row_losses
from treino.inspection.wilson import wilson

Floats = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 1000
_ROUNDING = 1e-12  # of a figure: what sums in another order differ by


def intervals(
    output_NC: torch.Tensor, y: torch.Tensor, loss: Loss, scale: float = 1.0, seed: int = 0
) -> dict[str, tuple[float, float] | None]:
    """95 % intervals of these rows' metrics, as their entries say: Wilson, or the percentile bootstrap.

    output_NC, y, loss, scale: as in ``engine.metrics.measure``, for one network. The bootstrap (Efron
    1979) draws the N rows again with replacement, 1000 times, seeded. Its percentiles are widened as
    Hesterberg (2015, "What Teachers Should Know About the Bootstrap", section 5.2) shows for few rows,
    where the plain ones are too narrow; even so, on a dozen rows a skewed figure such as RMSE is held by
    86 % of the intervals and not by 95 % (simulated). None: there is no interval, for the metric is not
    finite, or all resamples have the same one, as those of a single row, or of rows that are all right.
    """
    rows = len(y)
    if rows == 0:
        return {}
    measured = {name: float(value[0]) for name, value in measure(output_NC[None], y, loss, scale).items()}
    with np.errstate(all="ignore"):  # outputs of a diverged network overflow, and have no interval then
        draws = _draws(output_NC, y, loss, scale, list(measured), seed)
    low, high = _levels(rows)
    found: dict[str, tuple[float, float] | None] = dict.fromkeys(measured)
    for name, value in measured.items():
        if not math.isfinite(value):
            continue
        kind = METRICS[name].interval
        if kind is None:
            continue
        if kind == "wilson":
            found[name] = wilson(round(value * rows), rows)
            continue
        finite = draws[name][np.isfinite(draws[name])]
        if len(finite) and np.ptp(finite) > _ROUNDING * np.abs(finite).max():
            found[name] = (float(np.quantile(finite, low)), float(np.quantile(finite, high)))
    return found


def _levels(rows: int) -> tuple[float, float]:
    from scipy.special import ndtr, stdtrit

    if rows < 2:
        return 0.0, 1.0
    alpha = float(ndtr(math.sqrt(rows / (rows - 1)) * stdtrit(rows - 1, (1 - LEVEL) / 2)))
    return alpha, 1 - alpha


def _draws(
    output_NC: torch.Tensor, y: torch.Tensor, loss: Loss, scale: float, names: list[str], seed: int
) -> dict[str, Floats]:
    """Each metric on each of the resamples: ``{metric: [RESAMPLES]}``; NaN where a draw has no value."""
    random = np.random.default_rng(seed)
    ranked: Callable[[Floats], Floats] | None = None
    if "auc" in names:
        output_NC = output_NC.double()
        score_N = output_NC[:, 1] - output_NC[:, 0] if output_NC.shape[1] == 2 else output_NC[:, 0]
        order = torch.argsort(score_N)
        output_NC, y, score_N = output_NC[order], y[order], score_N[order]
        ranked = _auc_of(score_N.cpu().numpy(), y.cpu().numpy())
    columns = list(row_losses(output_NC, y, loss))
    if y.is_floating_point():
        error_N = ((output_NC.double() - y)[:, 0] * scale).cpu().numpy()
        true_N = y[:, 0].double().cpu().numpy() * scale
        true_N = true_N - true_N.mean()  # r2 does not move with it, and the squares keep their digits
        columns += [error_N**2, np.abs(error_N), true_N, true_N**2]
    column_NK = np.stack(columns, axis=1)
    sums, aucs = [], []
    for count_BN in _counts(len(y), random):
        sums.append(count_BN @ column_NK)
        if ranked is not None:
            aucs.append(ranked(count_BN))
    sum_BK = np.concatenate(sums)
    found = {"loss": sum_BK[:, 0] / sum_BK[:, 1]}
    if y.is_floating_point():
        squares, absolutes, first, second = sum_BK[:, 2:].T
        found["rmse"] = np.sqrt(squares / len(y))
        found["mae"] = absolutes / len(y)
        spread = second - first**2 / len(y)
        found["r2"] = np.where(spread > 1e-12 * second, 1 - squares / spread, np.nan)
    if "f1_macro" in names:
        said_N = (output_NC[:, 0] > 0).long() if output_NC.shape[1] == 1 else output_NC.argmax(dim=1)
        found["f1_macro"] = _f1_draws(y.cpu().numpy(), said_N.cpu().numpy(), random)
    if aucs:
        found["auc"] = np.concatenate(aucs)
    others = [n for n in names if n not in found and METRICS[n].interval == "bootstrap"]
    return found | _resampled(output_NC, y, loss, scale, others, random)


def _resampled(
    output_NC: torch.Tensor, y: torch.Tensor, loss: Loss, scale: float, names: list[str],
    random: np.random.Generator,
) -> dict[str, Floats]:  # fmt: skip
    """Metrics of which nothing quicker is known, measured on the rows of each resample."""
    found: dict[str, Floats] = {name: np.full(RESAMPLES, np.nan) for name in names}
    for draw in range(RESAMPLES) if names else ():
        drawn_N = torch.from_numpy(random.integers(len(y), size=len(y)))
        inputs = metric_inputs(output_NC[drawn_N][None], y[drawn_N], loss, scale)
        for name in names:
            of = METRICS[name].of
            assert of is not None
            found[name][draw] = float(of(inputs)[0])
    return found


def _counts(rows: int, random: np.random.Generator) -> Iterator[Floats]:
    """How often each row is drawn: blocks of ``[b, N]``, ``RESAMPLES`` lines in all, each of sum N."""
    block = max(1, min(RESAMPLES, 250_000 // rows))  # a block stays in the cache
    for first in range(0, RESAMPLES, block):
        lines = min(block, RESAMPLES - first)
        drawn = random.integers(rows, size=(lines, rows))
        drawn += np.arange(lines)[:, None] * rows
        count = np.bincount(drawn.ravel(), minlength=lines * rows)
        yield count.reshape(lines, rows).astype(np.float64)


def _f1_draws(true_N: NDArray, said_N: NDArray, random: np.random.Generator) -> Floats:
    """Macro F1 needs the confusion table alone, so its filled cells are drawn, not the rows."""
    cells, count = np.unique(np.stack([true_N, said_N]), axis=1, return_counts=True)
    count_BK = random.multinomial(len(true_N), count / count.sum(), size=RESAMPLES).astype(np.float64)
    classes = np.unique(cells)
    true_KC, said_KC = (cells[side][:, None] == classes for side in (0, 1))
    hit_BC = count_BK @ (true_KC & said_KC)
    seen_BC = count_BK @ (true_KC.astype(np.float64) + said_KC)
    f1_BC = np.divide(2 * hit_BC, seen_BC, out=np.zeros_like(hit_BC), where=seen_BC > 0)
    return np.asarray(f1_BC.sum(axis=1) / (seen_BC > 0).sum(axis=1))


def _auc_of(score_N: Floats, y: NDArray) -> Callable[[Floats], Floats]:
    """The area under the ROC curve as a function of how often each row counts: ``[b, N] -> [b]``.

    The rows must be sorted by score. The share of pairs, one of each class, in the right order; ties
    count half.
    """
    starts = np.flatnonzero(np.diff(score_N, prepend=-np.inf))
    positive_N = (y == 1).astype(np.float64)

    def auc(count_BN: Floats) -> Floats:
        up = count_BN * positive_N
        down = count_BN - up
        if len(starts) < len(score_N):
            up, down = np.add.reduceat(up, starts, axis=1), np.add.reduceat(down, starts, axis=1)
        below = np.cumsum(down, axis=1)
        pairs = up.sum(axis=1) * below[:, -1]
        below -= down / 2
        with np.errstate(invalid="ignore"):
            return np.asarray(np.einsum("bn,bn->b", up, below) / pairs)

    return auc
