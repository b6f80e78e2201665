"""Populations: members that differ only in numeric settings, or in their rows, and train side by side."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.loader import read_once
from treino.engine import MLP, Net, TrainConfig
from treino.engine.nets import input_shape, multiplications
from treino.engine.train_config import SIDE_BY_SIDE
from treino.folders.access import Access
from treino.folders.data_source import (
    DATA_IS_LOADED,
    data_of,
    fold_of,
    load_data,
    source_of,
)
from treino.folders.network_source import (
    network_files,
    network_source,
)
from treino.folders.own_code import restore_own_code
from treino.folders.store import RunFolder
from treino.folders.user_network import NetworkFile, NetworkFiles, file_of, network_of
from treino.settings.several import OF_SEVERAL
from treino.settings.spec import OF_ENGINE, Settings, check_rules, read_settings
from treino.training.resolution import check_settings, decide, train_config
from treino.training.search.space import Config
from treino.training.sweeps.population_training import PopulationTraining


def checked_settings(values: Mapping[str, Any]) -> Settings:
    """Check one network's settings for contradictions, before the data is read."""
    settings = read_settings(values)
    check_rules(settings, OF_SEVERAL)
    check_settings(settings)
    return settings


def shared_settings(values: Mapping[str, Any]) -> Settings:
    """Check settings to which each network of a sweep adds its own."""
    settings = read_settings(values)
    check_rules(settings, OF_SEVERAL)
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
        raise of_member(error, member, config) from None


def of_member(error: TreinoError, member: int, config: Config) -> TreinoError:
    """The error, with the member's number and its own settings in its message."""
    sentence = _("Network {n} ({config}): {why}") if config else _("Network {n}: {why}")
    return error.saying(sentence.format(n=member, config=config_text(config), why=error.message))


def config_text(config: Config) -> str:
    """A member's settings as text for people."""
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in config.items()
    )


def populations_of(
    settings: Mapping[int, Settings],
    data_for: Callable[[Settings], Data],
    networks: NetworkFiles,
    metric: str,
    target: tuple[str, float] | None = None,
    *,
    configs: Mapping[int, Config] = MappingProxyType({}),
    gpus: bool = False,
) -> list[PopulationTraining]:
    """The populations of these members before their first step, sorted by computing work, the largest first.

    settings: by member number. data_for: returns the data for a member's settings; equal data is one object.
    networks: the network files that the settings name and whose code may run. metric, target: as of
    ``PopulationTraining``. configs: the members' own settings, for errors. gpus: whether a cluster's GPUs
    train.

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
                raise of_member(error, member, configs.get(member, {})) from None
            config = for_gpu(net, config) if gpus else config
            key = _key(member, data, net, config)
            if (file := file_of(s, networks)) is not None:
                own[key] = file, s.seed
            members_of.setdefault(key, []).append((member, data, net, config))
    made = list[PopulationTraining]()
    for key, members in members_of.items():
        try:
            made.append(PopulationTraining(*_together(members), metric, own.get(key), target))
        except TreinoError as error:
            if len(members) > 1:
                raise
            member = members[0][0]
            raise of_member(error, member, configs.get(member, {})) from None
    return sorted(made, key=lambda population: (-_work(population), population.members))


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


def _together(
    members: Sequence[tuple[int, Data, Any, TrainConfig]],
) -> tuple[tuple[int, ...], tuple[Data, ...], nn.Module | Net, TrainConfig]:
    """The numbers, rows, layers and settings of members as one population's."""
    numbers, data_M, nets, configs = zip(*members, strict=True)
    net, config = nets[0], configs[0]
    if len(members) > 1:
        config = replace(config, members=tuple(s for c in configs for s in c.members))
        size = config.shared.ensemble
        rates = (n.dropout if isinstance(n.dropout, tuple) else (n.dropout,) * size for n in nets)
        net = replace(net, dropout=tuple(chain.from_iterable(rates)))
        if getattr(net, "plain", ()):
            net = replace(net, plain=tuple(bins for n in nets for bins in n.plain))
    return numbers, data_M, net, config


def _work(population: PopulationTraining) -> int:
    """The approximate number of multiplications in one step of all members."""
    data, net, config = population.data, population.layers, population.config
    if isinstance(net, Net):
        work = multiplications(net, input_shape(net, data.item_shape), data.outputs)
    else:
        work = sum(0 if is_lazy(p) else p.numel() for p in net.parameters())
    return len(config.members) * work * config.rows_per_step(len(data.train))


def for_gpu(net: nn.Module | Net, config: TrainConfig) -> TrainConfig:
    """The settings with a kernel that runs on GPUs."""
    flat = isinstance(net, MLP) and not net.batch_norm
    return config.with_settings(engine=config.shared.engine or ("batched" if flat else "module"))


# ---- what the networks of one folder share

FEATURES_SPLIT = Refusal(
    "With the columns {features} more rows are equal to each other, and are split otherwise.",
    "Add [[duplicates=ignore]], so that all networks are compared on the same rows.",
)


class SharedRows:
    """The rows as each network's settings prepare them, equal ones as one object; all have the same splits.

    source: as for ``load_data``. first: the rows as the ``shared`` settings prepare them. names: data
    settings in which networks may differ. folder: keeps the rows of all folds, if the source is its copy.
    """

    def __init__(
        self,
        source: Any,
        first: Data,
        shared: Settings,
        names: Collection[str],
        folder: RunFolder | None = None,
    ) -> None:
        self.source, self.first, self.folder = source, first, folder
        prepared = {name: getattr(first.arguments, name) for name in names}
        self._usual = prepared | self._own(shared, prepared)
        self._known = {json.dumps(self._usual): first}

    @staticmethod
    def _own(settings: Settings, names: Collection[str]) -> dict[str, Any]:
        return {name: getattr(settings, name) for name in names if name in settings.model_fields_set}

    def __call__(self, settings: Settings) -> Data:
        """The rows for these settings.

        Raises:
            TreinoError: only rows prepared otherwise are available, or the splits would have other rows.
        """
        own = self._usual | self._own(settings, self._usual)
        key = json.dumps(own)
        if key not in self._known:
            self._known[key] = self._loaded(settings, own)
        return self._known[key]

    def _loaded(self, settings: Settings, own: Mapping[str, Any]) -> Data:
        of_first = own.get("fold") == self._usual.get("fold")
        if isinstance(self.source, Data):
            if of_first or self.folder is None or own != self._usual | {"fold": own["fold"]}:
                raise DATA_IS_LOADED(name=", ".join(name for name in own if name != "fold"))
            return fold_of(self.folder, own["fold"])
        data, firsts = load_data(self.source, settings), self.first.splits
        if of_first and any(not rows.index.equal(firsts[split].index) for split, rows in data.splits.items()):
            raise FEATURES_SPLIT(features=", ".join(data.features))  # equal rows get the same split
        return data


def sources_of(
    folder: RunFolder, access: Access, words: Iterable[str | None]
) -> tuple[Any, Data, NetworkFiles]:
    """The source of a folder's data for ``load_data``, the loaded data, and the network files that these
    words name, if they may run.

    Raises:
        TreinoError: the data is gone; a network's code may not run.
    """
    restore_own_code(folder, access)
    networks = network_files(network_source(folder, access.net_file, access.trust), words)
    data = data_of(folder, access.data_file)
    return source_of(folder, data, access.data_file), data, networks
