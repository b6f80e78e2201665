"""The beginners' training loop with its faults and corrected: each claim made about it, measured.

The loop has two faults: no ``zero_grad``, so that the gradients of all past steps are summed, and a softmax
layer before ``CrossEntropyLoss``, which applies softmax itself. treino trains with either on purpose.
"""

import math
import warnings
from collections.abc import Iterable
from statistics import mean
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

import treino as tr
from benchmarks.mnist_files import there
from benchmarks.result import Result, Table
from benchmarks.timing import interleaved, once, threads, wall
from treino.base.errors import TreinoError
from treino.data.dataset import Data
from treino.engine import TrainingLoop
from treino.settings.spec import faults_of, read_settings

GRADIENTS, SOFTMAX = "missing_zero_grad", "softmax_before_cross_entropy"
TAUGHT = faults_of(read_settings({"as_taught": True}))
FLOOR = math.log(1 + 9 / math.e)  # softmax twice: the ten outputs of the first are 1, 0, ..., 0 at best
GOAL, BELOW = 0.80, 1.6
SLUGS = {
    "Adam 1e-4": "adam",
    "the same, weight decay 5e-4": "decay",
    "the same, not shuffled": "unshuffled",
    "SGD 1e-4": "sgd_small",
    "SGD 0.1": "sgd",
}
LOOPS = {"correct": (), "no zero_grad": (GRADIENTS,), "as taught (both faults)": TAUGHT}


def run(quick: bool) -> Result:
    if not there():
        raise TreinoError("mnist_missing", "No MNIST in $TREINO_DATA.", "Put its four IDX files there.")
    figures: dict[str, Any] = {"floor": round(FLOOR, 4)}
    with threads(1):
        tables = (
            _boundary(2 if quick else 30, figures),
            _normalising(1 if quick else 10, 50 if quick else 2_000, figures),
            *_digits(quick, figures),
            _workers(quick, figures),
        )
    return Result(
        tables,
        "Wine: alcohol and colour intensity, all 178 rows, full batch, SGD, 2-64-32-3, accuracy on those "
        "rows, as the course looks at it. MNIST: 60,000 rows, pixels standardised, 784-128-128-10, losses on "
        "training rows as the course prints them: the mean over an epoch's iterations.",
        (
            "The course's own networks, whose sizes its text does not tell: other sizes give other figures "
            "and the same order.",
            "Its 30 epochs: 8 show where each setting goes.",
            "Its formulas of Adam, which differ from Kingma & Ba in four places: "
            "[as taught](as-taught.md) says where.",
        ),
        ("Kingma & Ba, Adam, 2015: https://arxiv.org/abs/1412.6980",),
        figures,
    )


def _wine(normalise: bool = True) -> Data:
    features = ["alcohol", "color_intensity"]
    return tr.load("wine", features=features, validation=0, test=0, normalise=normalise)


def _sgd(data: Data, seeds: int, lr: float, steps: int, faults: Iterable[str], every: int) -> TrainingLoop:
    return tr.train(
        data, tr.mlp(64, 32), optimizer="sgd", lr=lr, batch_size="full", steps=steps, seeds=range(seeds),
        fault=tuple(faults), every=every,
    )  # fmt: skip


def _accuracy(net: Any, data: Data) -> float:
    with torch.no_grad():
        return float((net(data.train.x).argmax(1) == data.train.y).double().mean())


def _after(training: TrainingLoop, data: Data, seeds: int) -> list[float]:
    for _tick in training:
        pass
    return [_accuracy(training.net(member), data) for member in range(seeds)]


def _steps_to_goal(training: TrainingLoop, data: Data, seeds: int) -> list[int | None]:
    """The first step after which each member is right on so many rows; None: never."""
    first: list[int | None] = [None] * seeds
    for tick in training:
        for member in range(seeds):
            if first[member] is None and _accuracy(tick.population.net(member), data) >= GOAL:
                first[member] = tick.step
        if all(first):
            break
    return first


