"""Time of ``treino verify`` beside the training itself."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.result import Result, Table
from benchmarks.timing import Spent, interleaved, processor_ratio
from treino.data import load
from treino.data.dataset import Data
from treino.folders.stored_run import StoredRun
from treino.settings.spec import read_settings
from treino.training.loop import JobProgress, JobStart
from treino.training.stored_results import open_run
from treino.training.train import train_events
from treino.training.verification import verify as train_again

EVERY = 50
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "wine": ("wine", {"epochs": 2000, "patience": 0}),
    "digits": ("digits", {"hidden": [256, 256], "epochs": 100, "patience": 0}),
    "digits, module": ("digits", {"hidden": [128], "epochs": 100, "patience": 0, "engine": "module"}),
}


def run(quick: bool) -> Result:
    rounds = 1 if quick else 7
    rows: list[tuple[str, ...]] = []
    figures: dict[str, float] = {}
    for name, (source, asked) in CASES.items():
        data = load(source)
        settings = asked | ({"epochs": 10, "every": 5} if quick else {"every": EVERY})
        with tempfile.TemporaryDirectory() as folder:
            _train(data, settings, Path(folder) / "run")()
            stored = open_run(Path(folder) / "run")
            steps = len(stored.losses)
            works = {"train": _train(data, settings, None), "all": _verify(stored)}
            found = interleaved(works, rounds)
        ratio = processor_ratio(found, "all", "train")
        figures[f"{name}_all"] = round(ratio, 3)
        seconds = median(s.wall for s in found["train"])
        rows.append((name, f"{steps:,}", f"{seconds:.2f} s", f"{ratio:.2f}"))
    columns = ("data", "steps", "training", "verification / training")
    return Result(
        (Table(f"--every {EVERY}, defaults of the data else", columns, tuple(rows)),),
        f"Medians of {rounds} interleaved rounds, processor time but for the third column. The training is "
        "timed from its first step to its last; a verification from the opened folder to the document, with "
        "the loading of the rows, the states that are read and compared, and the figures and intervals of "
        "the kept weights.",
        ("Baselines and what the doctor looks for at a training's end: no verification repeats them.",),
        figures=figures,
    )


def _train(data: Data, asked: dict[str, object], out: Path | None) -> Callable[[], Spent]:
    def train() -> Spent:
        with tempfile.TemporaryDirectory() as folder:
            settings = read_settings(asked | {"out": str(out or Path(folder) / "run")})
            begin = trained = (0.0, 0.0)
            for event in train_events(data, settings, lean=True):
                now = time.perf_counter(), time.process_time()
                if isinstance(event, JobStart):
                    begin = now
                elif isinstance(event, JobProgress):
                    trained = now
            return Spent(trained[0] - begin[0], trained[1] - begin[1])

    return train


def _verify(stored: StoredRun) -> Callable[[], Spent]:
    def verify() -> Spent:
        again = StoredRun(stored.folder, stored.access)
        begin = time.perf_counter(), time.process_time()
        document = train_again(again).to_json()
        assert document["verdict"] == "equal", document["first_difference"]
        return Spent(time.perf_counter() - begin[0], time.process_time() - begin[1])

    return verify
