"""``treino sweep``: train many networks, and judge the best of them."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from treino.cli.flags import WHOLE, ClusterFlags, ScreenFlag, Track, with_flags

SpaceFlag = Annotated[
    list[str] | None,
    Parameter(
        help="what to try, several times: lr=1e-4..1e-1:log, 'hidden=16|64|64,32', dropout=0..0.5, "
        "'momentum=0..0.9 if optimizer=sgd'; or a TOML file of the same",
        negative=(),
    ),
]


@dataclass(frozen=True)
class SweepFlags:
    """How a sweep samples, compares and judges its networks; None: the default."""

    members: Annotated[int | None, WHOLE, Parameter(help="how many networks; default: 256")] = None
    strategy: Annotated[
        str | None, Parameter(help="none, halving (default) or hyperband: who trains to the end")
    ] = None
    eta: Annotated[int | None, WHOLE, Parameter(help="one network in so many goes on; default: 3")] = None
    sampler: Annotated[str | None, Parameter(help="grid, random, sobol (default) or tpe (Optuna)")] = None
    sampler_seed: Annotated[int | None, WHOLE, Parameter(help="seed of the sampler; default: 0")] = None
    max_time: Annotated[float | None, Parameter(help="seconds of training; the best so far is kept")] = None
    until: Annotated[str | None, Parameter(help="enough, e.g. accuracy=0.95 on validation rows")] = None
    top: Annotated[int | None, WHOLE, Parameter(help="how many networks are kept; default: 10")] = None
    fresh: Annotated[
        int | None, WHOLE, Parameter(help="fresh seeds and splits that the judge trains; default: 16")
    ] = None
    storage: Annotated[
        str | None, Parameter(help="where Optuna keeps its trials, e.g. sqlite:///sweep.db")
    ] = None


@with_flags
def sweep(
    source: Annotated[str, Parameter(name="DATA", help="a built-in or a file, as for 'treino train'")],
    /,
    *,
    space: SpaceFlag = None,
    options: SweepFlags,
    cluster: ClusterFlags,
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
    from treino.reports.pictures.picture_files import illustrated
    from treino.reports.tracking.delivery import Tracking
    from treino.training.sweeps.sweep import sweep_events
    from treino.training.sweeps.sweep_options import space_of

    tracking = Tracking(track)
    settings = {k: v for k, v in flags.items() if v is not None}
    where = {k: settings.pop(k, None) for k in ("name", "out")}
    events = sweep_events(
        source,
        space_of(space or []),
        settings=settings,
        networks=UserFiles(),
        **asdict(options),
        **asdict(cluster),
        **where,
    )
    return follow(illustrated(events), screen, tracking)
