"""Seconds for 64 futures of a step, 200 updates each, against the same futures trained one after the other.

The peer is the engine itself without side by side: each future a training of one network, put at the step and
trained on, also without a folder. Both run on the kernel of the run.
"""

import tempfile
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.result import Result, Table
from benchmarks.timing import Work, budget, interleaved, once, processor_ratio, ratio, wall
from treino import api
from treino.training.futures import FutureEnd, futures, usual_futures
from treino.training.replay import Snapshot

FUTURES, STEPS, SET_OUT = 64, 200, 150
BUDGET = 1.0  # seconds
CASES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("wine, 2 inputs", {"features": ["alcohol", "color_intensity"]}, "lr"),
    ("wine, 13 inputs", {}, "lr"),
    ("wine, 13 inputs", {}, "seed"),
)


def run(quick: bool) -> Result:
    rows, figures = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, settings, kind in CASES[:1] if quick else CASES:
            moment = api.fit("wine", parent=folder, lean=True, epochs=100, **settings).at(SET_OUT)
            changes = usual_futures(moment, kind, 8 if quick else FUTURES)
            works: dict[str, Work] = {
                "fan": once(_together(moment, changes)),
                "one by one": once(_one_by_one(moment, changes)),
            }
            found = interleaved(works, 1 if quick else 5)
            faster = ratio(found, "one by one", "fan")
            spent = median(s.processor for s in found["fan"])
            seconds = wall(found, "fan")
            inputs = moment.data.inputs
            figures |= {
                f"{kind}_{inputs}_seconds": round(seconds, 2),
                f"{kind}_{inputs}_faster": round(faster, 2),
            }
            rows.append(
                (
                    name,
                    kind,
                    f"{seconds:.2f}",
                    f"{spent:.2f}",
                    f"{wall(found, 'one by one'):.2f}",
                    f"{faster:.2f} ×",
                    f"{processor_ratio(found, 'one by one', 'fan'):.2f} ×",
                    *budget(min(seconds, spent), BUDGET, at_most=True),
                )
            )
    columns = (
        "data", "futures differ in", "seconds", "of processors", "one after the other", "faster",
        "in processor time", "budget, seconds", "kept",
    )  # fmt: skip
    return Result(
        (Table(f"{FUTURES} futures of a step, {STEPS} updates each", columns, tuple(rows)),),
        "The defaults of tables: 64-32, batch 32, Adam, on the kernel that the run has, so that a future has "
        "the bits of the run that goes on with it. Medians of interleaved rounds, after one that warms up, "
        "from the snapshot to each future's last weights, with its validation at every 20th step. The budget "
        "is held against the smaller of seconds and processor seconds.",
        ("Playing the run again up to the step: it takes as long as the steps since its nearest keyframe.",),
        figures=figures,
    )


def _together(moment: Snapshot, changes: list[dict[str, Any]]) -> Callable[[], float]:
    def work() -> float:
        ends = [event for event in futures(moment, changes, STEPS) if isinstance(event, FutureEnd)]
        assert len(ends) == len(changes)
        return 1.0

    return work


def _one_by_one(moment: Snapshot, changes: list[dict[str, Any]]) -> Callable[[], float]:
    def work() -> float:
        for change in changes:
            for _event in futures(moment, [change], STEPS):
                pass
        return 1.0

    return work
