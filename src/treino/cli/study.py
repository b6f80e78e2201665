"""``treino study``: compare and time training settings, with a correct loop and with the course's faults."""

from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter

from treino.cli.flags import WHOLE, ClusterFlags, ScreenFlag, with_flags

CellFlag = Annotated[
    list[str] | None,
    Parameter(
        help="one more row with settings of its own, several times: batch_size=5,lr=1e-6,weight_decay=5e-6",
        negative=(),
    ),
]


@with_flags
def study(
    source: Annotated[str, Parameter(name="DATA", help="a built-in or a file, as for 'treino train'")],
    /,
    *,
    batch_sizes: Annotated[
        str | None, Parameter(help="batch sizes to compare; default: 100,20,5 where nothing else is compared")
    ] = None,
    until: Annotated[
        str | None,
        Parameter(
            help="count the epochs to loss=1.6 (of training rows), accuracy=0.9 (of validation rows) or "
            "both, a comma between; a bare number is a loss"
        ),
    ] = None,
    cell: CellFlag = None,
    compare: Annotated[
        str | None,
        Parameter(
            help="settings to set to all of their values: normalise, batch_norm, shuffle, impute, optimizer"
        ),
    ] = None,
    seeds: Annotated[int | None, WHOLE, Parameter(help="networks of each row; default: 1")] = None,
    cluster: ClusterFlags,
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
    from treino.training.studies.study import study_events

    settings = {k: v for k, v in flags.items() if v is not None}
    where = {k: settings.pop(k, None) for k in ("name", "out")}
    events = study_events(
        source,
        settings=settings,
        networks=UserFiles(),
        batch_sizes=batch_sizes,
        until=until,
        cells=cell,
        compare=compare,
        seeds=seeds,
        **asdict(cluster),
        **where,
    )
    return follow(events, screen)
