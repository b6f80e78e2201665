"""Conformal prediction: intervals and class sets that contain the true value as often as requested.

Scores of held-out rows say how far off the predictions are. Values that score at most a quantile of these
can't be ruled out, for any network, if new rows come from the same source (Vovk, Gammerman & Shafer 2005).

Numbers: the absolute error (Lei, G'Sell, Rinaldo, Tibshirani & Wasserman 2018,
https://arxiv.org/abs/1604.04173), for an ensemble divided by the spread of its members.

Classes: adaptive prediction sets (Romano, Sesia & Candès 2020, https://arxiv.org/abs/2006.02544): a class's
score is the sum of the probabilities of all more probable classes, so that the most probable one has 0 and no
set is empty. There is no random draw: equal rows have equal sets, and where the network is right more often
than requested, sets contain the truth as often as it is. A penalty for each further class (Angelopoulos,
Bates, Malik & Jordan 2021, https://arxiv.org/abs/2009.14193) changed the size of sets by less than 1 % on
eight tables of 2 to 100 classes, so there is none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treino.base.beta import beta_point
from treino.base.errors import Refusal
from treino.base.resampling import effective_rows, groups_of
from treino.base.words import _, setting
from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.ensemble import Ensemble
from treino.engine.metrics import probabilities
from treino.engine.training_setup import NO_VALIDATION_ROWS
from treino.inspection.outputs import outputs

COVERAGE_ROWS = Refusal(
    "A coverage of {coverage:.6g} takes {needed:,} rows held back from training; there are {n:,}.", "{hint}"
)

LEVEL = 0.9
KEPT = 1000  # scores kept of a run; a coverage between two is rounded up, by a thousandth at most
ROUNDING = 1e-9
TINY = 1e-6  # of a deviation: a target of 0, standardised in float32 and back
AT_ONCE = 1 << 22  # numbers that are sorted at once

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Conformal:
    """The scores of held-out rows. The interval for a coverage is their quantile.

    score_K: quantiles of the scores, the last one the largest; for few rows all scores, sorted. rows: the
    number of rows. share_K: the share of the rows' weight up to each score; empty if they are evenly spaced.
    effective: how many rows without weights, each of another group, would be as informative; None: as many.
    offset: for an ensemble's intervals, what is added to its members' deviation: the mean deviation. floor: 0
    if no target is below it.
    """

    score_K: tuple[float, ...]
    rows: int
    share_K: tuple[float, ...] = ()
    effective: float | None = None
    offset: float | None = None
    floor: float | None = None

    def to_json(self) -> dict[str, Any]:
        scores = [score if math.isfinite(score) else None for score in self.score_K]
        more = {"effective": self.effective, "floor": self.floor, "shares": list(self.share_K) or None}
        known = {"offset": self.offset, "rows": self.rows, "scores": scores}
        return known | {name: value for name, value in more.items() if value is not None}

    @property
    def evidence(self) -> float:
        """The number of rows by which a quantile is chosen."""
        return self.effective if self.share_K and self.effective is not None else self.rows

    @property
    def most(self) -> float:
        """The largest coverage that these scores can give."""
        share_K = self.share_K or [(k + 1) / len(self.score_K) for k in range(len(self.score_K))]
        shares = zip(share_K, self.score_K, strict=True)
        finite = max((share for share, score in shares if math.isfinite(score)), default=0.0)
        return finite * self.evidence / (self.evidence + 1)

    def quantile(self, coverage: float) -> float:
        """The largest score that is not ruled out; infinite if there are too few rows, or finite scores."""
        share = (self.evidence + 1) * coverage / self.evidence - ROUNDING
        if self.share_K:
            place = int(np.searchsorted(self.share_K, share))
        else:
            place = max(math.ceil(share * len(self.score_K)), 1) - 1
        return self.score_K[place] if place < len(self.score_K) else math.inf

    def spread(self, coverage: float) -> float:
        """How far the share of new rows that are covered may be from the coverage, in 95 % of draws of the
        held-out rows: it has a Beta distribution (Vovk 2012, https://arxiv.org/abs/1209.2673)."""
        rows = self.evidence if self.effective is None else self.effective
        rank = min(math.ceil((rows + 1) * coverage - ROUNDING), rows)
        low, high = _beta(rank, rows + 1 - rank)
        return max(coverage - low, high - coverage)


def conformal(
    score_N: Floats,
    weight_N: Floats | None = None,
    offset: float | None = None,
    group: torch.Tensor | None = None,
) -> Conformal | None:
    """The quantiles of these scores, in which a score that isn't finite counts as infinite. None: no rows.

    weight_N: rows' weights (Tibshirani, Barber, Candès & Ramdas 2019, https://arxiv.org/abs/1904.06222).
    group: of each row; those of one group are alike.
    """
    rows = len(score_N)
    if not rows:
        return None
    score_N = np.where(np.isfinite(score_N), score_N, np.inf)
    order_N, group_N = np.argsort(score_N, kind="stable"), groups_of(group)
    kept, effective = min(rows, KEPT), None
    if weight_N is not None or group_N is not None:
        low_N = score_N <= np.quantile(score_N, LEVEL, method="lower")
        effective = effective_rows(np.ones(rows) if weight_N is None else weight_N, group_N, low_N)
    if weight_N is None:
        place_K = -(-np.arange(1, kept + 1) * rows // kept) - 1
        return Conformal(tuple(score_N[order_N][place_K].tolist()), rows, (), effective, offset)
    below_N = np.cumsum(weight_N[order_N]) / weight_N.sum()
    evenly_K = np.searchsorted(below_N, np.arange(1, kept + 1) / kept - ROUNDING)
    place_K = np.arange(rows) if rows <= KEPT else np.unique(np.minimum(evenly_K, rows - 1))
    scores, shares = score_N[order_N][place_K].tolist(), below_N[place_K].tolist()
    return Conformal(tuple(scores), rows, tuple(shares), effective, offset)


def rows_needed(coverage: float) -> int:
    """The least number of held-out rows that can give this coverage."""
    return math.ceil(coverage / (1 - coverage) - ROUNDING)


def exact_interval(share: float, rows: float) -> tuple[float, float]:
    """The exact 95 % interval of a share that was measured on ``rows`` rows (Clopper & Pearson 1934)."""
    right = share * rows
    return _beta(right, rows - right + 1)[0], _beta(right + 1, rows - right)[1]


def _beta(a: float, b: float) -> tuple[float, float]:
    """The 2.5 % and 97.5 % points of a Beta distribution; 0 and 1 at its limits."""
    if a <= 0 or b <= 0:
        return (0.0, 0.0) if a <= 0 else (1.0, 1.0)
    return beta_point(0.025, a, b), beta_point(0.975, a, b)


# ---- scores of rows


def class_scores(share_NC: Floats) -> Floats:
    """``[N, C]``: how far each class is from being the network's prediction; NaN where outputs are NaN."""
    order_NC = np.argsort(-share_NC, axis=1, kind="stable")
    sorted_NC = np.take_along_axis(share_NC, order_NC, axis=1)
    more_NC = np.cumsum(np.insert(sorted_NC, 0, 0.0, axis=1), axis=1)[:, :-1]
    score_NC = np.empty_like(share_NC)
    np.put_along_axis(score_NC, order_NC, more_NC, axis=1)
    return np.where(np.isfinite(share_NC).all(axis=1, keepdims=True), score_NC, np.nan)


def class_sets(share_NC: Floats, quantile: float) -> NDArray[np.bool_]:
    """``[N, C]``: the classes that can't be ruled out; none in rows whose outputs are not finite. What other
    programs round otherwise in float32 changes no set: a score that is the quantile stays within it."""
    return class_scores(share_NC) <= quantile + 1e-6


def members_spread(
    net: nn.Module, x_ND: torch.Tensor, scale: float, item_shape: Sequence[int] | None = None
) -> Floats | None:
    """``[N]``: the standard deviation between an ensemble's members; None for a single network.

    scale: the size of one unit of the output in the target's own units.
    """
    if not isinstance(net, Ensemble) or len(net.members) < 2:
        return None
    each = [outputs(member, x_ND, item_shape=item_shape).double() for member in net.members]
    number_RN = net.link.values(torch.stack(each))[..., 0]
    spread_N: Floats = number_RN.std(0, correction=0).numpy() * scale
    return spread_N


def units(spread_N: Floats | None, offset: float | None, rows: int) -> Floats:
    """``[N]``: the width of an interval at score 1. spread_N: from ``members_spread``."""
    return np.ones(rows) if spread_N is None or offset is None else spread_N + offset


@dataclass(frozen=True, eq=False)
class RowScores:
    """The distances of the rows' true targets from the network's predictions.

    error_N: the absolute error, or the score of the true class. spread_N: between an ensemble's members.
    share_NC: the classes' probabilities. weight_N, group: of each row. floor: as in ``Conformal``.
    """

    error_N: Floats
    spread_N: Floats | None = None
    share_NC: Floats | None = None
    weight_N: Floats | None = None
    floor: float | None = None
    group: torch.Tensor | None = None

    def scores(self, offset: float | None) -> Floats:
        return self.error_N / units(self.spread_N, offset, len(self.error_N))

    def mean(self, value_N: NDArray[Any]) -> float:
        return float(np.average(value_N, weights=self.weight_N))

    def size(self, quantile: float) -> float | None:
        """The mean number of classes in a set; None for numbers."""
        if self.share_NC is None or not len(self.share_NC):
            return None
        return self.mean(class_sets(self.share_NC, quantile).sum(1))


def row_scores(net: nn.Module, rows: Rows, data: Data, item_shape: Sequence[int] | None = None) -> RowScores:
    """Measure how far this network's predictions are from these rows' true targets."""
    output_NC = outputs(net, rows.x, item_shape=item_shape)
    weight_N = None if rows.weight is None else rows.weight.double().numpy()
    if data.classes:
        share_NC = probabilities(output_NC).double().numpy()
        score_N = true_class_scores(share_NC, rows.y.numpy())
        return RowScores(score_N, None, share_NC, weight_N, group=rows.group)
    number_NC = data.preparation.linked(output_NC.double())
    error_N = ((number_NC[:, 0] - rows.y[:, 0].double()).abs() * data.target_scale).numpy()
    spread_N = members_spread(net, rows.x, data.target_scale, item_shape)
    least = min(float(split.y.min()) for split in (data.train, data.validation) if len(split))
    floor = floor_of(data.preparation.values(least), data.target_scale)
    return RowScores(error_N, spread_N, None, weight_N, floor, rows.group)


def floor_of(least: float, scale: float) -> float | None:
    """0 if no target is below it. least: the lowest one; scale: their deviation."""
    return 0.0 if least > -TINY * scale else None


def true_class_scores(share_NC: Floats, true_N: NDArray[np.int64]) -> Floats:
    scores_N: Floats = np.take_along_axis(class_scores(share_NC), true_N[:, None], axis=1)[:, 0]
    return scores_N


def held_out_quantiles(rows: RowScores) -> Conformal | None:
    """The quantiles of held-out rows' scores; None: there are no rows."""
    spread_N = rows.spread_N
    offset = None if spread_N is None or not len(spread_N) else float(spread_N.mean())
    if offset == 0 or (offset is not None and not math.isfinite(offset)):
        offset = None  # without usable deviations, all intervals are equally wide
    known = conformal(rows.scores(offset), rows.weight_N, offset, rows.group)
    return known and replace(known, floor=rows.floor)


def sorted_sets(inside_NC: NDArray[np.bool_], share_NC: Floats) -> list[list[int]]:
    """The numbers of the classes in each set, the most probable first."""
    order_NC = np.argsort(-share_NC, axis=1, kind="stable")
    pairs = zip(order_NC, inside_NC, strict=True)
    return [order_C[inside_C[order_C]].tolist() for order_C, inside_C in pairs]


# ---- folds


@dataclass(frozen=True, eq=False)
class FoldScores:
    """The scores of rows by the networks of the fold that left them out; no other rows need to be held back.

    All K networks predict a new row, and each is compared with the rows that it was not trained on: CV+
    (Barber, Candès, Ramdas & Tibshirani 2021, https://arxiv.org/abs/1905.02928). score_M, fold_M: each row's
    score, infinite without a finite output, and its fold. fold_K: each network's fold. floor: of numbers.
    group: ``[M]``, of each row.
    """

    score_M: Floats
    fold_M: NDArray[np.int64]
    fold_K: NDArray[np.int64]
    floor: float | None = None
    group: torch.Tensor | None = None

    def intervals(self, value_KN: Floats, coverage: float) -> Floats:
        """``[N, 2]``: the interval of each row. value_KN: the networks' predicted numbers."""
        score_M, place = self.score_M, math.ceil((len(self.score_M) + 1) * coverage - ROUNDING) - 1
        if place >= len(score_M):
            return np.tile([-np.inf, np.inf], (value_KN.shape[1], 1))
        value_FN, parts = self._by_fold(value_KN), max(1, value_KN.shape[1] * len(score_M) // AT_ONCE)
        ends = []
        for value_FB in np.array_split(value_FN, parts, axis=1):
            value_MB = value_FB[np.searchsorted(np.unique(self.fold_K), self.fold_M)]
            low_B, high_B = (
                np.partition(score_M[:, None] + sign * value_MB, place, axis=0)[place] for sign in (-1, 1)
            )
            ends.append(np.stack([-low_B, high_B], 1))
        return np.concatenate(ends)

    def sets(self, share_KNC: Floats, coverage: float) -> NDArray[np.bool_]:
        """``[N, C]``: the classes that can't be ruled out (Romano, Sesia & Candès 2020), and always the most
        probable one of the mean. share_KNC: the networks' probabilities."""
        less_NC = np.zeros(share_KNC.shape[1:])
        for fold, share_NC in zip(np.unique(self.fold_K), self._by_fold(share_KNC), strict=True):
            less_NC += np.searchsorted(np.sort(self.score_M[self.fold_M == fold]), class_scores(share_NC))
        inside_NC: NDArray[np.bool_] = less_NC < (len(self.score_M) + 1) * coverage - ROUNDING
        mean_NC = share_KNC.mean(0)
        inside_NC[np.arange(len(mean_NC)), mean_NC.argmax(1)] = True
        inside_NC &= np.isfinite(mean_NC).all(1, keepdims=True)
        return inside_NC

    def _by_fold(self, each_KN: Floats) -> Floats:
        """Average the networks of each fold, of which there are several if there are several seeds."""
        return np.stack([each_KN[self.fold_K == fold].mean(0) for fold in np.unique(self.fold_K)])


# ---- how far a coverage can be trusted


@dataclass(frozen=True)
class Coverage:
    """A coverage, and how far it can be trusted.

    level: the share of new rows whose truth should lie in their interval or set. rows: the number of
    validation rows, or of rows outside folds, that it was found on. spread: how far the share may be from the
    level with so few rows. size: mean number of classes in a set, out of ``classes``. compared: the number
    of other rows with known truths; share: the part whose truth is inside, with its exact 95 % interval.
    """

    level: float
    rows: int
    spread: float
    size: float | None = None
    classes: int = 0
    folds: bool = False
    compared: int = 0
    share: float | None = None
    interval: tuple[float, float] | None = None

    def to_json(self) -> dict[str, object]:
        plain = {name: value for name, value in vars(self).items() if name not in ("classes", "folds")}
        return {name: value for name, value in plain.items() if value is not None}

    def sentences(self, *, test: bool = False) -> list[str]:
        """Describe the coverage in words. test: the rows compared are the test rows."""
        behind = _("{rows:,} rows outside their fold") if self.folds else _("{rows:,} validation rows")
        facts: dict[str, object] = {"level": 100 * self.level, "spread": self.spread}
        facts |= {"rows": behind.format(rows=self.rows)}
        said = _("Predictions carry {level:.6g} % intervals (± {spread:.0%}, of {rows}).")
        if self.size is not None:
            facts |= {"size": self.size, "classes": self.classes}
            said = _(
                "Sets of classes at {level:.6g} % (± {spread:.0%}, of {rows}) hold {size:.2f} of {classes} "
                "classes on average."
            )
        if self.share is None or self.interval is None:
            return [said.format(**facts)]
        held = (
            _("On the {n:,} test rows they hold {share:.1%} of the truths ({low:.0%} to {high:.0%}).")
            if test
            else _(
                "On the {n:,} rows of known target outside training and validation they hold {share:.1%} of "
                "the truths ({low:.0%} to {high:.0%})."
            )
        )
        low, high = self.interval
        told = [said.format(**facts), held.format(n=self.compared, share=self.share, low=low, high=high)]
        if high < self.level:
            text = _(
                "That is fewer than {level:.6g} %: the network errs more on these rows than on those by "
                "which they were made, as it may on later rows or on other groups. For rows like these they "
                "are too small."
            )
            told.append(text.format(**facts))
        return told


def compared_with(
    plain: Coverage,
    held_N: NDArray[np.bool_],
    weight_N: Floats | None = None,
    group: torch.Tensor | None = None,
) -> Coverage:
    """Add how often the intervals contain the truth of other rows. held_N: whether they do, for each row."""
    if not len(held_N):
        return plain
    share, rows = float(np.average(held_N, weights=weight_N)), len(held_N)
    plain_N = np.ones(rows) if weight_N is None else weight_N
    interval = exact_interval(share, effective_rows(plain_N, groups_of(group), held_N))
    return replace(plain, compared=rows, share=share, interval=interval)


def check_coverage(known: Conformal | None, coverage: float) -> None:
    """Raise TreinoError if these rows can't give the coverage."""
    if known is None:
        raise NO_VALIDATION_ROWS(what=setting("coverage", coverage))
    if coverage <= known.most + ROUNDING:
        return
    hint = _("Train with more rows, or a larger share of them: [[validation=0.3]].")
    most = math.floor(known.most * 100 + ROUNDING) / 100
    if most > 0:
        hint = _("Ask [[coverage={most}]] at most, or train with more rows.").format(most=str(most))
    raise COVERAGE_ROWS(
        coverage=coverage, needed=rows_needed(coverage), n=math.floor(known.evidence + ROUNDING), hint=hint
    )
