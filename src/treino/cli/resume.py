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
    from treino.store import RunFolder, find
    from treino.training.train import resuming

    path = find(run)
    kind = RunFolder.open(path, verify=False).kind
    if storage is not None and kind != "sweep":
        raise TreinoError(
            "storage_of_no_sweep",
            _("{run} is no sweep, and trials of Optuna's are of sweeps.").format(run=path.name),
            _("Leave [[storage]] out."),
        )
    if kind == "study":
        from treino.cli.study import follow as follow_study
        from treino.studies.study import resuming as resuming_study

        return follow_study(resuming_study(path, data_file=data_file, net=net, trust=trust), screen)
    if kind == "sweep":
        from treino.cli.sweep_progress import follow as follow_sweep
        from treino.tuning.sweep import resuming as resuming_sweep

        events = resuming_sweep(path, data_file=data_file, net=net, trust=trust, storage=storage)
        return follow_sweep(events, screen)
    return follow(resuming(path, net=net, trust=trust, data_file=data_file), screen)
