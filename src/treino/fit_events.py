"""The events of a ``fit`` with a single network, or with several seeds or folds; and ``lr="auto"``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from treino import training
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.source_kinds import are_whole, is_torch_dataset
from treino.engine.defaults import check_augmentation
from treino.folders.access import Access
from treino.folders.data_source import load_data, prepared_beside
from treino.folders.network_source import NetworkSource, network_files
from treino.folders.own_code import with_own_code
from treino.folders.user_network import as_arguments, network_of
from treino.settings.options import HERE, ClusterOptions
from treino.settings.spec import OF_DATA, Settings, read_settings, refuse_layers
from treino.training.choices import Rates, TrainingSource, chosen
from treino.training.likeness import Likeness, column_refusal, in_order_of
from treino.training.loop import JobEvent
from treino.training.refit import watched
from treino.training.resolution import check_settings
from treino.training.train import WEIGHTS_OF_ENSEMBLE, Start, train_events

NUM_CLASSES = Refusal(
    "num_classes is {asked}, and {target} {found}.",
    "Leave num_classes out, or give the number that there are.",
)
UNTIL_ALONE = Refusal("[[until]] counts the steps of several networks.", "Add [[seeds=20]], or leave it out.")
ALERT_AND_REPEATS = Refusal(
    "[[alert]] watches one network, and [[seeds]] and [[folds]] train several.",
    "Leave one of them out.",
    rule="alert_of_several",
)
WEIGHTS_OF_SEVERAL = Refusal(
    "[[weights]] begins one network, and [[seeds]] and [[folds]] train several.", "Leave one of them out."
)
SEVERAL_OF_THESE = Refusal(
    "Several seeds or folds need rows in memory, and a network that can be made anew.",
    "Give a table or arrays, and mlp(64, 32), cnn(16, 32), net='FILE.py:NAME', or a class instead of its "
    "network.",
)
ON_ALONE = Refusal(
    "A cluster trains many networks, and this is one.",
    "Add [[seeds=20]] or [[folds=5]], or leave [[on]] out.",
)

AUTO = "auto"  # as a learning rate: first try many for a short time


@dataclass(frozen=True, eq=False)
class FitRequest:
    """The arguments of a ``fit``.

    networks: the source of the network file that the setting ``net`` names; None: no such code may run. net:
    a module instead of a file. start: initial weights. lean: store no copy of rows in memory.
    held_back: rows given as ``validation`` and ``test``. num_workers: processes that read a Dataset's
    items. classes: the number of classes that the target must have. place: the cluster that trains
    several seeds or folds. alerts: for a single network, as texts. allow_network: whether they may send to
    addresses. like: the run or sweep whose settings these are. likeness: what a training on other rows takes
    from it.
    """

    source: Any
    settings: Mapping[str, Any]
    networks: NetworkSource | None
    net: nn.Module | None = None
    seeds: int | None = None
    folds: int | None = None
    until: Any = None
    start: Start | None = None
    parent: str | Path = "runs"
    lean: bool = False
    held_back: Mapping[str, Any] = field(default_factory=dict)
    num_workers: int = 0
    classes: int | None = None
    place: ClusterOptions = HERE
    alerts: str | Sequence[str] | None = None
    allow_network: bool = False
    like: str | None = None
    likeness: Likeness | None = None

    @property
    def repeated(self) -> bool:
        """Whether to train several networks, with different seeds or folds."""
        return self.seeds is not None or self.folds is not None


def fit_events(request: FitRequest) -> tuple[Iterator[JobEvent], Rates | None]:
    """Fill in the defaults; return the training's events and, for ``lr="auto"``, the learning rates
    tried.

    Raises:
        TreinoError: a request that contradicts itself; a setting out of range; every learning rate diverged.
            From the events: bad input (status 2) or a system error (status 1).
    """
    check_request(request)
    settings = settings_before_search(with_own_code(request.networks, request.settings))
    alerts: Sequence[Any] = ()
    if request.alerts:
        alerts = training.given_alerts(request.alerts, network=request.allow_network, metric=settings.metric)
    check_settings(settings)  # before the data is read
    if request.net is not None:
        refuse_layers(settings)
        check_augmentation(settings, pictures=False)
    files = network_files(request.networks, [settings.net_file])
    if request.start is not None:
        if settings.ensemble > 1:
            raise WEIGHTS_OF_ENSEMBLE()
        if request.start.preparation is not None:
            columns = in_order_of(request.start.preparation, settings.features)
            settings = settings.decided("data", "", features=columns)
    if request.repeated:
        from treino.training.sweeps.request import SweepRequest  # import only for several networks
        from treino.training.sweeps.sweep import repeats, sweep_events

        settings, space, plan = repeats(settings, request.seeds, request.folds, request.until)
    if are_whole(request.source):
        own = request.net if request.net is not None else network_of(settings, files)
        request = replace(request, source=as_arguments(request.source, [own]))
    single = "" if request.start is None else _("it begins with weights that there are")
    if request.net is not None:
        single = _("the network is your own")
    of = TrainingSource(
        request.source,
        partial(_load, request),
        net=request.net,
        networks=files,
        single=single,
        repeated=request.repeated,
        search=request.settings.get("lr") == AUTO,
    )
    settings = chosen(settings, of)
    for note in () if request.likeness is None else request.likeness.notes(of.data):
        settings = settings.decided("data", note)
    if request.repeated:
        asked = settings.explicit
        if request.held_back:  # all seeds train on these rows
            of.source = of.data
            asked = {name: value for name, value in asked.items() if name not in OF_DATA or name == "fold"}
        many = SweepRequest(
            of.source,
            asked,
            request.networks,
            parent=request.parent,
            data=of.data,
            place=request.place,
            space=space,
            options=plan,
            notes=settings.reasons,
        )
        events = sweep_events(many)
    else:
        events = train_events(
            request.source,
            settings,
            net=request.net,
            networks=files,
            parent=request.parent,
            start=request.start,
            lean=request.lean,
            data=of.data,
            spent=of.seconds,
            check=partial(training.check_alerts, alerts) if alerts else None,
            like=request.like,
        )
        access = Access(settings.net_file if request.net is None else request.net)
        events = watched(events, access, request.source, alerts)
    return (events if of.rates is None else of.rates.record(events)), of.rates


def _load(request: FitRequest, settings: Settings, most_inputs: int | None = None) -> Data:
    cache = None if request.repeated else prepared_beside(request.parent, settings.out)
    held_back, workers = request.held_back, request.num_workers
    try:
        data = load_data(request.source, settings, workers, cache, most_inputs, **held_back)
    except TreinoError as error:
        learnt = request.likeness or request.start
        if learnt is None or error.rule not in ("features_unknown", "target_unknown"):
            raise
        raise column_refusal(learnt.run, error) from error
    if request.classes is not None and len(data.classes) != request.classes:
        known = _("has {n} classes").format(n=len(data.classes)) if data.classes else _("is a number")
        raise NUM_CLASSES(asked=request.classes, target=data.target, found=known)
    return data


def settings_before_search(settings: Mapping[str, Any]) -> Settings:
    """The settings without a learning rate of ``auto``.

    Raises:
        TreinoError: one is unknown or out of range.
    """
    return read_settings({name: value for name, value in settings.items() if (name, value) != ("lr", AUTO)})


def check_request(request: FitRequest) -> None:
    """Refuse a request whose parts contradict each other.

    Raises:
        TreinoError: names the parts.
    """
    several = request.repeated
    for refusal, holds in (
        (UNTIL_ALONE, request.until is not None and not several),
        (ON_ALONE, request.place != HERE and not several),
        (ALERT_AND_REPEATS, request.alerts and several),
        (WEIGHTS_OF_SEVERAL, request.start is not None and several),
        (SEVERAL_OF_THESE, several and (request.net is not None or is_torch_dataset(request.source))),
    ):
        if holds:
            raise refusal()
