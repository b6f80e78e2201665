"""Pictures of a run's network: its diagram, weights, confusion, mistakes, importance and dependence."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np

from treino.errors import TreinoError
from treino.inspection.calibration import calibration
from treino.inspection.dependence import MOST_COLUMNS, dependence, drawable
from treino.inspection.dynamics import LOOKED_AT, MOMENTS, Dynamics, UpdateRecord, dynamics
from treino.inspection.feature_importance import Importances, importances
from treino.inspection.input_planes import Split
from treino.inspection.loss_surface import drawn
from treino.inspection.outputs import confusion, mistakes
from treino.inspection.thumbnails import FirstWeights, first_weights
from treino.inspection.unit_responses import UnitDiagram, insides
from treino.pictures import File, RunPicture, network_errors
from treino.plots.confusion import calibration_figure, confusion_figure
from treino.plots.dynamics import dynamics_figure
from treino.plots.importance import dependence_figure, importance_figure
from treino.plots.mistakes import mistakes_figure
from treino.plots.network import network_svg, weights_figure
from treino.plots.style import png
from treino.records.segments import epoch_count, layers_from, path_of
from treino.records.stored_run import StoredRun
from treino.training.replay import last_step, snapshots
from treino.words import _

# ---- the network


def network_picture(run: StoredRun) -> list[File]:
    run = run.member()
    with network_errors(run):
        shown = insides(run.module, run.data, item_shape=run.item_shape, splits=_splits(run))
    return [("network.svg", network_svg(_named(shown, run)).encode())]


Named = TypeVar("Named", UnitDiagram, FirstWeights)


def _named(shown: Named, run: StoredRun) -> Named:
    """Add the shown member's number if the run is an ensemble."""
    return shown if run.one is None else replace(shown, name=run.title)


def weights_picture(run: StoredRun) -> list[File]:
    run = run.member()
    shown = first_weights(run.module, run.data, item_shape=run.item_shape)
    return [("weights.png", png(weights_figure(_named(shown, run))))]


def confusion_picture(run: StoredRun) -> list[File]:
    if not run.data.classes:
        raise TreinoError(
            "confusion_of_numbers",
            _("{run} predicts the number {target}, and no classes that could be mixed up.").format(
                run=run.name, target=run.data.target
            ),
            _("Look at [[what=mistakes]], the largest residuals, or at boundary."),
        )
    shown = confusion(run.module, run.data, splits=_splits(run), item_shape=run.item_shape)
    return [("confusion.png", png(confusion_figure(shown)))]


def calibration_picture(run: StoredRun) -> list[File]:
    if not run.data.classes:
        raise TreinoError(
            "calibration_of_numbers",
            _("{run} predicts the number {target}, and no probabilities.").format(
                run=run.name, target=run.data.target
            ),
            _("Its predictions carry intervals: treino predict {run} DATA").format(run=run.typed),
        )
    with network_errors(run):
        shown = calibration(run.module, run.data, splits=_splits(run), item_shape=run.item_shape)
    if shown is None:
        raise TreinoError(
            "calibration_unanswered",
            _("The outputs of {run} are finite on no row.").format(run=run.name),
            _("Look at [[what=curves]]."),
        )
    return [("calibration.png", png(calibration_figure(shown)))]


def mistakes_picture(run: StoredRun) -> list[File]:
    shown = mistakes(run.module, run.data, splits=_splits(run), item_shape=run.item_shape)
    columns: tuple[str, ...] = ()
    if len(shown) and shown.items is None and len(shown.features) > 1:
        with suppress(TreinoError):  # undefined for one row, or for outputs that are not finite
            columns = _importances(run).names
    return [("mistakes.png", png(mistakes_figure(shown, columns)))]


def importance_picture(run: StoredRun) -> list[File]:
    shown, data = _importances(run), run.data
    mean = None
    if shown.patch:
        mean = data.preparation.inverse(data.train.x[:1000].mean(dim=0)[None]).reshape(data.item_shape)
    return [("importance.png", png(importance_figure(shown, data.name, mean)))]


