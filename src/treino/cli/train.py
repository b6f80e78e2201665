"""``treino train``: train one network on a data set."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from treino.base.errors import Refusal
from treino.base.words import N_
from treino.cli.flags import WHOLE, AlertFlags, DataFile, ScreenFlag, Track, Trust, with_flags
from treino.cli.screen import Replace
from treino.folders.access import Access
from treino.settings.options import ClusterOptions

TRUST_OF_NOTHING = Refusal(
    "trust_of_nothing",
    N_("--trust runs the copy of a network's file that was sealed with a run, and no run was named."),
    N_("Add --like, --branch or --rewind RUN, or leave it out."),
)
SENDER_OF_NOTHING = Refusal(
    "sender_of_nothing",
    N_("--sender says who goes on with a run, and no run was named."),
    N_("Add --branch or --rewind RUN:STEP, or leave it out."),
)
LIKE_AND_DATA = Refusal(
    "like_and_data",
    N_("--like brings its own data, and {data} stands beside it."),
    N_("Leave one of them out."),
)
USAGE = Refusal("usage", N_("DATA is missing."), N_("Try: treino train wine"))
BRANCH_AND_MORE = Refusal(
    "branch_and_more",
    N_("{flag} goes on with a run, and {name} begins another training."),
    N_("Leave one of them out."),
)


@with_flags
def train(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            help="a built-in (wine, ...: see 'treino data'), a file (CSV, Parquet, Arrow, JSON lines), or a"
            " folder or archive of photographs",
        ),
    ] = None,
    /,
    *,
    seeds: Annotated[
        int | None,
        WHOLE,
        Parameter(help="train with so many seeds side by side: mean ± deviation of every figure"),
    ] = None,
    folds: Annotated[
        int | None,
        WHOLE,
        Parameter(help="cross-validation: test on each of so many folds (scikit-learn's) in turn"),
    ] = None,
    until: Annotated[
        str | None, Parameter(help="with --seeds or --folds: count the steps to it, e.g. accuracy=0.8")
    ] = None,
    to: Annotated[
        str | None,
        Parameter(
            help="with --folds: write the rows with their out-of-fold predictions to this .csv or .xlsx file"
        ),
    ] = None,
    replace: Replace = False,
    cluster: ClusterOptions,
    like: Annotated[
        str | None, Parameter(help="the data and settings of a run, or of a network of a sweep: SWEEP:17")
    ] = None,
    weights: Annotated[
        str | None, Parameter(help="begin with the weights of a run, or of a network of a sweep: SWEEP:17")
    ] = None,
    branch: Annotated[
        str | None,
        Parameter(help="a new run that goes on from a step of a run with other settings: RUN:STEP --lr 1e-3"),
    ] = None,
    rewind: Annotated[
        str | None, Parameter(help="the same in the run's own folder, as its next segment: RUN:STEP")
    ] = None,
    sender: Annotated[
        Literal["agent"] | None,
        Parameter(
            help="with --branch or --rewind: who asks for it, as the run's record says; default: a person"
        ),
    ] = None,
    data_file: DataFile = None,
    trust: Trust = False,
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
    from treino.fit_events import FitRequest, fit_events
    from treino.folders.network_source import NetworkSource, UserFiles
    from treino.reports.tracking.delivery import Tracking
    from treino.settings.spec import read_settings
    from treino.training.train import Start

    tracking = Tracking(track)
    settings = {k: v for k, v in flags.items() if v is not None}
    if branch is not None or rewind is not None:
        others = {
            "DATA": source,
            "--seeds": seeds,
            "--folds": folds,
            "--like": like,
            "--weights": weights,
            "--to": to,
        }
        others |= {"--until": until, "--rewind": rewind if branch is not None else None}
        flag = "--branch" if branch is not None else "--rewind"
        for name, value in others.items():
            if value is not None:
                raise BRANCH_AND_MORE(flag=flag, name=name)
        from treino.results import branch_events

        read = read_settings(settings)
        access = Access(read.net, trust, data_file)
        place = branch or rewind or ""
        events = branch_events(
            place,
            access,
            read,
            in_place=branch is None,
            sender=sender or "",
            alerts=alerts.alert,
            allow_network=alerts.allow_network,
        )
        return follow(events, screen, tracking)
    if trust and like is None:
        raise TRUST_OF_NOTHING()
    if sender is not None:
        raise SENDER_OF_NOTHING()
    data: Any = source
    networks: NetworkSource = UserFiles()
    like_name = None
    if like is not None:
        if source is not None:
            raise LIKE_AND_DATA(data=source)
        from treino.training.sweeps import member

        like_name = member.name_of_like(like)
        data, same, stored = member.like(like, data_file, trust, weights)
        if "net" not in settings:
            networks = stored
        settings = same | settings
    elif source is None:
        raise USAGE()
    output = None
    if to is not None or replace:
        from treino.cli.out_of_fold import out_of_fold_file, with_predictions

        output = out_of_fold_file(to, data, folds, replace=replace)
    start = None
    if weights is not None:
        from treino.training.stored_results import open_run

        start = Start(weights, open_run(weights).state)
    request = FitRequest(
        data,
        settings,
        networks,
        seeds=seeds,
        folds=folds,
        until=until,
        start=start,
        place=cluster,
        alerts=alerts.alert,
        allow_network=alerts.allow_network,
        like=like_name,
    )
    events, rates = fit_events(request)
    for line in () if rates is None else rates.lines():
        screen.out.print(line)
    if output is not None:
        events = with_predictions(events, output, data, screen)
    return follow(events, screen, tracking)
