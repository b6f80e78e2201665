"""The door to processes elsewhere that train populations: a cluster, which an app of its own knows."""

import platform
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from treino.base.apps import brought
from treino.base.errors import Refusal
from treino.base.machine import processor_model
from treino.base.words import setting
from treino.engine import Tick
from treino.settings.options import ClusterOptions
from treino.settings.spec import read_settings
from treino.training.sweeps.population_training import PopulationTraining

DEVICE_ON_CLUSTER = Refusal(
    "The chunks on a cluster have processors and, where that is asked for, GPUs; not {what}.",
    "Use [[gpus_per_chunk=1]] for GPUs, leave it out for processors, and leave the device open.",
)
GPUS_WITHOUT_CLUSTER = Refusal(
    "A chunk's GPUs are a cluster's, and no cluster is named.",
    "Add [[on=ray]], or leave them out: [[device=cuda]] trains on this machine's.",
)


class Distribution(Protocol):
    """Processes elsewhere. title: the folder's name, for the names of their tasks. gpus: whether each task
    has a GPU."""

    title: str
    gpus: bool

    @property
    def slots(self) -> int:
        """The number of tasks that run at the same time if nobody else uses the processes."""

    def advance(
        self, goals: Sequence[tuple[PopulationTraining, int]], processors: dict[str, set[int]]
    ) -> tuple[PopulationTraining, Tick] | None:
        """Train the populations towards these steps for a moment. Return one population and its tick; None if
        all have reached their steps. processors: gets the members by the kind of processor that trained them.
        """

    def stop(self) -> None:
        """Cancel the running tasks; their members keep the state of their last finished task."""


@contextmanager
def open_distribution(place: ClusterOptions) -> Iterator[Distribution | None]:
    """Within the block, the processes of the cluster that ``place`` names; None without one.

    Raises:
        TreinoError: GPUs without a cluster; the app is missing, or the cluster can't be used.
    """
    if place.on is None:
        if place.gpus_per_chunk is not None:
            raise GPUS_WITHOUT_CLUSTER()
        yield None
        return
    with brought("treino.functions", "cluster")(place) as distribution:
        yield distribution


def device_here(settings: Mapping[str, Any], place: ClusterOptions) -> dict[str, str]:
    """The setting ``device`` with which this process holds the networks that a cluster trains: always the
    CPU; {} without a cluster.

    settings: as the user gives them; only ``device`` is checked.

    Raises:
        TreinoError: the cluster's tasks don't have the device.
    """
    if place.on is None:
        return {}
    device = read_settings({name: value for name, value in settings.items() if name == "device"}).device
    fitting = ("auto", "cpu") if place.gpus_per_chunk is None else ("auto", "cuda")
    if device in fitting:
        return {"device": "cpu"}
    raise DEVICE_ON_CLUSTER(what=setting("device", device))


def processor_kind() -> str:
    """The kind of processor on which this process trains, such as ``x86_64 AMD EPYC 7B13, AVX2``."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    kind = f"{platform.machine()} {processor_model()}".strip()
    return f"{kind}, {torch.backends.cpu.get_cpu_capability()}"


def as_lists(processors: Mapping[str, Collection[int]]) -> dict[str, list[int]]:
    """The members by kind of processor, for a file."""
    return {kind: sorted(members) for kind, members in processors.items()}
