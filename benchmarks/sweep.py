"""Seconds of sweeps: with and without halving, twelve shapes against one, overhead and memory."""

import gc
import itertools
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Any

import treino as tr
from benchmarks.result import Result, Table
from benchmarks.timing import Spent, budget, threads
from treino.engine.training_loop import TrainingLoop
from treino.settings.options import SweepOptions
from treino.training.loop import JobClose, JobEvent, JobProgress
from treino.training.sweeps.request import SweepRequest
from treino.training.sweeps.sweep import sweep_events

SPACE = {"lr": "1e-4..1e-1:log", "weight_decay": "1e-6..1e-2:log"}
SHAPES = ("8", "16", "24", "32", "48", "64", "8,8", "16,8", "16,16", "32,16", "32,32", "64,16")
HIDDEN = (32, 16)
# networks, epochs, and rounds (of halving: seeds)
FULL = {"halving": (256, 100, 5), "mixed": (768, 20, 3), "bookkeeping": (512, (300, 3000), 3)}
QUICK = {"halving": (18, 20, 1), "mixed": (24, 4, 1), "bookkeeping": (16, (20, 40), 1)}


def run(quick: bool) -> Result:
    with threads(1), tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = Path(folder)
        figures: dict[str, Any] = {}
        tables = [part(quick, place, figures) for part in (_halving, _mixed, _bookkeeping)]
    return Result(
        tuple(tables),
        method=(
            "Whole sweeps with their folders on disk, without the judge's fresh seeds; the two sides take "
            "turns; medians over rounds. Bookkeeping is what a sweep up to its judge takes outside the "
            "engine."
        ),
        left_out=("The judge: the winner alone, 16 fresh seeds, baselines.",),
        sources=(),
        figures=figures,
    )


def swept(place: Path, source: Any, space: Any, **asked: Any) -> dict[str, Any]:
    """A whole sweep; -> its document."""
    return list(_events(place, source, space, **{"fresh": 0, **asked}))[-1].document


def _events(place: Path, source: Any, space: Any, settings: Any = None, **options: Any) -> Iterator[JobEvent]:
    asked = SweepOptions(**options)
    return sweep_events(SweepRequest(source, settings or {}, parent=place, space=space, options=asked))


