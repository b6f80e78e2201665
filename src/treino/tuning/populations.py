"""Members grouped in populations: those that differ only in numbers train side by side."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from treino.cluster.cluster import Cluster
from treino.cluster.devices import gpu_engine
from treino.data.dataset import Data
from treino.engine import MLP, TrainConfig, TrainingLoop, mlp
from treino.engine.kernels.selection import WORKERS
from treino.engine.train_config import SIDE_BY_SIDE
from treino.engine.training_setup import set_up
from treino.errors import TreinoError
from treino.records.user_network import NetworkFile, NetworkFiles, network_of, own_net
from treino.search.space import Config
from treino.spec import OF_DATA, OF_ENGINE, Settings, read_settings
from treino.training.resolution import decide, refuse_ensemble, train_config
from treino.words import _

COMPARED = ("normalise", "features")
"""Settings of the data that a space may vary: the rows of the splits stay the same."""

MACHINE = (
    "name", "out", "device", "engine", "threads", "metric", "baselines", "threshold", "every", "ensemble",
)  # fmt: skip
"""Settings that say where a sweep runs, what it keeps and what it is judged by: one for all members."""


@dataclass(frozen=True, eq=False)
class Group:
    """Members of equal shape, optimizer and batch size: one population.

    members: their numbers in the sweep. net, config: what ``engine.train`` is given; several numbers where
    members differ. network: of the user's own, its file and seed.
    """

    members: tuple[int, ...]
    data: Data
    net: nn.Module | MLP
    config: TrainConfig
    network: tuple[NetworkFile, int] | None = None

    def part(self, rows: Sequence[int], whole: TrainingLoop) -> "Group":
        """Some of the members. whole: the training of all, which decided what was left open."""
        config = whole.config.with_settings(engine=whole.engine, threads=whole.threads)
        if len(self.members) == 1 or not isinstance(self.net, MLP):
            return replace(self, config=config)
        rates = self.net.dropout
        assert isinstance(rates, tuple)
        net = replace(self.net, dropout=tuple(rates[row] for row in rows))
        return Group(tuple(self.members[row] for row in rows), self.data, net, config.rows(rows))

    def training(self) -> TrainingLoop:
        """The population, before its first step."""
        return TrainingLoop(*set_up(self.data, self.net, self.config))


def whole_settings() -> dict[str, bool]:
    """The settings that a space may name, and which of them are integers."""
    refused = (set(OF_DATA) - set(COMPARED)) | set(MACHINE)
    return {
        name: "int" in str(field.annotation) and "float" not in str(field.annotation)
        for name, field in Settings.model_fields.items()
        if name not in refused
    }


def single_settings() -> set[str]:
    """The settings whose value holds no comma."""
    fields = Settings.model_fields.items()
    return {name for name, field in fields if "tuple" not in str(field.annotation) and name != "net"}


def checked_settings(values: Mapping[str, Any]) -> Settings:
    """One network's settings, refused before the data is read where they contradict each other."""
    settings = read_settings(values)
    refuse_ensemble(settings)
    train_config(settings)
    return settings


def settings_of(config: Config, base: Mapping[str, Any], member: int) -> Settings:
    """One member's settings: what all have, and its own on top.

    Raises:
        TreinoError: a value out of range, or settings that contradict each other; with the member's number.
    """
    try:
        return checked_settings({**base, **config})
    except TreinoError as error:
        if not config:
            raise
        said = _("Network {n} ({config}): {why}")
        raise error.saying(said.format(n=member, config=config_text(config), why=error.message)) from None


def config_text(config: Config) -> str:
    """A member's settings as a person reads them."""
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in config.items()
    )


