"""Overhead of ``--every 10``: the same training with keyframes and without, in turns."""

import tempfile
import time
from collections.abc import Callable
from statistics import median

from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import Spent, budget, interleaved, processor_ratio, ratio
from treino.data import load
from treino.data.dataset import Data
from treino.settings.spec import read_settings
from treino.training.loop import JobEnd, JobProgress, JobStart
from treino.training.stored_training import keyframes_in
from treino.training.train import train_events

BUDGET = 1.03
EVERY = 10
REST = 0.2  # seconds; threads of the run before spin for tens of milliseconds before they sleep


def run(quick: bool) -> Result:
    mnist, what = digits(quick)
    rounds = {"wine": 3 if quick else 31, "mnist": 1 if quick else 3}
    rows: list[tuple[str, ...]] = []
    figures: dict[str, float] = {}
    for name, data, asked in (
        ("wine", load("wine"), {}),
        ("mnist", mnist, {"hidden": [128, 128], "batch_size": 100, "epochs": 1 if quick else 10}),
    ):
        whole: dict[str, list[Spent]] = {"plain": [], "kept": []}
        kept: list[int] = []
        works = {
            "plain": _work(data, asked, None, whole["plain"], []),
            "kept": _work(data, asked, EVERY, whole["kept"], kept),
        }
        found = interleaved(works, rounds[name])
        value, processor = (measure(found, "kept", "plain") for measure in (ratio, processor_ratio))
        after = {key: spent[-rounds[name] :] for key, spent in whole.items()}
        end_to_end = processor_ratio(after, "kept", "plain")
        figures |= {f"{name}": round(value, 3), f"{name}_processor": round(processor, 3)}
        figures[f"{name}_whole_processor"] = round(end_to_end, 3)
        rows.append(
            (
                name,
                f"{median(s.wall for s in found['plain']):.2f} s",
                str(kept[-1]),
                f"{value:.3f}",
                f"{processor:.3f}",
                f"{end_to_end:.3f}",
                *budget(processor, BUDGET, at_most=True),
            )
        )
    columns = (
        "data", "training", "keyframes", "with / without", "processor time", "to the sealed folder", "budget",
        "kept",
    )  # fmt: skip
    return Result(
        (Table("--every 10, defaults of the data", columns, tuple(rows)),),
        f"MNIST: {what}, 784-128-128-10, batch 100. Medians of interleaved rounds ({rounds['wine']} and "
        f"{rounds['mnist']} of them), each a whole training from its first step to its last; the last "
        "but two columns are of processor time. Before each there is a rest, for threads that measured the "
        "figures of the run before spin on for a while. The folder is sealed when figures, weights and "
        "keyframes lie on the disk: these are written then, or beside a checkpoint, so training doesn't wait "
        "for them.",
        ("Reading them again: a replay sets out from one and trains on.",),
        figures=figures,
    )


def _work(
    data: Data, asked: dict[str, object], every: int | None, whole: list[Spent], kept: list[int]
) -> Callable[[], Spent]:
    def train() -> Spent:
        with tempfile.TemporaryDirectory() as folder:
            time.sleep(REST)
            settings = read_settings(asked | ({} if every is None else {"every": every}))
            begin = trained = (0.0, 0.0)
            for event in train_events(data, settings, parent=folder, lean=True):
                now = time.perf_counter(), time.process_time()
                if isinstance(event, JobStart):
                    begin = now
                elif isinstance(event, JobProgress):
                    trained = now
                elif isinstance(event, JobEnd):
                    whole.append(Spent(now[0] - begin[0], now[1] - begin[1]))
                    kept.append(len(keyframes_in(event.job.run.folder)))
            return Spent(trained[0] - begin[0], trained[1] - begin[1])

    return train
