"""How a run moved its network: learning rate, gradients, updates and dead units, from playing it again."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from treino.words import _
from treino.workflows.drawing import File

if TYPE_CHECKING:
    from treino.inspection.dynamics import Dynamics, Instant
    from treino.workflows.run import Run

MOMENTS = 60
LOOKED_AT = 1000  # training rows on which a unit is called dead


def dynamics_picture(run: "Run") -> list[File]:
    from treino.plots.dynamics import dynamics_figure
    from treino.plots.style import png

    return [("dynamics.png", png(dynamics_figure(dynamics_of(run))))]


def dynamics_of(run: "Run") -> "Dynamics":
    """The run at up to 60 moments at even steps, each with its next update.

    Raises:
        TreinoError: the run can't be played again.
    """
    from treino.inspection.dynamics import dynamics
    from treino.inspection.landscape.ground import drawn

    rows = drawn(run.data.train, LOOKED_AT)
    return dynamics(
        run.name,
        _instants(run),
        run.loss_function,
        rows.x,
        _learning_rates(run),
        item_shape=run.item_shape,
        steps_per_epoch=int(run.spec["steps_per_epoch"]),
        notes=_notes(run),
    )


def _instants(run: "Run") -> Iterator["Instant"]:
    import numpy as np

    from treino.inspection.dynamics import Instant
    from treino.workflows.moments import last_step, moments

    last = last_step(run)
    chosen = set(np.round(np.linspace(0, max(0, last - 1), min(MOMENTS, max(1, last)))).astype(int).tolist())
    steps = sorted(chosen | {min(k + 1, last) for k in chosen})
    for now, then in pairwise(moments(run, steps)):
        if now.step in chosen:
            yield Instant(now.step, now.net, then.net, now.batch.x_BD, now.batch.y_B)


def _learning_rates(run: "Run") -> list[float]:
    from treino.engine.schedules import scale
    from treino.inspection.dynamics import lr_per_step
    from treino.workflows.moments import last_step

    s, per = run.settings, int(run.spec["steps_per_epoch"])
    planned = s["steps"] or s["epochs"] * per
    factors = [scale(s["schedule"], s["warmup"], step, planned) for step in range(last_step(run))]
    told = [
        (c.step, float(c.value))
        for c in run.folder.database.commands()
        if c.state == "applied" and c.name == "lr" and c.step is not None
    ]
    return lr_per_step(float(s["lr"]), factors, told)


def _notes(run: "Run") -> list[str]:
    """What a reader must know to read the gradients right."""
    s, said = run.settings, []
    if "missing_zero_grad" in s["fault"]:
        said.append(
            _("This run never clears its gradients: shown is each batch's own, its updates follow their sum.")
        )
    if run.status == "diverged":
        said.append(_("Diverged: shown up to the last update that left all weights finite."))
    return said


PICTURES: dict[str, Callable[["Run"], list[File]]] = {"dynamics": dynamics_picture}
