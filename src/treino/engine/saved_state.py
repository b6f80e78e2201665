"""Saved states of a training: tensors and JSON to resume it bit for bit, and keyframes at a fixed interval.

For a keyframe the kernel copies the member's rows between two steps: for a small network this costs a
hundredth of a step, while ending a chunk costs two or three steps. State that follows from the losses (the
sums of an epoch) isn't copied; ``saved_from_keyframe`` computes it again.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from treino.base.errors import Refusal
from treino.engine.kernels.selection import WORKERS
from treino.engine.optim import OPTIMIZERS
from treino.engine.population import Copies
from treino.engine.step_plan import Chunk
from treino.engine.training_setup import TrainingSetup
from treino.engine.training_state import EpochLoss, HyperparameterChange, TrainingState

SAVED_TYPE = Refusal(
    "A {tensors} and a {meta} are no saved training.", "Give what save() returned: training.load(*saved)."
)
SAVED_BY_ANOTHER = Refusal(
    "This state was saved by another training; these differ: {what}.",
    "Make the training with the arguments of the saved one.",
)

# ---- saved states

SavedState = tuple[dict[str, Tensor], dict[str, Any]]


def training_identity(setup: TrainingSetup, state: TrainingState) -> dict[str, Any]:
    """The values that must equal a saved state's values for this training to load it."""
    plan, model, loss, stopping = setup.plan, setup.model, setup.model.loss, setup.early_stopping
    population, orders = state.population, plan.orders
    return {
        "format": 1,
        "engine": setup.engine,
        "threads": 0 if setup.engine in WORKERS else setup.kernel.threads,  # workers change no bit
        "seeds": population.seed_P.tolist(),
        "parameters": list(model.layout.names),
        "shapes": [list(shape) for shape in model.layout.shapes],
        "optimizer": [model.optimizer, model.nesterov],
        "loss": [loss.name, loss.label_smoothing, list(loss.class_weights or ()), loss.softmax_first],
        "summed": model.summed,
        "averages": model.averages,
        "dtype": str(model.dtype),
        "rows": _shared([orders[k][1] for k in population.order_P.tolist()]) if orders else plan.rows,
        "batch_size": plan.batch_size,
        "batches": plan.batches,
        "steps": plan.steps,
        "schedule": _shared([list(plan.schedules[k]) for k in population.schedule_P.tolist()]),
        "choosing": [stopping.patience, stopping.metric, stopping.keep, plan.evaluates],
        "order": [plan.shuffle, plan.data_seed, *plan.augmentation.identity],
        "bags": None
        if setup.bags is None or setup.bags.own
        else [setup.bags.digest_G[bag] for bag in population.bag_P.tolist()],
    }


def _shared(values: list[Any]) -> Any:
    """One value if all members share it, else one per member."""
    return values[0] if all(each == values[0] for each in values) else values


def save_state(setup: TrainingSetup, state: TrainingState) -> SavedState:
    """The complete state as tensors (copies on the CPU) and JSON values."""
    meta = {
        "identity": training_identity(setup, state),
        "step": state.step,
        "evaluated": state.evaluated_step,
        "epoch_count": state.epoch_loss.count,
        # as text: JSON has no infinity, the value of ``clip`` for no clipping
        "changed": state.changed_step,
        "pending": [[c.step, c.name, [repr(v) for v in c.value]] for c in state.pending],
    }
    return {n: t.detach().to("cpu", copy=True).contiguous() for n, t in state.tensors().items()}, meta


def save_rows(setup: TrainingSetup, state: TrainingState, index: list[int], clock: list[int]) -> SavedState:
    """Save these members as if they were trained alone. clock: their step, the step of their last
    evaluation, and the steps done in the present epoch."""
    alone = state.rows(index)
    alone.step, alone.evaluated_step, alone.epoch_loss.count = clock
    return save_state(setup, alone)


def load_state(
    setup: TrainingSetup, state: TrainingState, tensors: dict[str, Tensor], meta: dict[str, Any]
) -> None:
    """Load a saved state.

    Raises:
        TreinoError: the state was saved by a different training.
    """
    if not isinstance(tensors, dict) or not isinstance(meta, dict):
        raise SAVED_TYPE(tensors=type(tensors).__name__, meta=type(meta).__name__)
    mine, saved, here = training_identity(setup, state), meta.get("identity", {}), state.tensors()
    other = [name for name, value in mine.items() if saved.get(name) != value]
    other += [n for n, t in here.items() if n not in tensors or tensors[n].shape != t.shape]
    if other:
        raise SAVED_BY_ANOTHER(what=", ".join(other))
    for name, tensor in here.items():
        tensor.copy_(tensors[name])  # in place, as tensors from a file aren't aligned to 64 bytes
    state.find_running()
    state.step, state.evaluated_step = meta["step"], meta["evaluated"]
    state.epoch_loss.count = meta["epoch_count"]
    state.changed_step = max(state.changed_step, meta.get("changed", 0))  # keyframes don't hold it
    state.pending = [
        HyperparameterChange(step, name, tuple(float(v) for v in values))
        for step, name, values in meta["pending"]
    ]


