"""Populations: members that differ only in numeric settings, or in their rows, and train side by side."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _
from treino.data.dataset import Data
from treino.data.loader import read_once
from treino.engine import MLP, Net, TrainConfig, TrainingLoop
from treino.engine.bags import own_rows
from treino.engine.nets import input_shape, multiplications
from treino.engine.train_config import SIDE_BY_SIDE
from treino.engine.training_setup import set_up
from treino.folders.access import Access
from treino.folders.data_source import data_of, keep_copy, load_data, reference, source_of
from treino.folders.network_source import (
    NetworkSource,
    copy_words,
    network_files,
    network_source,
    write_copies,
)
from treino.folders.store import RunFolder
from treino.folders.user_network import NetworkFile, NetworkFiles, network_of
from treino.settings.spec import OF_DATA, OF_ENGINE, Settings, read_settings
from treino.training.resolution import check_settings, decide, train_config
from treino.training.search.space import Config
from treino.training.short_trials import refuse_time_limit

COMPARED = ("normalise", "features")
"""Data settings that a search space may vary, because they don't change the rows of the splits."""

MACHINE = (
    "name",
    "out",
    "device",
    "engine",
    "threads",
    "metric",
    "baselines",
    "threshold",
    "coverage",
    "every",
    "ensemble",
)
"""Settings that all members share: where a sweep runs, what it keeps and how it is judged."""


