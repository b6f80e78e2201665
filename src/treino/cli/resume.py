"""``treino resume``: continue a training after Ctrl-C, a kill or a power cut."""

from typing import Annotated

from cyclopts import Parameter

from treino.cli.flags import DataFile, Net, RunName, ScreenFlag, Trust
from treino.errors import TreinoError
from treino.words import _


def resume(
    run: RunName = "last",
    /,
    *,
    net: Net = None,
    trust: Trust = False,
    data_file: DataFile = None,
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
        events = study.study_resumption(path, net=net, trust=trust, data_file=data_file)
    elif kind == "sweep":
        events = sweep.sweep_resumption(path, net=net, trust=trust, data_file=data_file, storage=storage)
    else:
        events = illustrated(train.resuming(path, net=net, trust=trust, data_file=data_file))
    return follow(events, screen)
