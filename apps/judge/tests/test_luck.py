"""The judgement of trials against other packages, formulas and simulations with a known truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from apps.judge.tests.tables import table_of
from treino.training.search.judge import p_beats
from treino_judge.conclusions import conclusions
from treino_judge.luck import POWER, Noise, expected_maximum, fresh_scores, judged, p_of_best, p_of_leader


def noise(trials: int, units: int, seed: int):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(trials, units)) + rng.normal(size=units)  # also what a unit does to all


# ---- against other packages and by hand


@pytest.mark.parametrize("units", [2, 5, 12])
def test_two_trials_with_the_same_seeds_are_compared_by_the_paired_t_test(units: int) -> None:
    score = noise(2, units, units)
    found = judged(table_of(score)).comparisons[0]
    assert found.p == pytest.approx(stats.ttest_rel(score[0], score[1]).pvalue)


def test_folds_are_compared_by_the_test_that_knows_their_training_rows_overlap() -> None:
    score = noise(2, 5, 1)
    found = judged(table_of(score, "fold"))
    lead = score[found.best] - score[found.second]
    assert found.comparisons[0].p == pytest.approx(2 * (1 - p_beats(lead.tolist(), 1 / 4)))


@pytest.mark.parametrize(("groups", "each"), [(3, 3), (6, 8), (20, 4)])
def test_the_best_is_compared_with_the_first_by_dunnetts_test(groups: int, each: int) -> None:
    score = np.random.default_rng(groups).normal(size=(groups, each))
    theirs = stats.dunnett(*score[1:], control=score[0], alternative="greater", random_state=0).pvalue.min()
    pooled = math.sqrt(np.square(score - score.mean(1, keepdims=True)).sum() / (groups * (each - 1)))
    lead = float((score[1:].mean(1) - score[0].mean()).max())
    ours = p_of_best(lead, pooled * math.sqrt(2 / each), groups * (each - 1), groups - 1)
    assert ours == pytest.approx(theirs, abs=2e-3)


def test_with_one_other_the_best_is_compared_by_the_one_sided_t_test() -> None:
    for freedom in (1, 4, 40, 4000):
        assert p_of_best(1.7, 1.0, freedom, 1) == pytest.approx(stats.t.sf(1.7, freedom), abs=1e-4)
        assert p_of_leader(1.7, 1.0, freedom) == pytest.approx(2 * stats.t.sf(1.7, freedom))


def test_the_mean_of_the_largest_of_normal_numbers() -> None:
    assert expected_maximum(1) == pytest.approx(0, abs=1e-9)
    assert expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi))
    drawn = np.random.default_rng(0).normal(size=(20_000, 100)).max(1)
    assert expected_maximum(100) == pytest.approx(drawn.mean(), abs=4 * drawn.std() / math.sqrt(20_000))


@pytest.mark.parametrize("lead", [0.2, 0.7, 3.0])
def test_how_many_fresh_seeds_find_a_difference(lead: float) -> None:
    theirs = TTestPower().solve_power(lead / math.sqrt(2), alpha=0.05, power=POWER, alternative="larger")
    assert fresh_scores(lead, Noise("seed", 1.0, 40)) == max(2, math.ceil(theirs))


# ---- against simulations


@pytest.mark.parametrize("units", [2, *(pytest.param(n, marks=pytest.mark.release) for n in (3, 5, 10))])
def test_the_luck_of_equal_trials_is_what_the_best_has_above_the_truth(units: int) -> None:
    found, true = [], []
    for seed in range(30):
        score = noise(30, units, seed)
        common = np.random.default_rng(seed).normal(size=(30, units))  # the same draws, without the units'
        j = judged(table_of(score))
        found.append(j.luck.amount)
        true.append(common.mean(1).max())
    spread = math.hypot(np.std(found), np.std(true)) / math.sqrt(30)
    assert np.mean(found) == pytest.approx(np.mean(true), abs=3 * spread)


@pytest.mark.slow
def test_noise_is_no_winner_and_a_planted_one_is_found() -> None:
    leads = [judged(table_of(noise(20, 10, seed))) for seed in range(100)]
    assert sum(bool(j.comparisons[0].better) for j in leads) <= 2
    planted = []
    for seed in range(60):
        score = noise(20, 10, seed)
        score[7] += 2
        planted.append(judged(table_of(score)))
    assert sum(j.best == 7 and bool(j.comparisons[0].better) for j in planted) >= 48
    assert np.mean([j.luck.amount for j in planted]) < 0.2


# ---- what must not matter


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-100, 100))
def test_units_of_measurement_change_only_the_units(seed: int, scale: float, shift: float) -> None:
    score = noise(8, 4, seed)
    one, two = judged(table_of(score)), judged(table_of(scale * score + shift))
    assert one.luck.amount is not None
    assert two.luck.amount == pytest.approx(scale * one.luck.amount, rel=1e-6, abs=1e-9 * (1 + abs(shift)))
    assert two.best == one.best
    assert two.comparisons[0].p == pytest.approx(one.comparisons[0].p, rel=1e-5, abs=1e-7)
    assert two.rerun.each == one.rerun.each


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_a_loss_is_judged_as_its_negative_is(seed: int) -> None:
    score = noise(8, 4, seed)
    up, down = judged(table_of(score)), judged(table_of(-score, better=-1))
    assert (down.best, down.second, down.luck.amount) == (up.best, up.second, up.luck.amount)
    assert down.luck.expected == pytest.approx(-up.luck.expected)  # type: ignore[operator]
    assert down.luck.interval is not None
    assert down.luck.interval[0] <= down.luck.expected <= down.luck.interval[1]  # type: ignore[operator]
    assert [c.difference for c in down.comparisons] == [-c.difference for c in up.comparisons]


# ---- totals alone


def test_totals_with_repeats_of_settings_tell_the_noise() -> None:
    rng = np.random.default_rng(0)
    lr = [i // 3 for i in range(60)]
    score = (np.array(lr) / 10 + 0.05 * rng.normal(size=60))[:, None]
    j = judged(table_of(score, None, lr=lr))
    assert j.noise.basis == "repeats"
    assert j.noise.deviation == pytest.approx(0.05, rel=0.25)
    assert j.noise.freedom == 40
    assert j.luck.method == "normal"
    assert (len(j.trials), j.repeated) == (20, 40)
    assert j.luck.at_most == pytest.approx(j.noise.deviation * expected_maximum(20) / math.sqrt(3))
    assert j.trials[j.best].score == pytest.approx(score[:, 0].reshape(20, 3).mean(1).max())
    assert j.comparisons[0].p is not None


def test_repeats_that_are_bit_equal_tell_no_noise() -> None:
    lr = [i // 2 for i in range(40)]
    j = judged(table_of(np.array(lr, float)[:, None] ** 0.5, None, lr=lr))
    assert j.noise.basis in ("settings", "spread")
    assert (j.repeated, len(j.trials)) == (20, 20)
    assert j.trials[j.best].settings != j.trials[j.second].settings
    same = judged(table_of(np.ones((4, 1)), None, lr=[1, 1, 1, 1]))
    assert (same.repeated, len(same.trials)) == (0, 4)


def test_totals_with_settings_bound_the_noise_by_what_these_leave_unexplained() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(size=200)
    j = judged(table_of((4 * x + 0.1 * rng.normal(size=200))[:, None], None, x=x.tolist()))
    assert j.noise.basis == "settings"
    assert 0.05 < j.noise.deviation < 0.3
    assert not j.noise.measured
    assert j.comparisons[0].p is None
    assert j.ties is None
    assert j.rerun.each is None
    assert 0.1 < (j.luck.at_most or 0) < 0.9


def test_totals_alone_leave_everything_above_the_median_to_luck() -> None:
    score = np.arange(11.0)[:, None]
    j = judged(table_of(score, None))
    assert (j.luck.method, j.luck.at_most, j.luck.amount) == ("spread", 5.0, None)
    assert conclusions(table_of(score, None)).verdict == "unknown"


def test_trials_that_lack_folds_are_left_out_and_counted() -> None:
    score = noise(10, 5, 3)
    score[4, 2:] = np.nan
    score[4, :2] = 9
    found = conclusions(table_of(score, "fold"))
    assert found.judgement.left_out == 1
    assert found.judgement.trials[found.judgement.best].name != "4"
    assert any("fewer folds" in note for note in found.notes())


@pytest.mark.parametrize("better", [1, -1])
def test_a_better_trial_that_is_left_out_for_want_of_a_seed_is_named(better: int) -> None:
    score = noise(10, 4, 3)
    score[6] = better * 100
    score[6, 3] = np.nan
    found = conclusions(table_of(score, better=better))
    assert found.judgement.best_left_out is not None
    assert found.judgement.best_left_out.name == "6"
    notes = found.notes()
    assert "1 trial has fewer seeds than others, and is not judged." in notes
    assert any("trial 6, has score" in note and "better than the best" in note for note in notes)
    score[6] = -score[6]
    assert conclusions(table_of(score, better=better)).judgement.best_left_out is None


def test_equal_scores_are_said_to_be_equal_and_no_zero_has_a_sign() -> None:
    found = conclusions(table_of(np.full((5, 1), 0.5), None, better=-1))
    assert found.sentences()[0] == "All 5 trials have the same score, 0.5."
    assert math.copysign(1, found.judgement.comparisons[0].difference) == 1
    zero = judged(table_of(np.zeros((4, 3)), better=-1)).luck
    assert zero.expected is not None
    assert zero.interval is not None
    assert [math.copysign(1, value) for value in (zero.expected, *zero.interval)] == [1, 1, 1]