@dataclass(frozen=True, eq=False)
class Group:
    """Members with equal layers, optimizer and batch size, and equally many inputs: one population.

    members: their numbers in the sweep. data_M: each member's rows, one object where they are the same, such
    as those of one fold. net, config: arguments of ``set_up``, with one number per network if networks
    differ. network: the file and the seed of a network of the user's own.
    """

    members: tuple[int, ...]
    data_M: tuple[Data, ...]
    net: nn.Module | Net
    config: TrainConfig
    network: tuple[NetworkFile, int] | None = None

    @property
    def data(self) -> Data:
        """The first member's rows; names, classes and columns are the same for all."""
        return self.data_M[0]

    @property
    def size(self) -> int:
        """The networks of a member, side by side in the population: 1, or those of its ensemble."""
        return self.config.shared.ensemble

    def rows(self, places: Iterable[int]) -> list[int]:
        """The rows of the population that hold the networks of the members at these places."""
        return [place * self.size + network for place in places for network in range(self.size)]

    def places(self, rows: Iterable[int]) -> list[int]:
        """The places of the members whose networks are in these rows of the population."""
        return list(dict.fromkeys(row // self.size for row in rows))

    def by_data(self, places: Iterable[int]) -> list[tuple[Data, list[int]]]:
        """These members by their rows."""
        of: dict[int, list[int]] = {}
        for place in places:
            of.setdefault(id(self.data_M[place]), []).append(place)
        return [(self.data_M[some[0]], some) for some in of.values()]

    def part(self, places: Sequence[int], whole: TrainingLoop) -> "Group":
        """The group of the members at these places. whole: the full training, which chose open settings."""
        config = whole.config.with_settings(engine=whole.engine, threads=whole.threads)
        if len(self.members) == 1 or not isinstance(self.net, Net):
            return replace(self, config=config)
        members, data_M = zip(*((self.members[place], self.data_M[place]) for place in places), strict=True)
        rows, net = self.rows(places), self.net
        if isinstance(net.dropout, tuple):  # a value for each network, where they differ
            net = replace(net, dropout=tuple(net.dropout[row] for row in rows))
        if isinstance(net, MLP) and net.plain:
            net = replace(net, plain=tuple(net.plain[row] for row in rows))
        return Group(members, data_M, net, config.rows(rows))

    def training(self) -> TrainingLoop:
        """The population's training before its first step."""
        parts = self.by_data(range(len(self.members)))
        if len(parts) == 1:
            return TrainingLoop(*set_up(self.data, self.net, self.config))
        bag_of = {id(data): bag for bag, (data, _places) in enumerate(parts)}
        of_each = [data for data, _places in parts]
        bags = own_rows(
            [(data.train, data.validation, data.scale) for data in of_each],
            [bag_of[id(data)] for data in self.data_M for _network in range(self.size)],
        )
        return TrainingLoop(*set_up(self.data, self.net, self.config, bags=bags))


def whole_settings() -> dict[str, bool]:
    """Return ``{setting: whether it is an integer}`` for the settings that a search space may name."""
    refused = (set(OF_DATA) - set(COMPARED)) | set(MACHINE)
    return {
        name: "int" in str(field.annotation) and "float" not in str(field.annotation)
        for name, field in Settings.model_fields.items()
        if name not in refused
    }


def single_settings() -> set[str]:
    """The settings whose value contains no comma."""
    fields = Settings.model_fields.items()
    several = ("net", "augment")
    return {name for name, field in fields if "tuple" not in str(field.annotation) and name not in several}


def checked_settings(values: Mapping[str, Any]) -> Settings:
    """Check one network's settings for contradictions, before the data is read."""
    settings = shared_settings(values)
    check_settings(settings)
    return settings


def shared_settings(values: Mapping[str, Any]) -> Settings:
    """Check settings to which each network of a sweep adds its own."""
    settings = read_settings(values)
    refuse_time_limit(settings)
    train_config(settings)
    return settings


def settings_of(config: Config, base: Mapping[str, Any], member: int) -> Settings:
    """One member's settings: ``base``, overridden by ``config``.

    Raises:
        TreinoError: a value out of range, or settings that contradict each other; with the member's number.
    """
    try:
        return checked_settings({**base, **config})
    except TreinoError as error:
        if not config:
            raise
        sentence = _("Network {n} ({config}): {why}")
        raise error.saying(sentence.format(n=member, config=config_text(config), why=error.message)) from None


def config_text(config: Config) -> str:
    """A member's settings as text for people."""
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in config.items()
    )


def groups(
    settings: Mapping[int, Settings], data_for: Callable[[Settings], Data], networks: NetworkFiles
) -> list[Group]:
    """Group members into populations, sorted by computing work, the largest first.

    settings: by member number. data_for: returns the data for a member's settings; equal data is one object.
    networks: the network files that the settings name and whose code may run.

    Raises:
        TreinoError: settings that contradict the data or the machine, with the member's number.
    """
    members_of: dict[str, list[tuple[int, Data, Any, TrainConfig]]] = {}
    own: dict[str, tuple[NetworkFile, int]] = {}
    with read_once():
        for member, s in settings.items():
            data = data_for(s)
            try:
                net, config = decide(s, data, network_of(s, networks))
            except TreinoError as error:
                raise error.saying(_("Network {n}: {why}").format(n=member, why=error.message)) from None
            key = _key(member, data, net, config)
            if s.net_file is not None:
                own[key] = networks[s.net_file], s.seed
            members_of.setdefault(key, []).append((member, data, net, config))
    made = [replace(_group(members), network=own.get(key)) for key, members in members_of.items()]
    return sorted(made, key=lambda g: (-group_work(g), g.members))


def _key(member: int, data: Data, net: nn.Module | Net, config: TrainConfig) -> str:
    """A key that is equal for members of one population."""
    shared = config.shared.model_dump(include=set(OF_ENGINE) - set(SIDE_BY_SIDE))
    shape: Any = ("own", member)
    if isinstance(net, Net):
        # a dropout of 0 makes no layer, and without ema no average is stored
        shape = (repr(replace(net, dropout=float(net.drops))), config.shared.ema != 0)
    return json.dumps([_rows_key(data, config), shape, shared], default=str, sort_keys=True)


def _rows_key(data: Data, config: TrainConfig) -> Any:
    """A key that is equal for rows on which one population can train: those with the same inputs and classes
    and as many steps in an epoch."""
    if not all(isinstance(rows.x, Tensor) for rows in data.splits.values()):
        return id(data)
    if config.shared.class_weights == "balanced":  # the loss has one set of weights
        return id(data)
    size = config.rows_per_step(len(data.train))
    steps = -(-len(data.train) // size), size == len(data.train), len(data.train) % size == 1
    weighted = data.train.weight is not None  # then all bags have as many rows
    rows = [len(data.train), len(data.validation)] if weighted else [len(data.validation) > 0]
    inputs = data.item_shape, data.classes, data.inputs, data.input_columns, data.input_bins
    return [steps, rows, inputs]


def _group(members: Sequence[tuple[int, Data, Any, TrainConfig]]) -> Group:
    numbers, data_M, nets, configs = zip(*members, strict=True)
    net, config = nets[0], configs[0]
    if len(members) > 1:
        config = replace(config, members=tuple(s for c in configs for s in c.members))
        size = config.shared.ensemble
        rates = (n.dropout if isinstance(n.dropout, tuple) else (n.dropout,) * size for n in nets)
        net = replace(net, dropout=tuple(chain.from_iterable(rates)))
        if getattr(net, "plain", ()):
            net = replace(net, plain=tuple(bins for n in nets for bins in n.plain))
    return Group(numbers, data_M, net, config)


def group_work(group: Group) -> int:
    """The approximate number of multiplications in one step of all members."""
    data, net = group.data, group.net
    if isinstance(net, Net):
        work = multiplications(net, input_shape(net, data.item_shape), data.outputs)
    else:
        work = sum(0 if is_lazy(p) else p.numel() for p in net.parameters())
    return len(group.config.members) * work * group.config.rows_per_step(len(data.train))


def for_gpu(group: Group) -> Group:
    """The group with a kernel that runs on GPUs."""
    flat = isinstance(group.net, MLP) and not group.net.batch_norm
    engine = group.config.shared.engine or ("batched" if flat else "module")
    return replace(group, config=group.config.with_settings(engine=engine))


# ---- what the networks of one folder share

FEATURES_SPLIT = Refusal(
    N_("With the columns {features} more rows are equal to each other, and are split otherwise."),
    N_("Add [[duplicates=ignore]], so that all networks are compared on the same rows."),
)
DATA_IS_LOADED = Refusal(
    N_("The data is prepared already, so that all networks see it alike."),
    N_("Give what the data is made from, or leave {names} out."),
)


class SharedRows:
    """The rows as each network's settings prepare them, equal ones as one object; all have the same splits.

    source: as for ``load_data``. first: the rows as the ``shared`` settings prepare them. names: data
    settings in which networks may differ.
    """

    def __init__(self, source: Any, first: Data, shared: Settings, names: Collection[str]) -> None:
        self.source, self.first = source, first
        prepared = {name: first.arguments.get(name, getattr(shared, name)) for name in names}
        self._usual = prepared | self._own(shared, prepared)
        self._known = {json.dumps(self._usual): first}

    def add(self, settings: Settings, data: Data) -> None:
        """Take these rows as those for these settings."""
        self._known[self._key(settings)[1]] = data

    def _key(self, settings: Settings) -> tuple[dict[str, Any], str]:
        own = self._usual | self._own(settings, self._usual)
        return own, json.dumps(own)

    @staticmethod
    def _own(settings: Settings, names: Collection[str]) -> dict[str, Any]:
        return {name: getattr(settings, name) for name in settings.model_fields_set.intersection(names)}

    def __call__(self, settings: Settings) -> Data:
        """The rows for these settings.

        Raises:
            TreinoError: only rows prepared otherwise are available, or the splits would have other rows.
        """
        own, key = self._key(settings)
        if key not in self._known:
            if isinstance(self.source, Data):
                raise DATA_IS_LOADED(names=", ".join(name for name in own if name != "fold"))
            data = load_data(self.source, settings)
            if own.get("fold") == self._usual.get("fold"):
                firsts = self.first.splits  # rows equal in the chosen columns get the same split
                if any(not rows.index.equal(firsts[split].index) for split, rows in data.splits.items()):
                    raise FEATURES_SPLIT(features=", ".join(data.features))
            self._known[key] = data
        return self._known[key]


def own_networks(
    networks: NetworkSource | None, words: Iterable[str | None]
) -> tuple[dict[str, str], NetworkFiles]:
    """Return ``{word as typed: word of the folder's copy}`` and ``{word of the copy: file}``.

    networks: the source of the user's network files that settings name.
    """
    files = network_files(networks, words)
    copies = copy_words(files)
    return copies, {copies[word]: file for word, file in files.items()}


def sources_of(
    folder: RunFolder, access: Access, words: Iterable[str | None]
) -> tuple[Any, Data, NetworkFiles]:
    """The source of a folder's data for ``load_data``, the loaded data, and the network files that these
    words name, if they may run.

    Raises:
        TreinoError: the data is gone; a network's code may not run.
    """
    networks = network_files(network_source(folder, access.net_file, access.trust), words)
    data = data_of(folder, access.data_file)
    return source_of(folder, data, access.data_file), data, networks


@contextmanager
def new_folder(
    kind: str,
    data: Data,
    networks: NetworkFiles,
    *,
    parent: str | Path,
    stem: str,
    name: str | None,
    out: str | Path | None,
) -> Iterator[tuple[RunFolder, Mapping[str, Any]]]:
    """Make a folder with the data's preparation, rows that are in memory only, and network files. Yield it
    with the ``data`` entry of ``spec.json``. stem: the folder is named after the data and ``stem``."""
    where_to = Path(out) if out else None
    with RunFolder.create(
        parent=parent, stem=f"{data.name}-{stem}", name=name, out=where_to, kind=kind
    ) as folder:
        folder.write_json("preparation.json", data.preparation.to_json())
        where = reference(data, folder.path)
        if where["kind"] == "memory":
            keep_copy(folder, data)
        write_copies(folder, networks)
        yield folder, where
