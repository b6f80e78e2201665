"""The task of a cluster's process: some members of a population, trained from one step to another.

It is a function of its arguments alone, so it may run anywhere, and again where its process is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from treino.cluster.cluster import Cluster
from treino.cluster.devices import gpu_engine
from treino.data.dataset import Data
from treino.engine import MLP, TrainConfig
from treino.engine.kernels.selection import WORKERS
from treino.engine.metrics import measure
from treino.engine.tick import Epoch
from treino.inspection.outputs import outputs
from treino.records.user_network import NetworkFile, own_net
from treino.tuning.group_training import GroupTraining, PopulationPart, Saved
from treino.tuning.populations import Group


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


@dataclass(frozen=True, eq=False)
class PartOrder:
    """What ``train_part`` needs beside the rows. state: as ``GroupTraining.save_part`` gave it; None before
    the first step."""

    group: GroupOrder
    metric: str
    target: tuple[str, float] | None
    state: Saved | None
    until: int


@dataclass(frozen=True, eq=False)
class PartEnd:
    """state: as ``GroupTraining.put_part`` takes it. epoch: the last one that was measured."""

    state: Saved
    model_steps: int
    epoch: Epoch | None


def part_order(population: GroupTraining, part: PopulationPart, until: int, cluster: Cluster) -> PartOrder:
    """The order to train a part on to a step."""
    group = group_order(population.group.part(part.rows, population.training), cluster)
    state = population.save_part(part) if part.step else None
    return PartOrder(group, population.metric, population.target, state, until)


def train_part(order: PartOrder, data: Data) -> PartEnd:
    """Train the members to the step, or until all have ended."""
    alone = GroupTraining(order.group.group(data), order.metric, order.target)
    if order.state is not None:
        alone.load(*order.state)
    while alone.behind(order.until):
        alone.advance(None, order.until)
    return PartEnd(alone.save(), alone.model_steps, alone.last_epoch)


def test_figures(orders: Sequence[GroupOrder], data: Data, metric: str) -> dict[int, float]:
    """Train groups from their first step to their last: each member's figure on the test rows."""
    found: dict[int, float] = {}
    for order in orders:
        group = order.group(data)
        training = group.training()
        for _tick in training:
            pass
        for row, member in enumerate(group.members):
            rows = group.data.test
            out = outputs(training.net(row), rows.x, item_shape=training.shared.item_shape)
            figures: dict[str, Any] = measure(out[None], rows.y, training.loss_function, data.target_scale)
            found[member] = float(figures[metric][0])
    return found