def _boundary(seeds: int, figures: dict[str, Any]) -> Table:
    data, rows = _wine(), []
    for name, faults, lr in (
        *((name, faults, 1e-3) for name, faults in LOOPS.items()),
        ("correct", (), 0.1),
    ):
        accuracy_S = _after(_sgd(data, seeds, lr, 200, faults, 200), data, seeds)
        steps_S = _steps_to_goal(_sgd(data, seeds, lr, 1_000, faults, 1), data, seeds)
        reached = [s for s in steps_S if s is not None]
        key = f"{'_'.join(f[:4] for f in faults) or 'correct'}_{lr:g}".replace(".", "_").replace("-", "_")
        span = f"{min(reached)} to {max(reached)}" if reached else "–"
        figures |= {f"wine_{key}": f"{mean(accuracy_S):.2f}", f"wine_steps_{key}": span}
        rows.append(
            (
                name,
                f"{lr:g}",
                f"{mean(accuracy_S):.2f}",
                f"{min(accuracy_S):.2f} to {max(accuracy_S):.2f}",
                span,
                f"{len(reached)} of {seeds}",
            )
        )
    columns = (
        "loop", "lr", "accuracy after 200 steps", "range over seeds", "steps to accuracy 0.80",
        "seeds that reach it in 1,000",
    )  # fmt: skip
    return Table(f"Wine: the boundary, {seeds} seeds", columns, tuple(rows))


def _normalising(seeds: int, steps: int, figures: dict[str, Any]) -> Table:
    rows = []
    for normalise in (False, True):
        data = _wine(normalise)
        row = ["normalised" if normalise else "raw"]
        for name, faults, lr in (
            ("correct", (), 0.1),
            ("correct", (), 1e-3),
            ("miss", (GRADIENTS,), 1e-3),
            ("taught", TAUGHT, 1e-3),
        ):
            found = _steps_to_goal(_sgd(data, seeds, lr, steps, faults, 10), data, seeds)
            count = sum(step is not None for step in found)
            figures[f"reach_{row[0]}_{name}_{lr:g}".replace(".", "_").replace("-", "_")] = count
            row.append(f"{count} of {seeds}")
        rows.append(tuple(row))
    columns = (
        "inputs",
        "correct, lr 0.1",
        "correct, lr 0.001",
        "no zero_grad, lr 0.001",
        "as taught, lr 0.001",
    )
    return Table(f"Wine: seeds that reach accuracy 0.80 in {steps:,} steps", columns, tuple(rows))


def _digits(quick: bool, figures: dict[str, Any]) -> tuple[Table, Table]:
    whole = tr.load("mnist", validation=0)
    rows = 500 if quick else len(whole.train)
    data = (whole.train.x[:rows], whole.train.y[:rows])
    taught: dict[str, Any] = {"lr": 1e-4, "weight_decay": 5e-4}
    epochs = 1 if quick else 8
    lowest, lines = math.inf, []
    for batch_size in (100, 20, 5):
        for name, faults, asked, n in (
            ("as taught", TAUGHT, taught, epochs),
            ("with zero_grad, softmax twice", (SOFTMAX,), taught, min(epochs, 3)),
            ("correct", (), taught, 1),
        ):
            losses, least = _epochs(data, batch_size, n, faults, asked)
            lowest = min(lowest, least) if faults else lowest
            lines.append(_line(name, batch_size, asked, losses, bool(faults)))
            key = {TAUGHT: "taught", (SOFTMAX,): "zeroed", (): "correct"}[tuple(faults)]
            figures |= _story(f"mnist_{key}_{batch_size}", losses)
    tiny = {"lr": 1e-6, "weight_decay": 5e-6}
    losses, least = _epochs(data, 5, epochs, TAUGHT, tiny)
    lines.append(_line("as taught", 5, tiny, losses, True))
    figures |= _story("mnist_tiny_5", losses) | {"lowest": f"{min(lowest, least):.4f}"}
    columns = (
        "loop",
        "batch",
        "lr",
        "weight decay",
        "loss of epoch 1",
        "least",
        "last",
        "below 1.6 in epoch",
    )
    seeds = range(1 if quick else 3)
    settings: dict[str, dict[str, Any]] = {
        "Adam 1e-4": {"lr": 1e-4},
        "the same, weight decay 5e-4": taught,
        "the same, not shuffled": {"lr": 1e-4, "shuffle": "off"},
        "SGD 1e-4": {"optimizer": "sgd", "lr": 1e-4},
        "SGD 0.1": {"optimizer": "sgd", "lr": 0.1},
    }
    compared = []
    for name, asked in settings.items():
        training = tr.train(data, tr.mlp(128, 128), batch_size=20, epochs=1, seeds=seeds, **asked)
        loss_P = [tick.epochs[-1].loss_P for tick in training if tick.epochs][-1].tolist()
        figures[f"epoch_{SLUGS[name]}"] = f"{mean(loss_P):.3f}"
        compared.append((name, f"{mean(loss_P):.3f}", ", ".join(f"{loss:.3f}" for loss in loss_P)))
    return (
        Table("MNIST: Adam, batch sizes, 1 seed", columns, tuple(lines)),
        Table(
            "MNIST: the correct loop, batch 20, loss of epoch 1",
            ("setting", "mean", "of each seed"),
            tuple(compared),
        ),
    )


