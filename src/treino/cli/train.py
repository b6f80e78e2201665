"""``treino train``: train one network on a data set."""

from typing import Annotated, Any

from cyclopts import Parameter

from treino.cli.flags import DATA, AlertFlags, OriginFlags, ScreenFlag, SeveralFlags, Track, given, with_flags
from treino.settings.options import ClusterOptions


@with_flags
def train(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            help="a built-in (wine, ...: see 'treino data'), a file (CSV, Parquet, Arrow, JSON lines), or a"
            " folder or archive of photographs",
        ),
        DATA,
    ] = None,
    /,
    *,
    several: SeveralFlags,
    cluster: ClusterOptions,
    origin: OriginFlags,
    track: Track = None,
    alerts: AlertFlags,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Train one network on DATA.

    Everything that is not said is decided from the data and printed. The run is a folder in ./runs; Ctrl-C
    saves it and 'treino resume' goes on.

    Examples: treino train wine | treino train moons --hidden 16,16 --lr 0.01 |
    treino train houses.csv --target price | treino train mnist --epochs 3 --dropout 0.2 |
    treino train wine --seeds 20 --until accuracy=0.8 | treino train iris --folds 5 --lr auto |
    treino train --branch wine-1:120 --lr 1e-4 |
    treino train digits --alert "validation loss rises for 5 epochs: lr*0.5"
    """
    from treino.cli.progress import follow
    from treino.cli.train_events import TrainFlags, events_of
    from treino.reports.tracking import tracking_of

    tracking = tracking_of(track)
    asked = TrainFlags(source, given(flags), several, cluster, origin, alerts)
    return follow(events_of(asked, screen), screen, tracking)
