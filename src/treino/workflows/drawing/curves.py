"""A run's curves over its epochs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from treino.workflows.drawing import File

if TYPE_CHECKING:
    from treino.inspection.curves import Curves
    from treino.workflows.run import Run


def curves_of(run: "Run") -> "Curves":
    """The run's curves as numbers; of a run that is not over, those that there are."""
    from treino.inspection.curves import curves

    d = run.document
    evaluated, per_epoch = run.evaluations, run.spec["steps_per_epoch"]
    metric = next((m for m in ("accuracy", "rmse") if any(m in of for of in evaluated.values())), "")
    return curves(
        run.name,
        d["loss"]["train"],
        d["loss_std"]["train"],
        evaluated=evaluated,
        metric=metric,
        kept_epoch=d.get("kept_epoch"),
        step_loss=run.losses,
        steps_per_epoch=per_epoch,
        diverged_step=d["steps"] if d["status"] == "diverged" else None,
    )


def curves_picture(run: "Run") -> list[File]:
    from treino.plots.curves import curves_figure
    from treino.plots.style import png

    return [("curves.png", png(curves_figure(curves_of(run))))]


PICTURES: dict[str, Callable[["Run"], list[File]]] = {"curves": curves_picture}