# ---- keyframes

KEPT = ("params", "grads", "average", "buffers", "best.params", "best.buffers")  # and the optimizer's moments


@dataclass(frozen=True, eq=False)
class Keyframe:
    """A training after ``step`` updates: arrays, and numbers in meta, named as in ``save``.

    With several members it holds the complete state, as the run records only the mean of their losses.
    """

    step: int
    arrays: Copies
    meta: dict[str, Any]


@dataclass(eq=False)
class KeyframeBuffer:
    """The keyframes since the last ``take``. every: steps between keyframes; 0: no keyframes."""

    every: int = 0
    frames: list[Keyframe] = field(default_factory=list)
    best: Copies = field(default_factory=dict)
    best_figures: tuple[int, float, int] = (-1, 0.0, -2)  # step of the evaluation, best value, its step
    hp: dict[str, float] = field(default_factory=dict)

    def start(self, state: TrainingState, every: int) -> None:
        """Take a keyframe at each multiple of ``every`` from now on, and one now if at step 0."""
        self.every = every
        if state.step == 0:
            self._add_at(state)

    def border(self, state: TrainingState) -> int | None:
        """The step of the next keyframe, if chunks must end there, as with several members; else None."""
        many = self.every and len(state.population) > 1
        return state.step - state.step % self.every + self.every if many else None

    def due(self, state: TrainingState, first: int, stop: int) -> frozenset[int]:
        """The steps after which the kernel copies the member, counted from ``first``: 1: after one step."""
        if not self.every or len(state.population) > 1:
            return frozenset()
        steps = range(first + self.every - first % self.every, stop + 1, self.every)
        return frozenset(step - first for step in steps)

    def add(self, state: TrainingState, chunk: Chunk, *, evaluated: bool) -> None:
        """Add the kernel's copies before the chunk's end, then, when it is evaluated, the state at its
        end."""
        if evaluated and len(state.population) > 1 and self.every and state.step % self.every == 0:
            self._add_at(state)
        for step, copies in self._copied(state, chunk):
            if (step == state.step) == evaluated:
                self._add(state, step, copies)

    def take(self) -> list[Keyframe]:
        """Return all keyframes and empty the buffer."""
        frames, self.frames = self.frames, []
        return frames

    def _copied(self, state: TrainingState, chunk: Chunk) -> list[tuple[int, Copies]]:
        """Return (step, copies) from the kernel, without copies after a diverged member's last good
        update."""
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
        """Add a keyframe. copies: the member's rows; the rest comes from the present state."""
        if state.evaluated_step != self.best_figures[0]:
            self._copy_best(state, step, copies)
        if not self.hp:
            self.hp = {name: float(value_P[0]) for name, value_P in state.population.hp.items()}
        evaluated, metric, best_step = self.best_figures
        meta = {"step": step, "evaluated": evaluated, "best": [metric, best_step], "hp": self.hp}
        self.frames.append(Keyframe(step, copies | self.best, meta))

    def _copy_best(self, state: TrainingState, now: int, copies: Copies) -> None:
        """Copy the best weights for the keyframes until the next evaluation; reuse ``copies`` if this step is
        the best."""
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
    """The complete state without the seeds, which the training's settings hold."""
    return {name: t.detach().cpu().numpy() for name, t in state.tensors().items() if name != "seeds"}


def keyframe_bytes(state: TrainingState) -> int:
    """The size of one keyframe in bytes."""
    if len(state.population) > 1:
        return sum(array.nbytes for array in _whole(state).values())
    copies = state.population.copies().values()
    return sum(a.nbytes for a in copies) + state.best.params.nbytes + state.best.buffers.nbytes


def keyframe_of_saved(saved: SavedState) -> tuple[Copies, dict[str, Any]]:
    """The arrays and meta of a keyframe, from the result of ``TrainingLoop.save``."""
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
    ended_P = arrays["stop_step"] == meta["step"]  # members that ended at this step train on from a keyframe
    arrays["status"][ended_P], arrays["stop_step"][ended_P] = 0, 0
    return arrays, {name: meta[name] for name in ("step", "evaluated", "epoch_count")}


def saved_from_keyframe(
    setup: TrainingSetup,
    state: TrainingState,
    tensors: dict[str, Tensor],
    meta: dict[str, Any],
    loss_S: Tensor,
) -> SavedState:
    """The arguments of ``TrainingLoop.load`` for a keyframe. loss_S: the losses of all its steps."""
    step, count, here = meta["step"], setup.plan.count, state.tensors()
    figures = {
        "identity": training_identity(setup, state),
        "step": step,
        "evaluated": meta["evaluated"],
        "pending": [],
    }
    if len(state.population) > 1:
        begins = count.end_of(count.ended(step)) == step  # an epoch begins, maybe with another batch size
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
    states = [f"moment.{i}" for i in range(len(OPTIMIZERS[setup.model.optimizer].states))]
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
