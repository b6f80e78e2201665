"""The loss of a run's batch, formula by formula, for any of the losses."""

from treino.inspection.microscope import number_losses
from treino.inspection.microscope.class_losses import bce_steps, cross_entropy_steps, row_steps
from treino.inspection.microscope.explanation import Step
from treino.inspection.microscope.update import Update


def loss_steps(update: Update) -> tuple[Step, ...]:
    """The steps of one row's loss, the mean, and the slope at one output, by ``output_unit``."""
    out, y, row, loss = update.through[-1].h, update.batch.y, update.row, update.loss
    last = len(update.layers) - 1
    if loss.name == "cross_entropy":
        return cross_entropy_steps(loss, out, y, row, output_unit(update))
    if loss.name == "bce":
        return bce_steps(out, y, row)
    if loss.kind.of_classes:
        return row_steps(loss, out, y, row, output_unit(update))
    columns = out.shape[1]
    place = row * columns + (update.place.i if update.place.layer == last else 0)
    return number_losses.steps(loss.name, out.reshape(-1), y.reshape(-1), place)


def output_unit(update: Update) -> int:
    """The output whose slope is shown: that of the chosen weight, else that of the row's class."""
    last = update.place.layer == len(update.layers) - 1
    return update.place.i if last else int(update.batch.y[update.row])
