"""A training as tensors and JSON: everything that going on bit for bit needs, and whose it is."""

from typing import TYPE_CHECKING, Any

from torch import Tensor

from treino.errors import TreinoError
from treino.words import _

if TYPE_CHECKING:
    from treino.engine.training_loop import Training

SavedState = tuple[dict[str, Tensor], dict[str, Any]]


def training_identity(training: "Training") -> dict[str, Any]:
    """What must be equal for a saved state to be this training's."""
    plan, shared, loss = training.plan, training.shared, training.loss_function
    return {
        "format": 1,
        "engine": training.engine,
        "threads": 0 if training.engine == "flat-bmm" else training.threads,  # workers change no bit
        "seeds": training._population.seed_P.tolist(),
        "parameters": list(shared.layout.names),
        "shapes": [list(shape) for shape in shared.layout.shapes],
        "optimizer": [shared.optimizer, shared.nesterov],
        "loss": [loss.name, loss.label_smoothing, list(loss.class_weights or ()), loss.softmax_first],
        "summed": shared.summed,
        "dtype": str(shared.dtype),
        "rows": plan.rows,
        "batch_size": plan.batch_size,
        "batches": plan.batches,
        "steps": plan.steps,
        "schedule": _schedules(training),
        "choosing": [plan.patience, plan.metric, plan.keep, plan.evaluates],
        "order": [plan.shuffle, plan.data_seed],
    }


def _schedules(training: "Training") -> list[Any]:
    """The one of all members, or the one of each."""
    found = [list(schedule) for schedule in training.plan.schedules]
    return found[0] if len(found) == 1 else [found[k] for k in training._population.schedule_P.tolist()]


def save(training: "Training") -> SavedState:
    """-> copies on the CPU, and what JSON can hold."""
    meta = {
        "identity": training_identity(training),
        "step": training.step,
        "evaluated": training._evaluated,
        "epoch_count": training._epoch_loss.count,
        # as text, for JSON has no infinity, which is "no clipping"
        "pending": [[c.step, c.name, [repr(v) for v in c.value]] for c in training._pending],
    }
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in training._state().items()}, meta


def load(
    training: "Training", tensors: dict[str, Tensor], meta: dict[str, Any]
) -> list[tuple[int, str, list[float]]]:
    """Put a saved state in place; -> the commands that are still to come.

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
    mine, saved, here = training_identity(training), meta.get("identity", {}), training._state()
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
        tensor.copy_(tensors[name])  # into place: what comes from a file doesn't start on a 64-byte line
    training.step, training._evaluated = meta["step"], meta["evaluated"]
    training._epoch_loss.count = meta["epoch_count"]
    return [(step, name, [float(v) for v in values]) for step, name, values in meta["pending"]]
