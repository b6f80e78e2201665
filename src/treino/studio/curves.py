"""The curves of a run's page: losses thinned to what a screen can show, epochs, vital signs."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.engine import Training
from treino.records.histories import training_losses
from treino.records.segments import epoch_count, epochs_of
from treino.records.stored_run import StoredRun

POINTS = 4000  # of the training loss, at most
EPOCHS = 1500  # shown, at most
VITALS = 400


def finite(value: float) -> float | None:
    """The number, None for NaN and the infinities."""
    return float(value) if math.isfinite(value) else None


@dataclass
class ThinnedLosses:
    """The points of a loss curve that a page has: each is the mean of ``width`` steps."""

    width: int = 1
    points: int = 0

    def more(self, loss_S: NDArray[np.float32]) -> dict[str, Any] | None:
        """The next points, from index ``from`` on (0 replaces all); None if there are none."""
        steps = len(loss_S)
        while steps // self.width > POINTS or steps < self.points * self.width:
            self.width = 1 if steps < self.points * self.width else 2 * self.width
            self.points = 0
        first, stop = self.points, steps // self.width
        if stop == first:
            return None
        part_PW = np.asarray(loss_S[first * self.width : stop * self.width], np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            mean_P = part_PW.reshape(-1, self.width).mean(axis=1)
        self.points = stop
        step_P = (np.arange(first, stop) + 1) * self.width
        return {"from": first, "step": step_P.tolist(), "loss": [finite(v) for v in mean_P.tolist()]}


@dataclass
class Vitals:
    """Gradient norm, update size and learning rate at the steps that were drawn."""

    by_step: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, step: int, gradient_norm: float | None, update_ratio: float | None, lr: float) -> None:
        self.by_step[step] = {
            "step": step,
            "gradient_norm": gradient_norm,
            "update_ratio": update_ratio,
            "lr": lr,
        }
        if len(self.by_step) > VITALS:
            for gone in sorted(self.by_step)[1:-1:2]:
                del self.by_step[gone]

    def listed(self) -> list[dict[str, Any]]:
        return [self.by_step[step] for step in sorted(self.by_step)]


def next_update(training: Training, step: int, member: int) -> tuple[float | None, float | None]:
    """The norm of a step's gradient, and the size of the update that follows over that of the weights.

    The training, a copy of the run's, takes one step; None if it is at another step or has ended."""
    if training.done or training.step != step:
        return None, None
    before = training.state.population.params[member].clone()
    training.advance(None, step + 1)
    population = training.state.population
    after, gradient = population.params[member], population.grads[member]
    size = float(torch.linalg.vector_norm(before))
    update = float(torch.linalg.vector_norm(after - before))
    return finite(float(torch.linalg.vector_norm(gradient))), finite(update / size) if size else None


def epochs(run: StoredRun, loss_S: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The figures of each epoch: ``{epoch, step, train: {metric: value}, validation: {…}}``."""
    count = epoch_count(run.spec)
    entries: dict[int, dict[str, Any]] = {}

    def entry(number: int) -> dict[str, Any]:
        new = {"epoch": number, "step": min(count.end_of(number), len(loss_S)), "train": {}, "validation": {}}
        return entries.setdefault(number, new)

    mean_E, _deviation_E = training_losses(loss_S, count)
    for k, mean in enumerate(mean_E.tolist()):
        entry(k + 1)["train"]["loss"] = finite(mean)
    for row in epochs_of(run.folder, run.spec):
        if row.split in ("train", "validation") and row.metric not in ("seconds", "loss_std"):
            entry(row.epoch)[row.split][row.metric] = finite(row.value)
    listed = [entries[number] for number in sorted(entries)]
    if len(listed) > EPOCHS:
        places = np.unique(np.linspace(0, len(listed) - 1, EPOCHS).astype(int))
        listed = [listed[k] for k in places]
    return listed
