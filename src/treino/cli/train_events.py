"""The events of ``treino train``: a new training, one with another run's settings, or a branch of a run.

Modules that only existing runs or sweeps need are imported at their use: a new training needs none of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import placeholders
from treino.cli.flags import AlertFlags, OriginFlags, SeveralFlags
from treino.cli.screen import Screen
from treino.fit_events import FitRequest, fit_events
from treino.folders.access import Access
from treino.folders.network_source import NetworkSource, UserFiles
from treino.folders.own_code import with_own_code
from treino.settings.network_call import in_place_of
from treino.settings.options import ClusterOptions
from treino.settings.spec import read_settings
from treino.training.likeness import Likeness
from treino.training.loop import JobEvent
from treino.training.train import Start

TRUST_OF_NOTHING = Refusal(
    "--trust runs the copy of a network's file that was sealed with a run, and no run was named.",
    "Add --like, --branch or --rewind RUN, or leave it out.",
)
SENDER_OF_NOTHING = Refusal(
    "--sender says who goes on with a run, and no run was named.",
    "Add --branch or --rewind RUN:STEP, or leave it out.",
)
LIKE_AND_DATA = Refusal(
    "--data says where the rows of --like are, and {data} names others.", "Leave one of them out."
)
DATA_MISSING = Refusal("DATA is missing.", "Try: treino train wine", rule="usage")
BRANCH_AND_MORE = Refusal(
    "{flag} goes on with a run, and {name} begins another training.", "Leave one of them out."
)


@dataclass(frozen=True)
class TrainFlags:
    """The flags of ``treino train`` and their values. source: the data that was named."""

    source: str | None
    settings: Mapping[str, Any]
    several: SeveralFlags
    cluster: ClusterOptions
    origin: OriginFlags
    alerts: AlertFlags


def events_of(asked: TrainFlags, screen: Screen) -> Iterator[JobEvent]:
    """Begin the training that the flags describe; print the learning rates that were tried, if any.

    Raises:
        TreinoError: flags that contradict each other; else as ``fit_events`` and ``branch_events``.
    """
    origin = asked.origin
    if origin.branch is not None or origin.rewind is not None:
        return _branch(asked)
    if origin.trust and origin.like is None:
        raise TRUST_OF_NOTHING()
    if origin.sender is not None:
        raise SENDER_OF_NOTHING()
    return _training(asked, screen)


def _branch(asked: TrainFlags) -> Iterator[JobEvent]:
    """The events of a run that continues from a step of another run, or from an earlier step of its own."""
    from treino.results import branch_events

    origin, several = asked.origin, asked.several
    flag = "--rewind" if origin.branch is None else "--branch"
    others = {"DATA": asked.source, "--like": origin.like, "--weights": origin.weights}
    others |= {f"--{name}": getattr(several, name) for name in ("seeds", "folds", "to", "until")}
    others |= {"--rewind": None if origin.branch is None else origin.rewind}
    for name, value in others.items():
        if value is not None:
            raise BRANCH_AND_MORE(flag=flag, name=placeholders(name))
    changes = read_settings(with_own_code(UserFiles(), asked.settings))
    return branch_events(
        origin.branch or origin.rewind or "",
        Access(changes.net, origin.trust, origin.data_file),
        changes,
        in_place=origin.branch is None,
        sender=origin.sender or "",
        alerts=asked.alerts.alert,
        allow_network=asked.alerts.allow_network,
    )


def _training(asked: TrainFlags, screen: Screen) -> Iterator[JobEvent]:
    """The events of a new training, which may take data, settings or weights from a run."""
    several, weights = asked.several, asked.origin.weights
    data, settings, networks, like, likeness = _data_and_settings(asked, screen)
    output = None
    if several.to is not None or several.replace:
        from treino.cli.out_of_fold import out_of_fold_file, with_predictions

        output = out_of_fold_file(several.to, data, several.folds, replace=several.replace)
    start = None
    if weights is not None:
        from treino.training.stored_results import open_run

        known = open_run(weights)
        start = Start(weights, known.state, known.preparation)
    request = FitRequest(
        data,
        settings,
        networks,
        seeds=several.seeds,
        folds=several.folds,
        until=several.until,
        start=start,
        place=asked.cluster,
        alerts=asked.alerts.alert,
        allow_network=asked.alerts.allow_network,
        like=like,
        likeness=likeness,
    )
    events, rates = fit_events(request)
    for line in () if rates is None else rates.lines():
        screen.out.print(line)
    return events if output is None else with_predictions(events, output, data, screen)


def _data_and_settings(
    asked: TrainFlags, screen: Screen
) -> tuple[Any, dict[str, Any], NetworkSource, str | None, Likeness | None]:
    """(data, settings, source of the network's file, run whose settings it takes, what it takes for other
    rows) of a new training."""
    source, settings, origin = asked.source, dict(asked.settings), asked.origin
    if origin.like is None:
        if source is None:
            raise DATA_MISSING()
        return source, settings, UserFiles(), None, None
    from treino.training.sweeps import member

    if note := member.like_note(origin.like):
        screen.out.print(note)
    if source is not None:
        if origin.data_file is not None:
            raise LIKE_AND_DATA(data=source)
        other = member.likeness(origin.like, source, trust=origin.trust, net="net" in settings)
        networks = UserFiles() if "net" in settings else other.networks
        return source, other.with_settings(settings), networks, other.run, other
    data, same, stored = member.like(origin.like, origin.data_file, origin.trust, origin.weights)
    name = member.name_of_like(origin.like)
    if "net" not in settings:
        return data, same | settings, stored, name, None
    settings["net"] = in_place_of(same.get("net"), settings["net"])
    return data, same | settings, UserFiles(), name, None
