"""Batch sizes 100, 20 and 5 in one study: seconds, epochs, losses, with the course's loop and correctly."""

import math
import tempfile
from pathlib import Path
from typing import Any

import treino as tr
from benchmarks.mnist_files import there
from benchmarks.result import Result, Table
from benchmarks.timing import threads
from treino.base.errors import TreinoError
from treino.inspection.curves import ratio_of
from treino.training.sweeps.study_document import warm_times

TINY = {"batch_size": 5, "lr": 1e-6, "weight_decay": 5e-6}
MODES = {"corrected": "corrected", "as_taught": "as taught"}
UNTIL = {"loss": 1.6, "accuracy": 0.9}


def run(quick: bool) -> Result:
    if not there():
        raise TreinoError("mnist_missing", "No MNIST in $TREINO_DATA.", "Put its four IDX files there.")
    with threads(1), tempfile.TemporaryDirectory() as place:
        data: Any = "mnist"
        if quick:
            mnist = tr.load("mnist")
            data = (mnist.train.x[:1_000].numpy(), mnist.train.y[:1_000].numpy())
        study = tr.study(
            data, batch_sizes=[100, 20, 5], until=UNTIL, as_taught=True, cells=[TINY], lr=1e-4,
            weight_decay=5e-4, hidden=(128, 128), epochs=2 if quick else 30, threads=1,
            out=Path(place) / "study",
        )  # fmt: skip
        assert study.result is not None
        result, document = study.result, study.document
    rows, said = document["rows"], document["answers"]
    figures: dict[str, Any] = {"epochs": rows[0]["epochs"], "rows": document["split"]["train"]}
    lines = []
    pairs = list(zip(rows, result.rows, strict=True))
    first = {row["mode"]: (row, typed) for row, typed in reversed(pairs) if row["batch_size"] == 100}
    for row, own in pairs:
        base, other = first[row["mode"]]
        times = ratio_of(*(warm_times(of.seeds, "epoch_seconds") for of in (own, other)))
        worked = ratio_of(*(warm_times(of.seeds, "epoch_processor_seconds") for of in (own, other)))
        assert times is not None
        assert worked is not None
        span = "" if times.low is None else f" ({times.low:.2f} to {times.high:.2f})"
        reached = [row["epochs_to_loss"], row["epochs_to_accuracy"]]
        lines.append(
            (
                str(row["batch_size"]),
                f"{row['lr']:g}",
                MODES[row["mode"]],
                "1" if row is base else f"{worked.value:.2f}",
                "1" if row is base else f"{times.value:.2f}{span}",
                *("never" if epoch is None else str(epoch) for epoch in reached),
                f"{row['loss'][0]:.3f}",
                f"{row['loss'][-1]:.3f}",
                f"{row['accuracy'][-1]:.3f}",
            )
        )
        key = f"{row['mode']}_{row['batch_size']}{'_tiny' if row['lr'] == TINY['lr'] else ''}"
        figures |= {
            f"{key}_times": f"{worked.value:.1f}",
            f"{key}_loss_epochs": lines[-1][5],
            f"{key}_accuracy_epochs": lines[-1][6],
            f"{key}_first": f"{row['loss'][0]:.2f}",
            f"{key}_last": f"{row['loss'][-1]:.2f}",
            f"{key}_accuracy": f"{row['accuracy'][-1]:.3f}",
        }
    taught = [loss for row in rows if row["mode"] == "as_taught" for loss in row["loss"] if loss is not None]
    figures |= {"lowest": f"{min(taught):.4f}", "floor": f"{math.log(1 + 9 / math.e):.4f}"}
    figures["answers"] = "\n".join(f"- {sentence}" for sentence in said)
    columns = (
        "batch", "lr", "loop", "processor seconds per epoch, batch 100 = 1",
        "the same by the clock (interval)", "epochs to loss < 1.6", "epochs to accuracy ≥ 0.9",
        "loss of epoch 1", "of the last", "accuracy at the end",
    )  # fmt: skip
    return Result(
        (Table(f"MNIST: 784-128-128-10, Adam, {rows[0]['epochs']} epochs", columns, tuple(lines)),),
        "One study: its networks take turns, an epoch each, one thread; seconds are of training alone,"
        " without the first epoch, and their ratios medians over rounds."
        " Losses are means over an epoch's iterations on training rows, accuracies of validation rows."
        " Weight decay is 5e-4, and 5e-6 with lr 1e-6.",
        ("The course's own network, whose sizes its text does not tell.",),
        (),
        figures,
    )
