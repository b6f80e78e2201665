"""``treino resume``: go on after a Ctrl-C, a kill or a power cut."""

from treino.cli.flags import DataFile, Net, RunName, ScreenFlag, Trust


def resume(
    run: RunName = "last",
    /,
    *,
    net: Net = None,
    trust: Trust = False,
    data_file: DataFile = None,
    screen: ScreenFlag,
) -> int:
    """Go on with an interrupted run, from its last checkpoint, bit for bit.

    Example: treino resume last
    """
    from treino.cli.progress import follow
    from treino.store import find
    from treino.workflows.train import resuming

    return follow(resuming(find(run), net=net, trust=trust, data_file=data_file), screen)
