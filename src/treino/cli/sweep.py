"""``treino sweep``: train many networks, and judge the best of them."""

from typing import Annotated, Any

from cyclopts import Parameter

from treino.base.option_marks import CODE, READ
from treino.cli.flags import DataName, ScreenFlag, Track, given, with_flags
from treino.settings.options import ClusterOptions, SweepOptions
from treino.settings.spec import is_plain_row

SpaceFlag = Annotated[
    list[str] | None,
    Parameter(
        help="what to try, several times: lr=1e-4..1e-1:log, 'hidden=16|64|64,32', dropout=0..0.5, "
        "'momentum=0..0.9 if optimizer=sgd'; or a TOML file of the same"
    ),
    (CODE | READ).unless(is_plain_row),
]


@with_flags
def sweep(
    source: DataName,
    /,
    *,
    space: SpaceFlag = None,
    options: SweepOptions,
    cluster: ClusterOptions,
    track: Track = None,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Train many networks on DATA as one program, keep the best, and say how much of it is luck.

    What --space doesn't vary is said by the flags of 'treino train'. Ctrl-C saves; 'treino resume' goes on.

    Example: treino sweep wine --space lr=1e-4..1e-1:log --space 'hidden=16|64|64,32' --members 1000
    """
    from treino.cli.progress import follow
    from treino.folders.network_source import UserFiles
    from treino.reports.tracking import tracking_of
    from treino.training.search.space import space_of
    from treino.training.sweeps.request import SweepRequest
    from treino.training.sweeps.sweep import sweep_events

    tracking, tried = tracking_of(track), space_of(space or [])
    request = SweepRequest(source, given(flags), UserFiles(), place=cluster, space=tried, options=options)
    return follow(sweep_events(request), screen, tracking)
