"""Copies of a training's state at every so many steps, gathered while it goes on without being stopped.

The kernels copy the member's rows between two steps: to end a chunk there costs as much as two or three
steps of a small network, and a copy a hundredth of one. What the losses tell (how an epoch stands) is not
kept but summed up again from them, in ``saved_from_keyframe``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from treino.engine.optim import OPTIMIZERS
from treino.engine.population import Copies
from treino.engine.saved_state import SavedState, training_identity
from treino.engine.shared_config import Chunk
from treino.engine.step_plan import EpochLoss
from treino.errors import TreinoError
from treino.words import _

if TYPE_CHECKING:
    from treino.engine.training_loop import Training


@dataclass(frozen=True, eq=False)
class Keyframe:
    """The one member after ``step`` updates: arrays ``[1, ...]`` and figures, as ``save`` names them."""

    step: int
    arrays: Copies
    meta: dict[str, Any]


@dataclass(eq=False)
class KeyframeBuffer:
    """The keyframes since they were taken last. every: steps between two; 0: none."""

    every: int = 0
    frames: list[Keyframe] = field(default_factory=list)
    best: Copies = field(default_factory=dict)
    best_figures: tuple[int, float, int] = (-1, 0.0, -2)  # evaluated at, metric, step
    hp: dict[str, float] = field(default_factory=dict)

    def keyframe_steps(self, first: int, stop: int) -> frozenset[int]:
        """Which of these steps are due, counted from ``first``: 1 is the state after the first of them."""
        if not self.every:
            return frozenset()
        due = range(first + self.every - first % self.every, stop + 1, self.every)
        return frozenset(step - first for step in due)

    def add(self, training: "Training", step: int, copies: Copies) -> None:
        """copies: of the member's rows; all else is as it stands in the training now."""
        if training._evaluated != self.best_figures[0]:
            self._look(training, step, copies)
        if not self.hp:
            self.hp = {name: float(value_P[0]) for name, value_P in training._population.hp.items()}
        evaluated, metric, best_step = self.best_figures
        meta = {"step": step, "evaluated": evaluated, "best": [metric, best_step], "hp": self.hp}
        self.frames.append(Keyframe(step, copies | self.best, meta))

    def _look(self, training: "Training", now: int, copies: Copies) -> None:
        """What changes at evaluations only; keyframes between two better ones share a copy of the best, which
        often is the copy of this very step."""
        best = training._best
        step = best.step_P.item()
        if step == now and len(best.params):
            self.best = {"best.params": copies["params"], "best.buffers": copies["buffers"]}
        elif step != self.best_figures[2]:
            named = {"best.params": best.params, "best.buffers": best.buffers}
            self.best = {name: t.detach().cpu().numpy().copy() for name, t in named.items()}
        self.best_figures = training._evaluated, best.metric_P.item(), int(step)

    @contextmanager
    def of_chunk(self, training: "Training", chunk: Chunk, last: int) -> Iterator[None]:
        """Add what the kernel copied, up to step ``last``; the chunk's end with what is found out there."""
        if not chunk.kept:
            yield
            return
        found = [
            (chunk.first + s, rows) for s, rows in zip(sorted(chunk.keyframe_steps), chunk.kept, strict=True)
        ]
        for step, rows in found:
            if step <= last and step < training.step:
                self.add(training, step, rows)
        yield
        if found[-1][0] == training.step <= last:
            self.add(training, *found[-1])

    def obeyed(self) -> None:
        """A hyper-parameter is another one now."""
        self.hp = {}

    def take(self) -> list[Keyframe]:
        """All of them, which are then no longer here."""
        found, self.frames = self.frames, []
        return found


def keyframe_bytes(training: "Training") -> int:
    """The size of one keyframe."""
    kept = (training._best.params, training._best.buffers)
    copies = training._population.copies().values()
    return sum(a.nbytes for a in copies) + sum(t.numel() * t.itemsize for t in kept)


def begin(training: "Training", every: int) -> None:
    """Keep a keyframe at each multiple of ``every`` from now on; the present step is one where it is 0.

    Raises:
        TreinoError: the training has several members.
    """
    population = training._population
    if len(population) > 1:
        raise TreinoError(
            "keyframes_of_many",
            _("Keyframes are of one network, and here are {n}.").format(n=len(population)),
            _("Train one alone."),
        )
    training.album.every = every
    if training.step == 0:
        training.album.add(training, 0, population.copies())


def keyframe_of_saved(saved: SavedState) -> tuple[Copies, dict[str, Any]]:
    """The arrays and figures of a keyframe, of what ``Training.save`` gave."""
    tensors, meta = saved
    arrays = {
        name: t.numpy()
        for name, t in tensors.items()
        if name in ("params", "grads", "buffers", "best.params", "best.buffers") or name.startswith("moment.")
    }
    hp = {name[3:]: float(t[0]) for name, t in tensors.items() if name.startswith("hp.")}
    hp |= {name: float(values[0]) for step, name, values in meta["pending"] if step <= meta["step"]}
    best = [float(tensors["best.metric"][0]), int(tensors["best.step"][0])]
    return arrays, {"step": meta["step"], "evaluated": meta["evaluated"], "best": best, "hp": hp}


def saved_from_keyframe(
    training: "Training", tensors: dict[str, Tensor], meta: dict[str, Any], loss_S: Tensor
) -> SavedState:
    """What ``training.load`` takes, of a keyframe: ``loss_S`` are the losses of all steps up to it."""
    step, per, here = meta["step"], training.steps_per_epoch, training._state()
    epoch = EpochLoss(1)
    whole = step // per * per
    for part_S in (loss_S[max(0, whole - per) : whole], loss_S[whole:step]):
        if len(part_S):
            epoch.add(part_S.unsqueeze(1), per)
    states = [f"moment.{i}" for i in range(len(OPTIMIZERS[training.shared.optimizer].states))]
    kept = ("params", "grads", "buffers", "best.params", "best.buffers", *states)
    found = {name: tensors[name][: len(here[name])] for name in kept if name in here} | {
        "seeds": training._population.seed_P,
        "best.metric": torch.tensor(meta["best"][:1], dtype=torch.float64),
        "best.step": torch.tensor(meta["best"][1:], dtype=torch.int64),
        "epoch.sums": epoch.sums,
        "epoch.last": epoch.last,
        "status": torch.zeros(1, dtype=torch.int64),
        "stop_step": torch.zeros(1, dtype=torch.int64),
    }
    found |= {f"hp.{name}": torch.tensor([value], dtype=torch.float64) for name, value in meta["hp"].items()}
    told = {
        "identity": training_identity(training),
        "step": step,
        "evaluated": meta["evaluated"],
        "epoch_count": epoch.count,
        "pending": [],
    }
    return {name: found[name] for name in here}, told