def _epochs(
    data: Any, batch_size: int, epochs: int, faults: Iterable[str], asked: dict[str, Any]
) -> tuple[list[float], float]:
    """-> (mean loss of every epoch, the least loss of a step)."""
    training = tr.train(
        data, tr.mlp(128, 128), batch_size=batch_size, epochs=epochs, fault=tuple(faults), **asked
    )
    losses: list[float] = []
    least = math.inf
    for tick in training:
        losses += [float(epoch.loss_P[0]) for epoch in tick.epochs]
        least = min(least, float(tick.loss_SP.nan_to_num(math.inf).min()))
    return losses, least


def _line(
    name: str, batch_size: int, asked: dict[str, Any], losses: list[float], held: bool
) -> tuple[str, ...]:
    below = _below(losses)
    figures = (f"{loss:.3f}" for loss in (losses[0], min(losses), losses[-1]))
    never = f"none of {len(losses)}"
    settings = (f"{asked['lr']:g}", f"{asked['weight_decay']:g}")
    return (name, str(batch_size), *settings, *figures, (str(below) if below else never) if held else "–")


def _below(losses: list[float]) -> int | None:
    return next((n for n, loss in enumerate(losses, 1) if loss < BELOW), None)


def _story(key: str, losses: list[float]) -> dict[str, str]:
    below = _below(losses)
    return {
        f"{key}_first": f"{losses[0]:.2f}",
        f"{key}_least": f"{min(losses):.2f}",
        f"{key}_last": f"{losses[-1]:.2f}",
        f"{key}_below": str(below) if below else "never",
    }


def _workers(quick: bool, figures: dict[str, Any]) -> Table:
    rows = 200 if quick else 60_000
    x_ND = torch.rand(rows, 784, generator=torch.Generator().manual_seed(0))
    pairs = TensorDataset(x_ND, torch.arange(rows) % 10)
    works = {}
    for workers in (0, 4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loader = DataLoader(pairs, batch_size=100, shuffle=True, num_workers=workers)
        works[str(workers)] = once(lambda a=loader: sum(1 for _batch in a) and 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch itself warns of 4 workers where there are fewer cores
        found = interleaved(works, 1 if quick else 5)
    figures |= {f"workers_{name}": f"{wall(found, name):.2f}" for name in works}
    lines = tuple((name, f"{wall(found, name):.2f}") for name in works)
    return Table(
        f"DataLoader over {rows:,} rows in memory, batch 100, nothing trained",
        ("num_workers", "s per epoch"),
        lines,
    )
