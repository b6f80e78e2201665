"""A training's state, saved: tensors and JSON to resume it bit for bit, and keyframes every so many steps.

The kernels copy the member's rows between two steps: a copy costs a hundredth of a step of a small network,
while ending a chunk costs two or three steps. State that follows from the losses (the sums of an epoch) isn't
copied but computed again, in ``saved_from_keyframe``.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from treino.engine.kernels.selection import WORKERS
from treino.engine.optim import OPTIMIZERS
from treino.engine.population import Copies
from treino.engine.step_plan import Chunk
from treino.engine.training_setup import TrainingSetup
from treino.engine.training_state import EpochLoss, HyperparameterChange, TrainingState
from treino.errors import TreinoError
from treino.words import _

# ---- a training's state as tensors and JSON, complete to resume it bit for bit

SavedState = tuple[dict[str, Tensor], dict[str, Any]]


def training_identity(setup: TrainingSetup, state: TrainingState) -> dict[str, Any]:
    """The values that must be equal for a saved state to belong to this training."""
    plan, shared, loss, stopping = setup.plan, setup.shared, setup.shared.loss, setup.early_stopping
    return {
        "format": 1,
        "engine": setup.engine,
        "threads": 0 if setup.engine in WORKERS else setup.kernel.threads,  # workers change no bit
        "seeds": state.population.seed_P.tolist(),
        "parameters": list(shared.layout.names),
        "shapes": [list(shape) for shape in shared.layout.shapes],
        "optimizer": [shared.optimizer, shared.nesterov],
        "loss": [loss.name, loss.label_smoothing, list(loss.class_weights or ()), loss.softmax_first],
        "summed": shared.summed,
        "averages": shared.averages,
        "dtype": str(shared.dtype),
        "rows": plan.rows,
        "batch_size": plan.batch_size,
        "batches": plan.batches,
        "steps": plan.steps,
        "schedule": _schedules(setup, state),
        "choosing": [stopping.patience, stopping.metric, stopping.keep, plan.evaluates],
        "order": [plan.shuffle, plan.data_seed],
    }


def _schedules(setup: TrainingSetup, state: TrainingState) -> list[Any]:
    """One schedule if all members share it, else one for each."""
    schedules = [list(setup.plan.schedules[k]) for k in state.population.schedule_P.tolist()]
    return schedules[0] if all(each == schedules[0] for each in schedules) else schedules


def save_state(setup: TrainingSetup, state: TrainingState) -> SavedState:
    """The state as tensors (copies on the CPU) and JSON values."""
    meta = {
        "identity": training_identity(setup, state),
        "step": state.step,
        "evaluated": state.evaluated_step,
        "epoch_count": state.epoch_loss.count,
        # as text, since JSON has no infinity, which means "no clipping"
        "pending": [[c.step, c.name, [repr(v) for v in c.value]] for c in state.pending],
    }
    return {n: t.detach().to("cpu", copy=True).contiguous() for n, t in state.tensors().items()}, meta


def save_rows(
    setup: TrainingSetup, state: TrainingState, index: list[int], clock: tuple[int, int, int]
) -> SavedState:
    """As ``save_state``, as if of a training of these members alone. clock: its step, the step of its last
    evaluation, and the steps done of the present epoch."""
    alone = state.rows(index)
    alone.step, alone.evaluated_step, alone.epoch_loss.count = clock
    return save_state(setup, alone)


def load_state(
    setup: TrainingSetup, state: TrainingState, tensors: dict[str, Tensor], meta: dict[str, Any]
) -> None:
    """Load a saved state.

    Raises:
        TreinoError: it was saved by another training.
    """
    if not isinstance(tensors, dict) or not isinstance(meta, dict):
        raise TreinoError(
            "saved_type",
            _("A {tensors} and a {meta} are no saved training.").format(
                tensors=type(tensors).__name__, meta=type(meta).__name__
            ),
            _("Give what save() returned: training.load(*saved)."),
        )
    mine, saved, here = training_identity(setup, state), meta.get("identity", {}), state.tensors()
    other = [name for name, value in mine.items() if saved.get(name) != value]
    other += [n for n, t in here.items() if n not in tensors or tensors[n].shape != t.shape]
    if other:
        raise TreinoError(
            "saved_by_another",
            _("This state was saved by another training; these differ: {what}.").format(
                what=", ".join(other)
            ),
            _("Make the training with the arguments of the saved one."),
        )
    for name, tensor in here.items():
        tensor.copy_(tensors[name])  # in place: tensors from a file don't start on a 64-byte line
    state.find_running()
    state.step, state.evaluated_step = meta["step"], meta["evaluated"]
    state.epoch_loss.count = meta["epoch_count"]
    state.pending = [
        HyperparameterChange(step, name, tuple(float(v) for v in values))
        for step, name, values in meta["pending"]
    ]


# ---- keyframes

KEPT = ("params", "grads", "average", "buffers", "best.params", "best.buffers")  # and the moments


@dataclass(frozen=True, eq=False)
class Keyframe:
    """A training after ``step`` updates: arrays and figures, named as in ``save``.

    Of several members it has the complete state, since losses are recorded as a mean.
    """

    step: int
    arrays: Copies
    meta: dict[str, Any]


@dataclass(eq=False)
class KeyframeBuffer:
    """The keyframes since the last ``take``. every: steps between two; 0: no keyframes."""

    every: int = 0
    frames: list[Keyframe] = field(default_factory=list)
    best: Copies = field(default_factory=dict)
    best_figures: tuple[int, float, int] = (-1, 0.0, -2)  # evaluated at, metric, step
    hp: dict[str, float] = field(default_factory=dict)

    def start(self, state: TrainingState, every: int) -> None:
        """Begin to take a keyframe at each multiple of ``every``, and one now at step 0."""
        self.every = every
        if state.step == 0:
            self._add_at(state)

    def border(self, state: TrainingState) -> int | None:
        """The step of the next keyframe, at which a chunk of several members must end."""
        many = self.every and len(state.population) > 1
        return state.step - state.step % self.every + self.every if many else None

    def due(self, state: TrainingState, first: int, stop: int) -> frozenset[int]:
        """The steps in this range that the kernel copies, counted from ``first``: 1 is the state after one
        step."""
        if not self.every or len(state.population) > 1:
            return frozenset()
        steps = range(first + self.every - first % self.every, stop + 1, self.every)
        return frozenset(step - first for step in steps)

    def add_within(self, state: TrainingState, chunk: Chunk) -> None:
        """Add the kernel's copies from before the chunk's end, with the best weights of that time."""
        for step, copies in self._copied(state, chunk):
            if step < state.step:
                self._add(state, step, copies)

    def add_end(self, state: TrainingState, chunk: Chunk) -> None:
        """Add the state at the chunk's end, with the evaluation there."""
        if len(state.population) > 1 and self.every and state.step % self.every == 0:
            self._add_at(state)
        for step, copies in self._copied(state, chunk):
            if step == state.step:
                self._add(state, step, copies)

    def hyperparameters_changed(self) -> None:
        self.hp = {}

    def take(self) -> list[Keyframe]:
        """Return all keyframes and empty the buffer."""
        frames, self.frames = self.frames, []
        return frames

    def _copied(self, state: TrainingState, chunk: Chunk) -> list[tuple[int, Copies]]:
        """(step, rows) of the kernel's copies, without those after a diverged member's last good update."""
        if not chunk.keyframe_copies:
            return []
        last = int(state.last_step_P[0])
        steps = (chunk.first + s for s in sorted(chunk.keyframe_steps))
        return [(s, rows) for s, rows in zip(steps, chunk.keyframe_copies, strict=True) if s <= last]

    def _add_at(self, state: TrainingState) -> None:
        """Add the present state."""
        if len(state.population) == 1:
            self._add(state, state.step, state.population.copies())
            return
        arrays = {name: array.copy() for name, array in _whole(state).items()}
        meta = {"step": state.step, "evaluated": state.evaluated_step, "epoch_count": state.epoch_loss.count}
        self.frames.append(Keyframe(state.step, arrays, meta))

    def _add(self, state: TrainingState, step: int, copies: Copies) -> None:
        """Add a keyframe. copies: of the member's rows; all else is from the present state."""
        if state.evaluated_step != self.best_figures[0]:
            self._copy_best(state, step, copies)
        if not self.hp:
            self.hp = {name: float(value_P[0]) for name, value_P in state.population.hp.items()}
        evaluated, metric, best_step = self.best_figures
        meta = {"step": step, "evaluated": evaluated, "best": [metric, best_step], "hp": self.hp}
        self.frames.append(Keyframe(step, copies | self.best, meta))

    def _copy_best(self, state: TrainingState, now: int, copies: Copies) -> None:
        """Keyframes between two improvements share a copy of the best weights, which often is that of this
        step."""
        best = state.best
        step = int(best.step_P[0])
        if step == now and len(best.params):
            answering = copies.get("average", copies["params"])
            self.best = {"best.params": answering, "best.buffers": copies["buffers"]}
        elif step != self.best_figures[2]:
            named = {"best.params": best.params, "best.buffers": best.buffers}
            self.best = {name: t.detach().cpu().numpy().copy() for name, t in named.items()}
        self.best_figures = state.evaluated_step, best.metric_P.item(), step


