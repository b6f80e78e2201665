"""``treino resume``: continue a training after Ctrl-C, a kill or a power cut."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from treino.cli.flags import AccessFlags, RunName, ScreenFlag, with_flags
from treino.errors import TreinoError
from treino.words import _


@with_flags
def resume(
    run: RunName = "last",
    /,
    *,
    flags: AccessFlags,
    storage: Annotated[str | None, Parameter(help="Optuna's storage of a sweep that has one, again")] = None,
    screen: ScreenFlag,
) -> int:
    """Go on with an interrupted run, sweep or study, from its last checkpoint, bit for bit.

    Example: treino resume last
    """
    from treino.cli.progress import follow
    from treino.pictures.illustration import illustrated
    from treino.store import RunFolder, find
    from treino.studies import study
    from treino.training import train
    from treino.tuning import sweep

    path = find(run)
    kind = RunFolder.open(path, verify=False).kind
    if storage is not None and kind != "sweep":
        raise TreinoError(
            "storage_of_no_sweep",
            _("{run} is no sweep, and trials of Optuna's are of sweeps.").format(run=path.name),
            _("Leave [[storage]] out."),
        )
    if kind == "study":
        events = study.study_resumption(path, **asdict(flags))
    elif kind == "sweep":
        events = sweep.sweep_resumption(path, storage=storage, **asdict(flags))
    else:
        events = illustrated(train.resuming(path, **asdict(flags)))
    return follow(events, screen)