def groups(
    settings: Mapping[int, Settings], data_for: Callable[[Settings], Data], networks: NetworkFiles
) -> list[Group]:
    """The populations of these members, the one with most to do first.

    settings: by the members' numbers. data_for: the rows for a member's settings, one object for equal rows.
    networks: the files that they name, and that may run.

    Raises:
        TreinoError: settings that contradict the data or the machine, with the member's number.
    """
    found: dict[str, list[tuple[int, Any, TrainConfig]]] = {}
    data_of: dict[str, Data] = {}
    own: dict[str, tuple[NetworkFile, int]] = {}
    for member, s in settings.items():
        data = data_for(s)
        try:
            net, config = decide(s, data, network_of(s, networks))
        except TreinoError as error:
            raise error.saying(_("Network {n}: {why}").format(n=member, why=error.message)) from None
        key = _key(member, data, net, config)
        data_of[key] = data
        if s.net is not None:
            own[key] = networks[s.net], s.seed
        found.setdefault(key, []).append((member, net, config))
    made = [replace(_group(members, data_of[key]), network=own.get(key)) for key, members in found.items()]
    return sorted(made, key=lambda g: (-group_work(g), g.members))


def _key(member: int, data: Data, net: nn.Module | MLP, config: TrainConfig) -> str:
    """Equal for members of one population."""
    shared = config.shared.model_dump(include=set(OF_ENGINE) - set(SIDE_BY_SIDE))
    shape: Any = ("own", member)
    if isinstance(net, MLP):
        # a dropout of 0 is no layer at all, and who keeps no average has no room for one
        shape = (net.hidden, net.activation, net.batch_norm, net.drops, net.gates, config.shared.ema != 0)
    return json.dumps([id(data), shape, shared], default=str, sort_keys=True)


def _group(members: Sequence[tuple[int, Any, TrainConfig]], data: Data) -> Group:
    numbers, nets, configs = zip(*members, strict=True)
    net, config = nets[0], configs[0]
    if len(members) > 1:
        config = replace(config, members=tuple(c.shared for c in configs))
        net = mlp(
            *net.hidden,
            activation=net.activation,
            dropout=[n.dropout for n in nets],
            batch_norm=net.batch_norm,
            gates=net.gates,
        )
    return Group(numbers, data, net, config)


def group_work(group: Group) -> int:
    """Roughly how many multiplications a step of all members takes."""
    sizes = (
        (group.data.inputs, *group.net.hidden, max(len(group.data.classes), 1))
        if isinstance(group.net, MLP)
        else (sum(0 if is_lazy(p) else p.numel() for p in group.net.parameters()), 1)
    )
    weights = sum(a * b for a, b in pairwise(sizes))
    batch = group.config.rows_per_step(len(group.data.train))
    return len(group.members) * weights * batch


def evaluations(training: TrainingLoop) -> list[int]:
    """The steps after which this training looks at validation rows."""
    found: list[int] = []
    while not found or found[-1] < training.steps:
        found.append(training.plan.next_evaluation(found[-1] if found else 0, found[-1] if found else 0))
    return found


def rung_step(training: TrainingLoop, share: float) -> int:
    """Where members are judged that shall have done this share of their steps: at the next look."""
    wanted = share * training.steps - 1e-9
    return next(step for step in evaluations(training) if step >= wanted)


@dataclass(frozen=True, eq=False)
class GroupOrder:
    """A group without its rows, so that it can be sent. net: treino's own layers; else ``network``, a file of
    the user's own and its seed."""

    members: tuple[int, ...]
    net: MLP | None
    network: tuple[NetworkFile, int] | None
    config: TrainConfig

    def group(self, data: Data) -> Group:
        net = self.net
        if net is None:
            assert self.network is not None
            return Group(self.members, data, own_net(*self.network), self.config, self.network)
        return Group(self.members, data, net, self.config)


def group_order(group: Group, cluster: Cluster | None) -> GroupOrder:
    """The order for a group. cluster: whose process will train it, by the kernel that is decided here; None:
    this process."""
    net, network, config = group.net, group.network, group.config
    if cluster is not None and config.shared.engine in WORKERS:
        config = config.with_settings(threads=1)  # no thread changes a bit, and a task has one processor
    if cluster is not None and cluster.gpus:
        config = config.with_settings(device="cuda")
    return GroupOrder(group.members, net if isinstance(net, MLP) else None, network, config)


def for_gpu(group: Group) -> Group:
    """With a kernel that a GPU has."""
    flat = isinstance(group.net, MLP) and not group.net.batch_norm
    engine = group.config.shared.engine or gpu_engine(flat)
    return replace(group, config=group.config.with_settings(engine=engine))
