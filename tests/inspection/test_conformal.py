"""Conformal intervals and sets: the promised share by simulation, and brute force over all labels."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from treino.base.errors import TreinoError
from treino.inspection.conformal import (
    KEPT,
    Conformal,
    Coverage,
    FoldScores,
    RowScores,
    check_coverage,
    class_scores,
    class_sets,
    compared_with,
    conformal,
    exact_interval,
    held_out_quantiles,
    rows_needed,
    true_class_scores,
)

SURE = 5.0  # deviations: a sound figure is further off once in two million tests
COVERAGES = 0.3, 0.5, 0.8, 0.9, 0.95


def quantiles_of(score_N: np.ndarray, weight_N: np.ndarray | None = None) -> Conformal:
    known = conformal(score_N, weight_N)
    assert known is not None
    return known


# ---- the promised share


@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("rows", [20, 57, 200, 1000])
def test_new_rows_are_held_as_often_as_promised(rows: int, coverage: float) -> None:
    """The share of uniform scores below a quantile is the quantile itself, so each draw has its exact share.
    Over many draws: its mean by the formula of Vovk 2012, at least the coverage; its spread as told."""
    r, draws = np.random.default_rng(rows), 400
    share_R = np.array([quantiles_of(r.random(rows)).quantile(coverage) for _draw in range(draws)])
    rank = math.ceil(Fraction(str(coverage)) * (rows + 1))
    law = stats.beta(rank, rows + 1 - rank)
    assert coverage <= law.mean() < coverage + 1 / (rows + 1)
    assert abs(share_R.mean() - law.mean()) < SURE * law.std() / math.sqrt(draws)
    spread = quantiles_of(r.random(rows)).spread(coverage)
    near = (np.abs(share_R - coverage) <= spread).mean()
    assert near >= 0.95 - SURE * math.sqrt(0.95 * 0.05 / draws)
    assert spread < 3 * law.std()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("rows", [20, 100])
def test_intervals_hold_errors_of_any_kind(rows: int, apart: bool) -> None:
    """apart: as of an ensemble, whose members are apart where errors are large."""
    r, inside = np.random.default_rng(0), []
    for _trial in range(1000):
        wide = r.exponential(size=rows + 1) if apart else np.ones(rows + 1)
        error = np.abs(r.standard_t(3, size=rows + 1)) * wide
        rows_seen = RowScores(error[:-1], wide[:-1] if apart else None)
        known = held_out_quantiles(rows_seen)
        new = RowScores(error[-1:], wide[-1:] if apart else None)
        inside.append(new.scores(known.offset)[0] <= known.quantile(0.9))
    slack = SURE * math.sqrt(0.09 / len(inside))
    assert 0.9 - slack <= np.mean(inside) <= 0.9 + 1 / (rows + 1) + slack


# ---- the quantile


@given(scores=st.lists(st.floats(0, 1e6), min_size=1, max_size=200), coverage=st.sampled_from(COVERAGES))
def test_the_quantile_is_that_of_the_paper(scores: list[float], coverage: float) -> None:
    known = quantiles_of(np.array(scores))
    at_least = math.ceil(Fraction(str(coverage)) * (len(scores) + 1))
    quantile = known.quantile(coverage)
    if at_least > len(scores):
        assert quantile == math.inf
    else:
        assert quantile == sorted(scores)[at_least - 1]


@given(
    weighted=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=60),
    coverage=st.sampled_from(COVERAGES),
    unit=st.sampled_from([1, 0.001, 64]),
)
def test_a_weight_is_that_many_rows(weighted: list[tuple[int, int]], coverage: float, unit: float) -> None:
    """The least score up to which the repeated rows hold the share that so many different rows need."""
    score_N, weight_N = np.array(weighted, dtype=float).T
    quantile = quantiles_of(score_N, weight_N * unit).quantile(coverage)
    evidence = Fraction(int(weight_N.sum()) ** 2, int((weight_N**2).sum()))
    share = (evidence + 1) * Fraction(str(coverage)) / evidence
    repeated = np.repeat(score_N, weight_N.astype(int))
    enough = [s for s in np.unique(score_N) if Fraction(int((repeated <= s).sum()), len(repeated)) >= share]
    assert quantile == min(enough, default=math.inf)


@pytest.mark.parametrize("weighted", [False, True])
def test_of_many_rows_few_scores_are_kept_and_no_share_is_lost(weighted: bool) -> None:
    r = np.random.default_rng(2)
    score_N, weight_N = r.random(54_321), r.random(54_321) + 0.5
    known = quantiles_of(score_N, weight_N if weighted else None)
    assert len(known.score_K) <= KEPT
    for coverage in (0.001, 0.1234, 0.9, 0.9999, 0.99998):
        below = np.average(score_N <= known.quantile(coverage), weights=weight_N if weighted else None)
        assert coverage <= below <= coverage + 1 / KEPT + 1e-4


def test_scores_that_are_not_finite_count_as_infinite() -> None:
    known = quantiles_of(np.array([*range(80), *[math.nan] * 20], dtype=float))
    assert known.quantile(0.5) == 50
    assert known.quantile(0.9) == math.inf
    assert known.most == pytest.approx(0.8 * 100 / 101)
    assert conformal(np.empty(0)) is None


# ---- sets


def brute_force(share_NC: np.ndarray, class_N: np.ndarray, new_C: np.ndarray, coverage: Fraction) -> set[int]:
    """Every label is tried: it is ruled out if, with it, the row would be among the strangest ones."""

    def strangeness(share_C: np.ndarray, c: int) -> float:
        before = sorted((-share, i) for i, share in enumerate(share_C.tolist()))
        place = [i for _share, i in before].index(c)
        return sum(-share for share, _i in before[:place])

    seen = [strangeness(share_C, c) for share_C, c in zip(share_NC, class_N, strict=True)]
    fine = set()
    for c in range(len(new_C)):
        own = strangeness(new_C, c)
        as_strange = sum(s >= own - 1e-12 for s in seen) + 1
        if as_strange > (len(seen) + 1) * (1 - coverage):
            fine.add(c)
    return fine


@given(data=st.data(), classes=st.integers(2, 5), coverage=st.sampled_from([0.3, 0.5, 0.8, 0.9]))
def test_sets_are_what_brute_force_leaves(data: st.DataObject, classes: int, coverage: float) -> None:
    """Of few different probabilities, so that there are ties within rows and between them."""
    rows = data.draw(st.integers(1, 25))
    parts = st.lists(st.sampled_from([1, 2, 4]), min_size=classes, max_size=classes)
    share_NC = np.array([data.draw(parts) for _row in range(rows + 1)], dtype=float)
    share_NC = np.round(share_NC / share_NC.sum(1, keepdims=True), 3)
    class_N = np.array([data.draw(st.integers(0, classes - 1)) for _row in range(rows)])
    quantile = quantiles_of(true_class_scores(share_NC[:-1], class_N)).quantile(coverage)
    inside_C = class_sets(share_NC[-1:], quantile + 1e-12)[0]
    assert set(np.flatnonzero(inside_C)) == brute_force(
        share_NC[:-1], class_N, share_NC[-1], Fraction(str(coverage))
    )


def test_rows_without_an_answer_have_no_set() -> None:
    share_NC = np.array([[0.7, 0.3], [math.nan, 1.0]])
    assert class_sets(share_NC, math.inf).tolist() == [[True, True], [False, False]]
    assert np.isnan(class_scores(share_NC)[1]).all()
    worth = Coverage(0.9, 30, 0.1)
    held_N = true_class_scores(share_NC, np.array([0, 1])) <= math.inf
    assert compared_with(worth, held_N).share == 0.5


# ---- folds


def folds_of(score_M: np.ndarray, fold_M: np.ndarray, folds: int) -> FoldScores:
    return FoldScores(score_M, fold_M, np.arange(folds))


@given(
    data=st.data(),
    folds=st.integers(1, 4),
    coverage=st.sampled_from([Fraction(3, 10), Fraction(1, 2), Fraction(4, 5), Fraction(9, 10)]),
)
def test_intervals_of_folds_are_what_brute_force_leaves(
    data: st.DataObject, folds: int, coverage: Fraction
) -> None:
    """A number stays if it isn't among the strangest, below or above, of all rows by their own fold."""
    rows = data.draw(st.integers(1, 20))
    whole = st.integers(-5, 5)
    value_K = np.array([data.draw(whole) for _fold in range(folds)], dtype=float)
    score_M = np.array([abs(data.draw(whole)) for _row in range(rows)], dtype=float)
    fold_M = np.array([data.draw(st.integers(0, folds - 1)) for _row in range(rows)])
    ((low, high),) = folds_of(score_M, fold_M, folds).intervals(value_K[:, None], float(coverage))
    at_least = math.ceil(coverage * (rows + 1))
    above = sorted(value_K[k] + score for k, score in zip(fold_M, score_M, strict=True))
    below = sorted((value_K[k] - score for k, score in zip(fold_M, score_M, strict=True)), reverse=True)
    if at_least > rows:
        assert (low, high) == (-math.inf, math.inf)
    else:
        assert (low, high) == (below[at_least - 1], above[at_least - 1])


