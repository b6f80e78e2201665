"""A run's learning curves as numbers, from its folder."""

import treino.inspection.curves as run_curves
from treino.folders.run_records import training_losses
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import epoch_count
from treino.inspection.curves import Curves


def curves_of(run: StoredRun) -> Curves:
    """Return the run's curves as numbers; while it runs, the curves up to now."""
    evaluated, count, result = run.evaluations, epoch_count(run.spec), run.result
    mean_E, deviation_E = (
        training_losses(run.losses, count) if result is None else (result.loss.train, result.loss_std.train)
    )
    metric = next((m for m in ("accuracy", "rmse") if any(m in of for of in evaluated.values())), "")
    return run_curves.curves(
        run.name,
        mean_E,
        deviation_E,
        evaluated=evaluated,
        metric=metric,
        kept_epoch=None if result is None or result.members else result.kept_epoch,  # differs by member
        step_loss=run.losses,
        count=count,
        diverged_step=result.steps if result and run.status == "diverged" else None,
        members=run.member_evaluations,
    )
