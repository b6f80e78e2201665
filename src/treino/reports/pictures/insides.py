"""Pictures of a run's network: its diagram, weights, confusion, mistakes, importance and dependence."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.folders.stored_run import StoredRun
from treino.inspection.calibration import calibration
from treino.inspection.dependence import MOST_COLUMNS, dependence, drawable
from treino.inspection.feature_importance import Importances, importances
from treino.inspection.outputs import Mistakes, confusion, mistakes
from treino.inspection.thumbnails import FirstWeights, first_weights
from treino.inspection.unit_responses import UnitDiagram, insides
from treino.plots.confusion import calibration_figure, confusion_figure
from treino.plots.importance import dependence_figure, importance_figure
from treino.plots.mistakes import mistakes_figure
from treino.plots.network import network_svg
from treino.plots.style import png
from treino.plots.weights import weights_figure
from treino.reports.pictures import File, network_errors, once, plane_of, shown_splits

CONFUSION_OF_NUMBERS = Refusal(
    "{run} predicts the number {target}, and no classes that could be mixed up.",
    "Look at [[what=mistakes]], the largest residuals, or at boundary.",
)
CALIBRATION_UNANSWERED = Refusal("The outputs of {run} are finite on no row.", "Look at [[what=curves]].")


def network_picture(run: StoredRun) -> list[File]:
    run = run.member()
    seen, splits = plane_of(run), shown_splits(run)
    shown = insides(run.module, run.data, item_shape=run.item_shape, splits=splits, seen=seen)
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
        raise CONFUSION_OF_NUMBERS(run=run.name, target=run.data.target)
    shown = confusion(run.module, run.data, splits=shown_splits(run), item_shape=run.item_shape)
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
    shown = calibration(run.module, run.data, splits=shown_splits(run), item_shape=run.item_shape)
    if shown is None:
        raise CALIBRATION_UNANSWERED(run=run.name)
    return [("calibration.png", png(calibration_figure(shown)))]


def mistakes_picture(run: StoredRun) -> list[File]:
    shown = mistakes_of(run)
    columns: tuple[str, ...] = ()
    if len(shown) and shown.items is None and len(shown.features) > 1:
        with suppress(TreinoError):  # undefined for one row, or for outputs that are not finite
            columns = _importances(run).of_columns
    return [("mistakes.png", png(mistakes_figure(shown, columns)))]


@once
def mistakes_of(run: StoredRun) -> Mistakes:
    """Return the worst mistakes of the kept network."""
    return mistakes(run.module, run.data, splits=shown_splits(run), item_shape=run.item_shape)


def importance_picture(run: StoredRun) -> list[File]:
    return [("importance.png", png(importance_figure(_importances(run), run.data.name)))]


def dependence_picture(run: StoredRun) -> list[File]:
    data, able = run.data, drawable(run.data)
    if not able:
        dependence(run.module, data, data.features[0], item_shape=run.item_shape)  # raises if there is none
    measured = _importances(run)
    columns = [name for name in measured.of_columns if name in able][:MOST_COLUMNS]
    shown = [dependence(run.module, data, name, item_shape=run.item_shape) for name in columns or able]
    together = [([measured.names[k] for k in t.columns], t.correlation) for t in measured.together]
    known: dict[str, Any] = {"classes": data.classes, "target": data.target, "columns": len(data.features)}
    return [("dependence.png", png(dependence_figure(shown, data.name, together=together, **known)))]


@once
def _importances(run: StoredRun) -> Importances:
    with network_errors(run):
        return importances(
            run.module, run.data, run.loss_function, splits=shown_splits(run), item_shape=run.item_shape
        )
