"""``treino study``: compare and time training settings, with a correct loop and with the course's faults."""

from typing import Any

from treino.cli.flags import DataName, ScreenFlag, given, with_flags
from treino.settings.options import ClusterOptions, StudyOptions


@with_flags
def study(
    source: DataName,
    /,
    *,
    options: StudyOptions,
    cluster: ClusterOptions,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Compare settings on DATA: seconds per epoch, epochs to a figure, loss and accuracy of every epoch.

    The networks take turns, an epoch each, so that a busy minute hits all of them. With --as-taught (or
    --fault) every row is trained once more with the faults of the beginners' loop. --optimizer and --shuffle
    may be several, with commas between; what isn't compared is said by the flags of 'treino train'. Ctrl-C
    saves; 'treino resume' goes on.

    Example: treino study mnist --batch-sizes 100,20,5 --lr 1e-4 --until loss=1.6,accuracy=0.9 --as-taught
    """
    from treino.cli.progress import follow
    from treino.folders.network_source import UserFiles
    from treino.training.sweeps.request import StudyRequest
    from treino.training.sweeps.study import study_events

    request = StudyRequest(source, given(flags), UserFiles(), place=cluster, options=options)
    return follow(study_events(request), screen)
