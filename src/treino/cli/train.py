"""``treino train``: train one network on a data set."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from treino.cli.flags import WHOLE, DataFile, ScreenFlag, Trust, with_flags
from treino.errors import TreinoError
from treino.words import _

if TYPE_CHECKING:
    from treino.loop.loop import JobEvent
    from treino.spec import Settings


@dataclass(frozen=True)
class Repeats:
    """The same settings several times."""

    seeds: Annotated[
        int | None,
        WHOLE,
        Parameter(help="train with so many seeds side by side: mean ± deviation of every figure"),
    ] = None
    folds: Annotated[
        int | None,
        WHOLE,
        Parameter(help="cross-validation: test on each of so many folds (scikit-learn's) in turn"),
    ] = None
    until: Annotated[
        str | None, Parameter(help="with --seeds or --folds: count the steps to it, e.g. accuracy=0.8")
    ] = None


@dataclass(frozen=True)
class Origin:
    """A run that the new one sets out from."""

    like: Annotated[
        str | None, Parameter(help="the data and settings of a run, or of a network of a sweep: SWEEP:17")
    ] = None
    weights: Annotated[
        str | None, Parameter(help="begin with the weights of a run, or of a network of a sweep: SWEEP:17")
    ] = None
    branch: Annotated[
        str | None,
        Parameter(help="a new run that goes on from a step of a run with other settings: RUN:STEP --lr 1e-3"),
    ] = None
    rewind: Annotated[
        str | None, Parameter(help="the same in the run's own folder, as its next segment: RUN:STEP")
    ] = None


@with_flags
def train(
    source: Annotated[
        str | None,
        Parameter(
            name="DATA",
            help="a built-in (wine, ...: see 'treino data') or a file: CSV, Parquet, Arrow, JSON lines",
        ),
    ] = None,
    /,
    *,
    repeats: Repeats,
    origin: Origin,
    data_file: DataFile = None,
    trust: Trust = False,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Train one network on DATA.

    Everything that is not said is decided from the data and printed. The run is a folder in ./runs; Ctrl-C
    saves it and 'treino resume' goes on.

    Examples: treino train wine | treino train moons --hidden 16,16 --lr 0.01 |
    treino train houses.csv --target price | treino train mnist --epochs 3 --dropout 0.2 |
    treino train wine --seeds 20 --until accuracy=0.8 | treino train iris --folds 5 --lr auto |
    treino train --branch wine-1:120 --lr 1e-4
    """
    from treino.cli.progress import follow
    from treino.pictures.illustration import illustrated
    from treino.records.network_source import NetworkSource, UserFiles, network_files
    from treino.spec import read_settings
    from treino.training.train import Start, training

    settings = {k: v for k, v in flags.items() if v is not None}
    if origin.branch is not None or origin.rewind is not None:
        others = {
            "DATA": source,
            "--seeds": repeats.seeds,
            "--folds": repeats.folds,
            "--like": origin.like,
            "--weights": origin.weights,
        }
        others |= {"--until": repeats.until, "--rewind": origin.rewind if origin.branch is not None else None}
        flag = "--branch" if origin.branch is not None else "--rewind"
        for name, value in others.items():
            if value is not None:
                raise TreinoError(
                    "branch_and_more",
                    _("{flag} goes on with a run, and {name} begins another training.").format(
                        flag=flag, name=name
                    ),
                    _("Leave one of them out."),
                )
        branch_events = _going_on(origin.branch, origin.rewind, data_file, trust, read_settings(settings))
        return follow(illustrated(branch_events), screen)
    if trust and origin.like is None:
        raise TreinoError(
            "trust_of_nothing",
            _("--trust runs the copy of a network's file that was sealed with a run, and no run was named."),
            _("Add --like, --branch or --rewind RUN, or leave it out."),
        )
    data: Any = source
    networks: NetworkSource = UserFiles()
    if origin.like is not None:
        from treino.tuning.member import like as like_of

        if source is not None:
            raise TreinoError(
                "like_and_data",
                _("--like brings its own data, and {data} stands beside it.").format(data=source),
                _("Leave one of them out."),
            )
        data, same, stored = like_of(origin.like, data_file, trust, origin.weights)
        if "net" not in settings:
            networks = stored
        settings = same | settings
    elif source is None:
        raise TreinoError("usage", _("DATA is missing."), _("Try: treino train wine"))
    auto = settings.get("lr") == "auto"
    read = read_settings({k: v for k, v in settings.items() if k != "lr" or not auto})
    files = network_files(networks, [read.net])
    rates, rows = None, None
    if auto:
        from treino.records.data_source import prepared_beside
        from treino.tuning.learning_rate_search import find_rate, search_rows

        alone = repeats.seeds is None and repeats.folds is None
        rows = search_rows(data, read, prepared_beside("runs", read.out) if alone else None)
        rates = find_rate(rows, read, networks=files)
        settings["lr"] = rates.chosen
        for line in rates.lines():
            screen.out.print(line)
    if (repeats.seeds is not None or repeats.folds is not None) and origin.weights is not None:
        raise TreinoError(
            "weights_of_several",
            _("--weights begins one network, and --seeds and --folds train several."),
            _("Leave one of them out."),
        )
    if repeats.seeds is not None or repeats.folds is not None:
        from treino.tuning.repeats import repeat_events

        events = repeat_events(
            data,
            seeds=repeats.seeds,
            folds=repeats.folds,
            until=repeats.until,
            settings=settings,
            networks=networks,
            data=rows,
        )
        return follow(events if rates is None else rates.kept(events), screen)
    if repeats.until is not None:
        raise TreinoError(
            "until_alone",
            _("--until counts the steps of several networks."),
            _("Add --seeds 20, or leave it out."),
        )
    start = None
    if origin.weights is not None:
        from treino.folders import open_run

        start = Start(origin.weights, open_run(origin.weights).state)
    events = illustrated(training(data, read_settings(settings), networks=files, start=start, data=rows))
    return follow(events if rates is None else rates.kept(events), screen)


def _going_on(
    branch: str | None, rewind: str | None, data_file: str | None, trust: bool, read: "Settings"
) -> "Iterator[JobEvent]":
    """The events of a training that sets out from RUN:STEP."""
    from treino.folders import open_run
    from treino.records.access import Access
    from treino.training.branch import branching, rewinding
    from treino.training.replay import snapshots

    named = branch if branch is not None else rewind or ""
    run, colon, step = named.rpartition(":")
    if not colon or not run or not step.isdecimal():
        raise TreinoError(
            "branch_form",
            _("{value!r} does not name a step of a run.").format(value=named),
            _("Write RUN:STEP, e.g. --branch wine-1:120; step 0 is the untrained network."),
        )
    # a network of one's own is given again, or the copy trusted
    access = Access(read.net, trust, data_file)
    snapshot = next(snapshots(open_run(run, access), [int(step)]))
    changes = {name: getattr(read, name) for name in read.model_fields_set - {"net"}}
    return (branching if branch is not None else rewinding)(snapshot, changes)
