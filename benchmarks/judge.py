"""Searches of known truth: how often the judge claims a winner of noise, and finds one that was planted."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.result import Result, Table
from benchmarks.timing import threads
from treino.inspection.variance_shares import variance_shares
from treino_judge.exported_tables import trials_in
from treino_judge.luck import judged
from treino_judge.table import Request, Trial, TrialTable, Unit, trial_table

Floats = NDArray[np.float64]

KINDS: Sequence[tuple[Unit, int, int]] = (("seed", 50, 10), ("seed", 50, 5), ("seed", 20, 3), ("fold", 50, 5))
PLANTED = 2.0  # the planted trial's lead, in deviations of one score
SETTINGS = 5


def run(quick: bool) -> Result:
    figures: dict[str, Any] = {}
    count = 4 if quick else 200
    with threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = (_synthetic(count, figures), _shuffled(count, figures), _settings(count // 4, figures))
    return Result(
        tables,
        method="A score is normal with deviation 1, and each seed or fold shifts all trials alike. "
        "Planted: one trial is better than all others by twice that deviation, and is found if it "
        "is the best and is called better than the second (or the first). Shuffled labels: "
        "RandomizedSearchCV of scikit-learn, decision trees on iris, 20 candidates, 5 folds.",
        left_out=("Searches in which the noise differs much between good trials.",),
        figures=figures,
    )


def _table(score_MU: Floats, unit: Unit) -> TrialTable:
    trials = tuple(
        Trial(str(i), "finished", float(own.mean()), {k: float(v) for k, v in enumerate(own)}, {}, None)
        for i, own in enumerate(score_MU)
    )
    return TrialTable("table", None, "score", 1, unit, score_MU.shape[1] if unit == "fold" else 0, trials, ())


def _synthetic(count: int, figures: dict[str, Any]) -> Table:
    rows = []
    for unit, trials, units in KINDS:
        noise, planted = {"second": 0, "first": 0}, {"second": 0, "first": 0}
        luck, true = [], []
        for seed in range(count):
            rng = np.random.default_rng([seed, trials, units])
            own_MU = rng.normal(size=(trials, units))
            score_MU = own_MU + rng.normal(size=units)
            j = judged(_table(score_MU, unit))
            for c in j.comparisons:
                noise[c.role] += bool(c.better)
            luck.append(j.luck.amount or 0.0)
            true.append(float(own_MU[j.best].mean()))
            score_MU[trials // 2] += PLANTED
            j = judged(_table(score_MU, unit))
            for c in j.comparisons:
                planted[c.role] += bool(c.better) and j.best == trials // 2
        share = {name: round(100 * of / count) for name, of in planted.items()}
        rows.append(
            (
                f"{trials} trials of {units} {unit}s",
                f"{noise['second']} of {count}",
                f"{noise['first']} of {count}",
                f"{share['second']} %",
                f"{share['first']} %",
                f"{np.mean(luck):.2f} ({np.mean(true):.2f})",
            )
        )
        name = f"judge_{unit}{units}"
        figures |= {
            f"{name}_noise_claims": noise["second"],
            f"{name}_found": share["second"],
            f"{name}_found_first": share["first"],
            f"{name}_noise_first": noise["first"],
        }
    figures |= {"judge_searches": count}
    heads = (
        "search", "noise: better than the second", "than the first", "planted: than the second",
        "than the first", "luck told (true) of noise",
    )  # fmt: skip
    return Table("Searches of normal scores", heads, tuple(rows))


def _shuffled(count: int, figures: dict[str, Any]) -> Table:
    from scipy.stats import loguniform, randint
    from sklearn.datasets import load_iris
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.tree import DecisionTreeClassifier

    x, y = load_iris(return_X_y=True)
    space = {
        "max_depth": randint(1, 12),
        "min_samples_leaf": randint(1, 20),
        "ccp_alpha": loguniform(1e-4, 0.1),
    }
    claims, firsts, luck, true = 0, 0, [], []
    for seed in range(count):
        shuffled = np.random.default_rng(seed).permutation(y)
        search = RandomizedSearchCV(
            DecisionTreeClassifier(random_state=0), space, n_iter=20, cv=5, random_state=seed, refit=False
        ).fit(x, shuffled)
        columns = {n: getattr(v, "tolist", lambda v=v: v)() for n, v in search.cv_results_.items()}
        lines = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        j = judged(trial_table(trials_in(lines, "search"), Request()))
        claims += bool(j.comparisons[0].better)
        firsts += any(c.better for c in j.comparisons if c.role == "first")
        luck.append(j.luck.amount or 0.0)
        true.append(j.trials[j.best].score - 1 / 3)
    figures |= {"judge_shuffled_claims": claims, "judge_shuffled_first": firsts}
    row = (str(count), str(claims), str(firsts), f"{np.mean(luck):.3f} ({np.mean(true):.3f})")
    heads = ("searches", "better than the second", "than the first", "luck told (best above 1/3)")
    return Table("Searches on shuffled labels", heads, (row,))


def _settings(count: int, figures: dict[str, Any]) -> Table:
    claims = found = 0
    for seed in range(count):
        rng = np.random.default_rng([seed, 7])
        x_KM = rng.uniform(size=(SETTINGS, 50))
        noise_M = rng.normal(size=50)
        settings = x_KM.tolist()
        of_noise = variance_shares(settings, noise_M, seed)
        of_one = variance_shares(settings, noise_M + np.sqrt(12) * x_KM[0], seed)
        assert of_noise is not None
        assert of_one is not None
        claims += int((of_noise.low_K > 0).sum())
        found += bool(of_one.low_K[0] > 0)
    figures |= {
        "judge_setting_claims": claims,
        "judge_settings": count * SETTINGS,
        "judge_setting_found": round(100 * found / count),
    }
    row = (str(count), f"{claims} of {count * SETTINGS}", f"{round(100 * found / count)} %")
    heads = ("searches of 50 trials", "settings of noise with a share", "found: half of the variance")
    return Table("Settings that matter", heads, (row,))