def _whole(state: TrainingState) -> Copies:
    """The complete state without seeds, which the training has."""
    return {name: t.detach().cpu().numpy() for name, t in state.tensors().items() if name != "seeds"}


def keyframe_bytes(state: TrainingState) -> int:
    """The size of one keyframe."""
    if len(state.population) > 1:
        return sum(array.nbytes for array in _whole(state).values())
    best = (state.best.params, state.best.buffers)
    copies = state.population.copies().values()
    return sum(a.nbytes for a in copies) + sum(t.numel() * t.itemsize for t in best)


def keyframe_of_saved(saved: SavedState) -> tuple[Copies, dict[str, Any]]:
    """The arrays and figures of a keyframe from the result of ``TrainingLoop.save``."""
    tensors, meta = saved
    if len(tensors["seeds"]) > 1:
        return _keyframe_of_many(tensors, meta)
    arrays = {name: t.numpy() for name, t in tensors.items() if name in KEPT or name.startswith("moment.")}
    hp = {name[3:]: float(t[0]) for name, t in tensors.items() if name.startswith("hp.")}
    hp |= {name: float(values[0]) for step, name, values in meta["pending"] if step <= meta["step"]}
    best = [float(tensors["best.metric"][0]), int(tensors["best.step"][0])]
    return arrays, {"step": meta["step"], "evaluated": meta["evaluated"], "best": best, "hp": hp}


