"""Distribution of a sweep's or study's populations over the processes of a cluster.

Populations are divided into parts so that every process has work, and parts into tasks of a few seconds at
the measured speed. Neither changes a bit of the results.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from treino.data import Data
from treino.engine import Tick
from treino.settings import ClusterOptions
from treino.training import PopulationTask, PopulationTraining
from treino_cluster.cluster import Cluster, SharedValue, TaskEnd, open_cluster

TASK_SECONDS, SHORTEST_TASK = 4.0, 0.5
WAIT_SECONDS = 0.5
PARTS_PER_SLOT = 2  # so that early processes take over remaining work
FEWEST_MEMBERS = 16  # in each part, if parts outnumber processes: a vector's lanes
PRODUCTS_PER_SECOND = 2e9  # assumed for a processor until measured
PASSES = 3  # forward, and backward for weights and inputs


_Work = tuple[PopulationTraining, PopulationTraining, int, float]
"""Population, its part or itself, step (the goal; while a task runs: its first), seconds of work left."""


@dataclass(eq=False)
class ClusterDistribution:
    """Trains populations on a cluster; see treino's ``training/sweeps/distribution.py``."""

    cluster: Cluster
    title: str = ""
    _shared: dict[int, tuple[Data, SharedValue]] = field(default_factory=dict)
    _running: dict[int, _Work] = field(default_factory=dict)
    _pace: dict[int, float] = field(default_factory=dict)  # seconds of a member's step, by id of population

    @property
    def gpus(self) -> bool:
        return self.cluster.gpus

    @property
    def slots(self) -> int:
        return self.cluster.slots

    def advance(
        self, goals: Sequence[tuple[PopulationTraining, int]], processors: dict[str, set[int]]
    ) -> tuple[PopulationTraining, Tick] | None:
        behind = [(population, until) for population, until in goals if population.behind(until)]
        if not behind:
            return None
        slots = self.slots
        self._divide(behind, slots)
        waiting = self._waiting(behind)
        while waiting and len(waiting) + len(self._running) < slots and self._halve(waiting):
            waiting = self._waiting(behind)
        left = sum(work for *_whom, work in [*waiting, *self._running.values()])
        seconds = min(
            TASK_SECONDS, max(SHORTEST_TASK, left / slots / 2)
        )  # so that all end at about the same time
        for population, part, until, work in waiting:
            self._submit(population, part, until, seconds, work)
        moment = behind[0][0], _moment(behind[0][0])
        for end in self.cluster.ended(WAIT_SECONDS):
            moment = self._take(end, processors) or moment
        return moment

    def stop(self) -> None:
        self.cluster.cancel()
        self._running.clear()

    def share(self, data: Data) -> SharedValue:
        """The rows in the cluster's shared storage, put there once."""
        if id(data) not in self._shared:
            self._shared[id(data)] = data, self.cluster.share(data)
        return self._shared[id(data)][1]

    @property
    def _busy(self) -> set[int]:
        """The ids of the parts that running tasks train."""
        return {id(part) for _population, part, *_work in self._running.values()}

    def _waiting(self, behind: Sequence[tuple[PopulationTraining, int]]) -> list[_Work]:
        """The parts with work left and no running task, sorted by work left, the largest first."""
        busy = self._busy
        waiting = [
            (population, part, until, self._work(part, until, self._seconds(population)))
            for population, until in behind
            for part in population.parts or [population]
            if id(part) not in busy and part.behind(until)
        ]
        return sorted(waiting, key=lambda work: -work[3])

    @staticmethod
    def _halve(waiting: Sequence[_Work]) -> bool:
        """Halve the part with the most work, for idle processes. Return False if no part is large enough."""
        for population, part, _until, seconds in waiting:
            if part is not population and len(part.running) > 1 and seconds > 2 * SHORTEST_TASK:
                population.halve(part)
                return True
        return False

    def _divide(self, behind: Sequence[tuple[PopulationTraining, int]], slots: int) -> None:
        """Divide undivided populations into parts, in proportion to their work; not while a task trains one
        whole, whose result would come later than those of its parts."""
        busy = self._busy
        whole = [(p, until) for p, until in behind if not p.parts and id(p) not in busy]
        if not whole:
            return
        seconds = [self._work(p, until, self._seconds(p)) for p, until in whole]
        for (population, _until), own in zip(whole, seconds, strict=True):
            members = len(population.running)
            share = own / sum(seconds)
            most = max(math.ceil(slots * share), PARTS_PER_SLOT * slots * share)
            count = min(most, max(slots * share, members * population.size / FEWEST_MEMBERS))
            if (parts := min(members, math.ceil(count))) > 1:
                population.divide(parts)

    @staticmethod
    def _work(part: PopulationTraining, until: int, seconds: float) -> float:
        """Seconds of work left to step ``until``. seconds: of one member's step."""
        return len(part.training.state.running) * (until - part.training.step) * seconds

    def _seconds(self, population: PopulationTraining) -> float:
        """Seconds of one member's step, measured or estimated."""
        training = population.training
        rows = training.config.rows_per_step(len(population.data.train))
        return self._pace.get(id(population), PASSES * training.parameters * rows / PRODUCTS_PER_SECOND)

    def _submit(
        self,
        population: PopulationTraining,
        part: PopulationTraining,
        until: int,
        seconds: float,
        work: float,
    ) -> None:
        """Submit a task of about ``seconds``. work: seconds of all work left in the part."""
        tasks = max(1, round(work / seconds))  # tasks of equal length
        step = part.training.step
        stop = part.task_end(step + -(-(until - step) // tasks))
        ticket = self.cluster.submit(
            PopulationTask.train,
            part.task(stop, self.gpus),
            shared=[self.share(data) for data in part.rows_G],
            name=f"{self.title}: {part.task_name(stop)}",
            processors=1 if self.gpus else part.task_processors,
        )
        self._running[ticket] = population, part, step, work * (1 - 1 / tasks)

    def _take(self, end: TaskEnd, processors: dict[str, set[int]]) -> tuple[PopulationTraining, Tick] | None:
        if end.ticket not in self._running:
            return None
        population, part, first, _left = self._running.pop(end.ticket)
        trained = [part.members[place] for place in part.running]
        processors.setdefault(end.processor, set()).update(trained)
        steps, epochs = population.take(part, end.value)
        if steps and part.training.step > first:
            self._pace[id(population)] = end.seconds / steps
        return population, replace(_moment(population), epochs=epochs)


@contextmanager
def open_distribution(place: ClusterOptions) -> Iterator[ClusterDistribution]:
    """Open the cluster whose processes train, see ``open_cluster``."""
    with open_cluster(place) as cluster:
        yield ClusterDistribution(cluster)


def _moment(population: PopulationTraining) -> Tick:
    """A tick without steps; a cluster task reports its results when it has ended."""
    training = population.training
    loss_1P = torch.full((1, len(population.members)), torch.nan)
    return Tick(training.step, training.epoch, loss_1P, [], training.status_P, training.population)