def dependence_picture(run: StoredRun) -> list[File]:
    data, able = run.data, drawable(run.data)
    if not able:
        dependence(run.module, data, data.features[0], item_shape=run.item_shape)  # raises if there is none
    measured = _importances(run)
    columns = [name for name in measured.names if name in able][:MOST_COLUMNS]
    with network_errors(run):
        shown = [dependence(run.module, data, name, item_shape=run.item_shape) for name in columns or able]
    figure = dependence_figure(
        shown,
        data.name,
        classes=data.classes,
        target=data.target,
        columns=len(data.features),
        together=[([measured.names[k] for k in t.columns], t.correlation) for t in measured.together],
    )
    return [("dependence.png", png(figure))]


def _importances(run: StoredRun) -> Importances:
    with network_errors(run):
        return importances(
            run.module, run.data, run.loss_function, splits=_splits(run), item_shape=run.item_shape
        )


def _splits(run: StoredRun) -> tuple[Split, ...]:
    """Return the splits whose rows may be shown: no test rows if the run may continue."""
    over = run.status in ("finished", "diverged")
    return ("train", "validation", "test") if over else ("train", "validation")


# ---- gradients


def dynamics_picture(run: StoredRun) -> list[File]:
    return [("dynamics.png", png(dynamics_figure(dynamics_of(run))))]


def dynamics_of(run: StoredRun) -> Dynamics:
    """Return the run's dynamics at up to 60 evenly spaced steps and at changes of the learning rate, each
    with the following update.

    Raises:
        TreinoError: the run can't be replayed.
    """
    run = run.member()
    rows, count = drawn(run.data.train, LOOKED_AT), epoch_count(run.spec)
    return dynamics(
        run.title,
        _instants(run),
        run.loss_function,
        rows.x,
        item_shape=run.item_shape,
        steps_per_epoch=count.steps_per_epoch if count.previous is None else None,
        notes=_notes(run),
    )


def _instants(run: StoredRun) -> Iterator[UpdateRecord]:

    last = last_step(run)
    even = np.round(np.linspace(0, max(0, last - 1), min(MOMENTS, max(1, last)))).astype(int).tolist()
    chosen = sorted({*even, *(step for step in _turns(run) if step < last)})
    until = dict(zip(chosen, [*chosen[1:], last], strict=True))
    for now, then in pairwise(snapshots(run, {*chosen, *(min(k + 1, last) for k in chosen)})):
        if now.step in until:
            rates = now.learning_rates(until[now.step])
            batch, loss = now.batch, now.loss_function
            yield UpdateRecord(now.step, now.net, then.net, batch.x_BD, batch.y_B, rates, loss)


def _turns(run: StoredRun) -> set[int]:
    """Return the steps at which the learning rate changed: by a command, or in a new segment."""

    changed_steps = {
        c.step for c in run.folder.database.commands() if c.state == "applied" and c.name == "lr"
    }
    return {step for step in changed_steps if step is not None} | {link.first for link in path_of(run.spec)}


def _notes(run: StoredRun) -> list[str]:
    """Return notes needed to read the gradients correctly."""
    s, sentences = run.settings, []
    if "missing_zero_grad" in s["fault"]:
        sentences.append(
            _("This run never clears its gradients: shown is each batch's own, its updates follow their sum.")
        )
    if first := layers_from(run.spec):
        sentences.append(
            _("Its layers are those of now from step {step:,} on; before, only the rate is shown.").format(
                step=first
            )
        )
    if run.status == "diverged":
        sentences.append(_("Diverged: shown up to the last update that left all weights finite."))
    return sentences


PICTURES: dict[str, RunPicture] = {
    "dynamics": RunPicture(dynamics_picture),
    "network": RunPicture(network_picture, ("network.svg",)),
    "weights": RunPicture(weights_picture),
    "confusion": RunPicture(confusion_picture),
    "calibration": RunPicture(calibration_picture),
    "mistakes": RunPicture(mistakes_picture),
    "importance": RunPicture(importance_picture),
    "dependence": RunPicture(dependence_picture),
}