def _keyframe_of_many(tensors: dict[str, Tensor], meta: dict[str, Any]) -> tuple[Copies, dict[str, Any]]:
    arrays = {name: t.numpy().copy() for name, t in tensors.items() if name != "seeds"}
    for step, name, values in meta["pending"]:
        if step <= meta["step"]:
            arrays[f"hp.{name}"][:] = [float(value) for value in values]
    ended_P = arrays["stop_step"] == meta["step"]  # members that stopped at this step go on from a keyframe
    arrays["status"][ended_P], arrays["stop_step"][ended_P] = 0, 0
    return arrays, {name: meta[name] for name in ("step", "evaluated", "epoch_count")}


def saved_from_keyframe(
    setup: TrainingSetup,
    state: TrainingState,
    tensors: dict[str, Tensor],
    meta: dict[str, Any],
    loss_S: Tensor,
) -> SavedState:
    """The arguments of ``TrainingLoop.load`` for a keyframe. loss_S: the losses of all steps up to it."""
    step, count, here = meta["step"], setup.plan.count, state.tensors()
    figures = {
        "identity": training_identity(setup, state),
        "step": step,
        "evaluated": meta["evaluated"],
        "pending": [],
    }
    if len(state.population) > 1:
        begins = count.end_of(count.ended(step)) == step  # an epoch, maybe with batches of another size
        content = {"seeds": state.population.seed_P} | tensors
        if begins:
            content["epoch.sums"] = torch.zeros_like(state.epoch_loss.sums)
        every = {name: content[name][: len(t)] for name, t in here.items()}
        return every, figures | {"epoch_count": 0 if begins else meta["epoch_count"]}
    epoch, ended = EpochLoss(1), count.ended(meta["step"])
    whole = count.end_of(ended)
    if ended:
        begin = count.end_of(ended - 1)
        epoch.add(loss_S[begin:whole].unsqueeze(1), whole - begin)
    if step > whole:
        epoch.add(loss_S[whole:step].unsqueeze(1), setup.plan.steps_per_epoch)
    states = [f"moment.{i}" for i in range(len(OPTIMIZERS[setup.shared.optimizer].states))]
    content = {name: tensors[name][: len(here[name])] for name in (*KEPT, *states) if name in here} | {
        "seeds": state.population.seed_P,
        "best.metric": torch.tensor(meta["best"][:1], dtype=torch.float64),
        "best.step": torch.tensor(meta["best"][1:], dtype=torch.int64),
        "epoch.sums": epoch.sums,
        "epoch.last": epoch.last,
        "status": torch.zeros(1, dtype=torch.int64),
        "stop_step": torch.zeros(1, dtype=torch.int64),
    }
    content |= {
        f"hp.{name}": torch.tensor([value], dtype=torch.float64) for name, value in meta["hp"].items()
    }
    return {name: content[name] for name in here}, figures | {"epoch_count": epoch.count}