@given(seed=st.integers(0, 10**6), coverage=st.sampled_from([0.5, 0.8, 0.9]))
def test_sets_of_folds_are_what_brute_force_leaves(seed: int, coverage: float) -> None:
    r = np.random.default_rng(seed)
    folds, rows, classes = r.integers(1, 4), r.integers(1, 30), r.integers(2, 5)
    share_KNC = r.dirichlet(np.ones(classes), size=(folds, 3))
    score_M, fold_M = r.random(rows).round(1), r.integers(folds, size=rows)
    inside_NC = folds_of(score_M, fold_M, folds).sets(share_KNC, coverage)
    for n in range(3):
        for c in range(classes):
            own_K = [class_scores(share_NC)[n, c] for share_NC in share_KNC]
            stranger = sum(score < own_K[k] for score, k in zip(score_M, fold_M, strict=True))
            fine = stranger < Fraction(str(coverage)) * (rows + 1) or c == share_KNC[:, n].mean(0).argmax()
            assert inside_NC[n, c] == fine


# ---- what is said of a coverage


@given(rows=st.integers(1, 400), right=st.floats(0, 1))
def test_the_interval_of_a_share_is_scipys_exact_one(rows: int, right: float) -> None:
    k = round(right * rows)
    expected = stats.binomtest(k, rows).proportion_ci(method="exact")
    assert exact_interval(k / rows, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(rows=st.integers(1, 300), coverage=st.floats(0.001, 0.999))
def test_a_coverage_that_the_rows_cannot_give_is_refused_with_one_that_they_can(
    rows: int, coverage: float
) -> None:
    known = quantiles_of(np.arange(float(rows)))
    if math.isfinite(known.quantile(coverage)):
        check_coverage(known, coverage)
        assert rows >= rows_needed(coverage)
        return
    assert rows < rows_needed(coverage)
    assert math.isfinite(quantiles_of(np.arange(float(rows_needed(coverage)))).quantile(coverage))
    with pytest.raises(TreinoError, match=f"takes {rows_needed(coverage)}") as caught:
        check_coverage(known, coverage)
    assert caught.value.rule == "coverage_rows"
    check_coverage(known, float(caught.value.hint.split("coverage=")[1].split(" ")[0].strip("'")))
