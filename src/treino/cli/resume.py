"""``treino resume``: go on after a Ctrl-C, a kill or a power cut."""

from treino.cli.flags import DataFile, Net, RunName, ScreenFlag, Trust
from treino.words import _


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
    from treino.cli.summary import summary
    from treino.store import find
    from treino.workflows.train import resuming

    ended = follow(resuming(find(run), net=net, trust=trust, data_file=data_file), screen)
    screen.document(ended.run.document)
    if ended.interrupted:
        raise KeyboardInterrupt(_("Saved. Go on with: treino resume {run}").format(run=ended.run.typed))
    screen.out.print(summary(ended.run))
    return 0
