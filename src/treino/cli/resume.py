"""``treino resume``: continue a training after Ctrl-C, a kill or a power cut."""

from typing import Annotated

from cyclopts import Parameter

from treino.cli.flags import AccessFlags, RunName, ScreenFlag, with_flags


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
    from treino.folders import resume_events
    from treino.store import RunFolder, find

    folder = RunFolder.open(find(run), verify=False)
    return follow(resume_events(folder, flags.access, storage=storage), screen)
