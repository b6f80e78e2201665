"""A training's state as tensors and JSON, complete to resume it bit for bit."""

from typing import Any

from torch import Tensor

from treino.engine.kernels.selection import WORKERS
from treino.engine.training_setup import TrainingSetup
from treino.engine.training_state import HyperparameterChange, TrainingState
from treino.errors import TreinoError
from treino.words import _

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
