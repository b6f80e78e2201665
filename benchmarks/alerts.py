"""What alerts cost: processor time of their looks, as a share of the run's."""

import tempfile
import time
from statistics import median
from typing import Any

import treino as tr
from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from treino.training.loop import JobStart

ALERTS = {
    "losses": (
        "validation loss rises for 9999 epochs: stop",
        "loss > 1e9: stop",
        "loss > 1e9 for 50 steps: stop",
    ),
    "gradient norm": ("gradient norm > 1e9: stop",),
}
STEPS = {"wine": 800, "digits": 4_000, "784-128-128-10, batch 100": 1_000}
QUICK = 60


def run(quick: bool) -> Result:
    images, what = digits(quick)
    sources: dict[str, tuple[Any, dict[str, Any]]] = {
        "wine": ("wine", {}),
        "digits": ("digits", {}),
        "784-128-128-10, batch 100": (images, {"hidden": (128, 128), "batch_size": 100}),
    }
    rows, figures = [], dict[str, float]()
    for name, (source, settings) in sources.items():
        steps = QUICK if quick else STEPS[name]
        for kind, alerts in ALERTS.items():
            if source is images:  # without validation rows
                alerts = tuple(text.removeprefix("validation ") for text in alerts)
            rounds = [looked(source, alerts, steps, settings) for _round in range(1 if quick else 5)]
            share = median(own / (spent - own) for own, spent, _looks in rounds)
            each = median(own / max(looks, 1) for own, _spent, looks in rounds)
            figures[f"{name}, {kind}"] = round(share, 4)
            rows.append((name, kind, f"{rounds[0][2]:,}", f"{1e6 * each:.0f} µs", f"{100 * share:.2f} %"))
    return Result(
        (
            Table(
                "Alerts while a run trains",
                ("training", "alerts on", "looks", "a look", "of it all"),
                tuple(rows),
            ),
        ),
        f"784 inputs: {what}. Processor time of the looks, as a share of the "
        "whole run's, its reading and measuring included; medians. Of losses there are three alerts.",
        ("What fires: it acts once.",),
        figures=figures,
    )


def looked(
    source: Any, alerts: tuple[str, ...], steps: int, settings: dict[str, Any]
) -> tuple[float, float, int]:
    """Seconds of looks and of the whole run, and how many looks there were."""
    own, looks, begin = 0.0, 0, time.process_time()

    def watch(event: Any) -> None:
        if not isinstance(event, JobStart):
            return
        see = event.job.look  # type: ignore[attr-defined]

        def timed(*seen: Any) -> bool:
            nonlocal own, looks
            before = time.thread_time()
            found = see(*seen)
            own, looks = own + time.thread_time() - before, looks + 1
            return bool(found)

        event.job.look = timed  # type: ignore[attr-defined]

    settings = {"steps": steps, "patience": 0, **settings}
    with tempfile.TemporaryDirectory() as folder:
        tr.fit(source, parent=folder, alerts=alerts, watch=watch, lean=True, **settings)
    return own, time.process_time() - begin, looks
