"""Sweeps on shuffled labels: how many of them wrongly claim to have learnt something."""

import tempfile
import warnings
from pathlib import Path
from statistics import median
from typing import Any

import torch

import treino as tr
from benchmarks.result import Result, Table
from benchmarks.sweep import SPACE, swept
from benchmarks.timing import threads

# networks, epochs, sweeps
FULL, QUICK = (128, 30, 100), (12, 5, 2)


def run(quick: bool) -> Result:
    figures: dict[str, Any] = {}
    with threads(1), tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = _noise(quick, Path(folder), figures)
    return Result(
        (table,),
        method="Halving sweeps on iris whose labels were shuffled, each judged by its 16 fresh seeds and "
        "splits. A verdict other than 'nothing' is a claim.",
        left_out=(),
        sources=(),
        figures=figures,
    )


def _noise(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    members, epochs, count = QUICK if quick else FULL
    iris = tr.load("iris", validation=0.0, test=0.0)
    x = iris.train.x.numpy()
    claims, inflations = 0, []
    for seed in range(count):
        y = iris.train.y[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))].numpy()
        d = swept(
            place, (x, y), SPACE, members=members, fresh=3 if quick else 16, strategy="halving",
            settings={"epochs": epochs, "hidden": (16,), "seed": seed},
        )  # fmt: skip
        claims += d["judge"]["verdict"] != "nothing"
        inflations.append(d["judge"]["expected_inflation"])
    figures |= {
        "noise_claims": claims,
        "noise_sweeps": count,
        "noise_inflation": round(median(inflations), 3),
    }
    limit = count // 20
    row = (
        str(count),
        str(claims),
        f"{median(inflations):.2f}",
        str(limit),
        "yes" if claims <= limit else "NO",
    )
    return Table(
        "Sweeps on shuffled labels", ("sweeps", "claims", "luck that they expect", "budget", "kept"), (row,)
    )