def _halving(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    """The same settings with and without halving: steps, and how good the winner is on test rows."""
    members, epochs, seeds = (QUICK if quick else FULL)["halving"]
    rows = []
    for source in ("moons", "breast_cancer") if quick else ("moons", "breast_cancer", "digits", "spirals"):
        data = tr.load(source)
        found: dict[str, list[tuple[float, float]]] = {"none": [], "halving": []}
        for seed, strategy in itertools.product(range(seeds), found):
            d = swept(
                place, data, SPACE, strategy=strategy, members=members, sampler_seed=seed,
                settings={"epochs": epochs, "hidden": HIDDEN},
            )  # fmt: skip
            found[strategy].append((d["model_steps"], d["best"]["test"]["accuracy"]))
        share = median(h[0] / n[0] for h, n in zip(found["halving"], found["none"], strict=True))
        gain = median(h[1] - n[1] for h, n in zip(found["halving"], found["none"], strict=True))
        figures[f"halving_{source}"] = {"steps": round(share, 3), "accuracy": round(gain, 4)}
        best = {name: f"{median(a for _s, a in of):.3f}" for name, of in found.items()}
        rows.append(
            (source, f"{share:.2f}", best["none"], best["halving"], *budget(share, 0.5, at_most=True))
        )
    heads = ("data", "model-steps, of none's", "test accuracy, none", "halving", "budget", "kept")
    return Table(f"Halving against none, {members} networks", heads, tuple(rows))


def _trained(place: Path, source: Any, space: Any, **asked: Any) -> tuple[Spent, list[tuple[int, int]]]:
    """A sweep up to its judge; -> what it took, and (model-steps, bytes of memory) on its way."""
    import psutil

    process, seen = psutil.Process(), []
    gc.collect()
    begin, used = time.perf_counter(), time.process_time()
    for event in _events(place, source, space, fresh=0, strategy="none", **asked):
        if isinstance(event, JobProgress):
            seen.append((event.job.model_steps, process.memory_info().rss))
        if isinstance(event, JobClose):
            break
    return Spent(time.perf_counter() - begin, time.process_time() - used), seen


def _mixed(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    """Twelve shapes in one sweep against as many networks of each shape alone."""
    members, epochs, rounds = (QUICK if quick else FULL)["mixed"]
    data, shapes = tr.load("digits"), SHAPES[::4] if quick else SHAPES

    def spent(some: tuple[str, ...]) -> Spent:
        space = ["lr=1e-4..1e-2:log", "hidden=" + "|".join(some)]
        return _trained(place, data, space, members=members, settings={"epochs": epochs, "patience": 0})[0]

    spent(shapes)  # what is imported, made and paced for the first time
    mixed, alone = [], []
    for _round in range(rounds):
        mixed.append(spent(shapes))
        alone.append([spent((shape,)) for shape in shapes])
    means = [Spent(mean(a.wall for a in of), mean(a.processor for a in of)) for of in alone]
    lost = median(m.wall / a.wall for m, a in zip(mixed, means, strict=True)) - 1
    processor = median(m.processor / a.processor for m, a in zip(mixed, means, strict=True)) - 1
    figures |= {"mixed_lost": round(lost, 3), "mixed_lost_processor": round(processor, 3)}
    seconds = [f"{median(of.wall for of in some):.1f}" for some in (means, mixed)]
    kept = budget(min(lost, processor), 0.25, at_most=True)
    row = (str(members), *seconds, f"{lost:.0%}", f"{processor:.0%}", *kept)
    heads = (
        "networks", "seconds, one shape (mean of the shapes)", "twelve shapes", "lost", "of processor time",
        "budget", "kept",
    )  # fmt: skip
    return Table("Twelve shapes in one sweep", heads, (row,))


def _bookkeeping(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    """How much of a sweep's time, up to its judge, passes outside the engine; and memory on its way."""
    members, lengths, rounds = (QUICK if quick else FULL)["bookkeeping"]
    rows = [_bookkeeping_row(place, members, epochs, rounds, figures) for epochs in lengths]
    heads = (
        "networks", "epochs", "seconds in the engine", "outside it", "of its time", "of its processor time",
        "budget", "kept", "memory, from a fifth on to the end",
    )  # fmt: skip
    return Table("Bookkeeping: data, table, curves, checkpoints, choosing", heads, tuple(rows))


def _bookkeeping_row(
    place: Path, members: int, epochs: int, rounds: int, figures: dict[str, Any]
) -> tuple[str, ...]:
    data, asked = tr.load("wine"), {"epochs": epochs, "hidden": HIDDEN, "patience": 0}
    shares, processor, grown, within = [], [], [], []
    for number in range(-1, rounds):
        with _inside() as engine:
            ours, seen = _trained(place, data, SPACE, members=members, sampler="random", settings=asked)
        if number < 0:  # what is imported, made and paced for the first time
            continue
        within.append(sum(each.wall for each in engine))
        shares.append(ours.wall / sum(each.wall for each in engine) - 1)
        processor.append(ours.processor / sum(each.processor for each in engine) - 1)
        early = next(rss for done, rss in seen if done >= 0.2 * seen[-1][0])
        grown.append((seen[-1][1] - early) / 1e6)
    share, used, more = median(shares), median(processor), median(grown)
    figures |= {
        f"bookkeeping_{epochs}": round(share, 3),
        f"bookkeeping_processor_{epochs}": round(used, 3),
        f"memory_grown_mb_{epochs}": round(more, 1),
    }
    seconds = median(within)
    return (
        str(members), f"{epochs:,}", f"{seconds:.2f}", f"{share * seconds:.2f}", f"{share:.1%}",
        f"{used:.1%}", *budget(share, 0.05, at_most=True), f"{more:.1f} MB",
    )  # fmt: skip


@contextmanager
def _inside() -> Iterator[list[Spent]]:
    """What every call of the engine in this block takes."""
    spent: list[Spent] = []
    advance = TrainingLoop.advance

    def timed(training: TrainingLoop, *args: Any, **kwargs: Any) -> Any:
        begin, used = time.perf_counter(), time.process_time()
        tick = advance(training, *args, **kwargs)
        spent.append(Spent(time.perf_counter() - begin, time.process_time() - used))
        return tick

    TrainingLoop.advance = timed  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        TrainingLoop.advance = advance  # type: ignore[method-assign]
