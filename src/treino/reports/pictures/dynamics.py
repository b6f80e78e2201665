"""The picture of a run's gradients, updates and dead units per step, measured during a replay."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from treino.base.text import that_hold
from treino.base.words import _
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import epoch_count, path
from treino.inspection.dynamics import LOOKED_AT, MOMENTS, Dynamics, UpdateRecord, dynamics
from treino.inspection.input_planes import draw
from treino.plots.dynamics import dynamics_figure
from treino.plots.style import png
from treino.reports.pictures import File
from treino.training.replay import last_step, snapshots


def dynamics_picture(run: StoredRun) -> list[File]:
    return [("dynamics.png", png(dynamics_figure(dynamics_of(run))))]


def dynamics_of(run: StoredRun) -> Dynamics:
    """Return gradients, dead units and the next update at up to 60 evenly spaced steps, and at each change
    of the learning rate.

    Raises:
        TreinoError: the run can't be replayed.
    """
    run = run.member()
    rows, count = draw(run.data.train, LOOKED_AT), epoch_count(run.spec)
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
    changed_steps = {change.step for change in run.timeline.held() if "lr" in change.settings}
    return changed_steps | {stretch.first for stretch in path(run.spec)}


def _notes(run: StoredRun) -> list[str]:
    """Return notes needed to read the gradients correctly."""
    first = run.timeline.layers_since
    sentences = {
        _("This run never clears its gradients: shown is each batch's own, its updates follow their sum."): (
            "missing_zero_grad" in run.settings["fault"]
        ),
        _("Its layers are those of now from step {step:,} on; before, only the rate is shown."): first,
        _("Diverged: shown up to the last update that left all weights finite."): run.status == "diverged",
    }
    return that_hold(sentences, step=first)
