"""Pictures of a run's learning curves, of several runs' curves together, and of its decision boundary."""

from collections.abc import Sequence

from treino.base.errors import Refusal
from treino.base.text import that_hold
from treino.base.words import _
from treino.folders.run_curves import curves_of
from treino.folders.stored_run import StoredRun
from treino.inspection.boundary import boundary
from treino.plots.boundary import boundary_figure
from treino.plots.curves import MOST, alarms, curves_figure, overlay_figure
from treino.plots.style import label, png
from treino.reports.pictures import File, plane_of, shown_splits

CURVES_MANY = Refusal(
    "{n} runs were given, and a picture of curves holds from 1 to {most}.",
    "Choose those that you want to compare.",
)
SMOOTH_RANGE = Refusal(
    "smooth is {value}, and the weight of the past lies from 0 to below 1.",
    "Use e.g. 0.9; 0 shows the curves as they were measured.",
)

# ---- learning curves


def curves_picture(run: StoredRun) -> list[File]:
    return [("curves.png", png(curves_figure(curves_of(run))))]


def overlaid(runs: Sequence[StoredRun], smooth: float = 0.0) -> list[File]:
    """Draw several runs' curves in one picture. smooth: the weight of the past, from 0 to below 1.

    Raises:
        TreinoError: more runs than colours, or a ``smooth`` out of range.
    """
    if not 1 <= len(runs) <= MOST:
        raise CURVES_MANY(n=len(runs), most=MOST)
    if not 0 <= smooth < 1:
        raise SMOOTH_RANGE(value=smooth)
    shown = [curves_of(run) for run in runs]
    diverged = [f"{label(one.name, 40)}: {sentence}" for one in shown for sentence in alarms(one)]
    return [("curves-of-several.png", png(overlay_figure(shown, smooth, [*_not_alike(runs), *diverged])))]


def _not_alike(runs: Sequence[StoredRun]) -> list[str]:
    """Say why the curves' heights are hard to compare."""
    other_losses = len({run.loss_function for run in runs}) > 1
    other_data = len({(run.spec.data.name, run.resolved.target) for run in runs}) > 1
    sentences = {
        _("The runs were trained with different losses: compare their metric, not their loss."): other_losses,
        _("The runs were trained on different data."): other_data,
    }
    return that_hold(sentences)


# ---- decision boundary, or fit


def boundary_picture(run: StoredRun) -> list[File]:
    seen = plane_of(run) if run.data.classes else None
    view = boundary(run.module, run.data, item_shape=run.item_shape, splits=shown_splits(run), seen=seen)
    return [("boundary.png", png(boundary_figure(view)))]
