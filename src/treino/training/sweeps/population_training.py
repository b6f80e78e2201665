"""The training of a population: its members' learning curves, predictions and metrics of kept weights.

It can be split into parts that train separately, in this process or as tasks of a cluster. A task depends
only on its arguments, so that it can run in any process, and again if its process is lost.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine import MLP, Loss, Net, Tick, TrainConfig, TrainingLoop
from treino.engine.bags import own_rows
from treino.engine.ensemble import mean_output
from treino.engine.kernels.selection import WORKERS
from treino.engine.metrics import METRICS, measure
from treino.engine.population import Population
from treino.engine.saved_state import save_rows
from treino.engine.tick import Epoch
from treino.engine.training_setup import set_up
from treino.folders.user_network import NetworkFile, own_net


def rung_step(training: TrainingLoop, share: float) -> int:
    """The step of the first evaluation after this share of the planned steps: there a rung ends."""
    step = 0
    while step < share * training.steps - 1e-9:
        step = training.plan.next_evaluation(step, step)
    return step


ANSWERED_AT_ONCE = 4_000_000  # outputs computed at once
LOOKS_APART = 50  # at step s, the target is checked every s // LOOKS_APART steps (at least 1)
POINTS = 256  # maximum number of points of a member's curve

Saved = tuple[dict[str, Tensor], dict[str, Any]]

TaskResult = tuple[Saved, int, Epoch | None]
"""What a task returns: the members' state, the model-steps, the last evaluated epoch."""


@dataclass
class Curve:
    """The learning curves of one population. every: evaluations per stored point. looks: evaluations so far.

    points: each member's loss and metric by epoch, ``[P]`` float32.
    """

    every: int = 1
    looks: int = 0
    points: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def add(self, epoch: int, loss_P: Tensor, figure_P: Tensor) -> None:
        if self.looks % self.every == 0:
            self.points[epoch] = loss_P.float(), figure_P.float()
        self.looks += 1

    def put(self, rows: list[int], members: int, part: "Curve") -> None:
        """Add points of the members at ``rows``, which trained as a separate part."""
        for epoch, values in part.points.items():
            empty = torch.full((members,), torch.nan), torch.full((members,), torch.nan)
            for value_P, value_R in zip(self.points.setdefault(epoch, empty), values, strict=True):
                value_P[rows] = value_R

    def tensors(self) -> dict[str, Tensor]:
        """Return ``epoch [E]``, ``loss [E, P]`` and ``figure [E, P]``, the metric."""
        if not self.points:
            return {}
        epochs = sorted(self.points)
        loss, figure = zip(*(self.points[epoch] for epoch in epochs), strict=True)
        return {"epoch": torch.tensor(epochs), "loss": torch.stack(loss), "figure": torch.stack(figure)}

    def restore(self, tensors: Mapping[str, Tensor], looks: int) -> None:
        self.looks = looks
        if tensors:
            values = zip(tensors["loss"], tensors["figure"], strict=True)
            self.points = dict(zip(tensors["epoch"].tolist(), values, strict=True))


@dataclass(frozen=True, eq=False)
class KeptAnswers:
    """Outputs ``[R, N, C]`` of the members at these places for some of their rows."""

    data: Data
    rows: Rows
    places: list[int]
    output_RNC: Tensor

    def figures(self, loss: Loss) -> dict[str, Tensor]:
        """``{metric: [R]}``."""
        y = loss.target(self.rows.y, self.output_RNC.dtype)
        return measure(self.output_RNC, y, loss, self.data.scale, self.rows.weight)


def sample(rows: Rows, most: int) -> Rows:
    """``most`` of the rows, evenly spaced; all if there are fewer, or if ``most`` is 0."""
    if not most or len(rows) <= most:
        return rows
    some: Rows = rows[torch.linspace(0, len(rows) - 1, most).round().long()]
    return some


def _different(data_M: Sequence[Data]) -> tuple[list[Data], list[int]]:
    """The different sets of rows, and each member's index among them."""
    data_G = {id(data): data for data in data_M}
    return [*data_G.values()], [[*data_G].index(id(data)) for data in data_M]


@dataclass(eq=False)
class PopulationTraining:
    """One population in training: members with equal layers, optimizer, batch size and number of inputs.

    members: their numbers in the sweep. data_M: each member's rows, one object where they are the same, such
    as those of one fold. layers, config: arguments of ``set_up``, with one number per network if networks
    differ. metric: the deciding validation metric. network: the file and the seed of a network of the user's
    own. target: (metric, value) to reach.

    curve: the members' learning curves. kept_figures: training losses and validation metrics of each
    network's kept weights. reached: each member's steps to the target, -1 if not reached. last_epoch: the
    last evaluated epoch. parts: trainings of some members apart from the others, until all are at the same
    step again; [] if they are. model_steps: steps taken here, summed over networks. Axes: P networks, M
    members.
    """

    members: tuple[int, ...]
    data_M: tuple[Data, ...]
    layers: nn.Module | Net
    config: TrainConfig
    metric: str
    network: tuple[NetworkFile, int] | None = None
    target: tuple[str, float] | None = None
    training: TrainingLoop = field(init=False)
    curve: Curve = field(init=False)
    kept_figures: dict[str, Tensor] = field(default_factory=dict)
    reached: Tensor = field(init=False)
    last_epoch: Epoch | None = None
    model_steps: int = 0
    parts: list["PopulationTraining"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.training = self._loop()
        self.curve = Curve(max(1, -(-self.training.steps // 20) // POINTS))
        self.reached = torch.full((len(self.members),), -1, dtype=torch.int64)
        self._kept_measured: tuple[Any, dict[str, Tensor]] = None, {}

    def _loop(self) -> TrainingLoop:
        """The training before its first step."""
        data_M = self.training_data
        data_G, bag_M = _different(data_M)
        if len(data_G) == 1:
            return TrainingLoop(*set_up(data_M[0], self.layers, self.config))
        rows_G = [(data.train, data.validation, data.scale) for data in data_G]
        bags = own_rows(rows_G, [bag for bag in bag_M for _network in range(self.size)])
        return TrainingLoop(*set_up(data_M[0], self.layers, self.config, bags=bags))

    @property
    def training_data(self) -> tuple[Data, ...]:
        """The rows on which each member trains."""
        return self.data_M

    @property
    def data(self) -> Data:
        """The first member's rows; names, classes and columns are the same for all."""
        return self.data_M[0]

    @property
    def rows_G(self) -> list[Data]:
        """The members' different sets of rows, in the order in which a task gets them."""
        return _different(self.data_M)[0]

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

    def part(self, places: Sequence[int]) -> dict[str, Any]:
        """The arguments of a training of the members at these places, by the kernel that this one chose."""
        training = self.training
        config = training.config.with_settings(engine=training.engine, threads=training.threads)
        names = "members", "data_M", "layers", "metric", "network", "target"
        fields = {name: getattr(self, name) for name in names} | {"config": config}
        if len(self.members) == 1 or not isinstance(self.layers, Net):
            return fields
        rows, layers = self.rows(places), self.layers
        if isinstance(layers.dropout, tuple):  # a value for each network, where they differ
            layers = replace(layers, dropout=tuple(layers.dropout[row] for row in rows))
        if isinstance(layers, MLP) and layers.plain:
            layers = replace(layers, plain=tuple(layers.plain[row] for row in rows))
        own = {name: tuple(fields[name][place] for place in places) for name in ("members", "data_M")}
        return fields | own | {"layers": layers, "config": config.rows(rows), "network": None}

    def behind(self, until: int) -> bool:
        """Whether any member still has to train to reach step ``until``."""
        if self.parts:
            return any(part.behind(until) for part in self.parts)
        return self.training.step < until and not self.training.done

    def advance(self, seconds: float | None, until: int) -> Tick:
        """Train for about ``seconds``, at most to step ``until``."""
        for part in self.parts:
            if part.behind(until):
                before = part.model_steps
                tick = part.advance(seconds, until)
                self.model_steps += part.model_steps - before
                self._put(part)
                return tick
        training = self.training
        look = training.steps if self._all_reached else self._next_look()
        tick = training.advance(seconds, until=min(until, look))
        self._record(tick)
        if not self._all_reached and (training.step == look or training.done):
            self._check_target()
        return tick

    @property
    def _all_reached(self) -> bool:
        return self.target is None or bool((self.reached >= 0).all())

    def _next_look(self) -> int:
        """The next step at which the target is checked: at first every step, later less often."""
        look = 0
        while look <= self.training.step:
            look += max(1, look // LOOKS_APART)
        return min(look, self.training.steps)

    def _check_target(self) -> None:
        """Record which members have reached the target. This doesn't affect which weights are kept."""
        assert self.target is not None
        (name, wanted), training = self.target, self.training
        now, each = training.population.snapshot(), range(len(self.members))
        running_P = training.last_step_P == training.step
        for data, some in self.by_data(each):
            answers = KeptAnswers(data, data.validation, some, self.answers(now, data, "validation", some))
            found_R = answers.figures(training.loss_function)[name]
            there_R = found_R >= wanted if METRICS[name].better > 0 else found_R <= wanted
            for place, there in zip(some, there_R.tolist(), strict=True):
                running = bool(running_P[self.rows([place])].any())
                if there and running and self.reached[place] < 0:
                    self.reached[place] = training.step

    def answers(
        self, population: Population, data: Data, split: str, places: Sequence[int], most: int = 0
    ) -> Tensor:
        """``[R, N, C]``: outputs for rows of a split of these members, whose rows these are; for an ensemble
        those of the networks that predict. most: the number of rows, evenly spaced; 0: all."""
        training, shape = self.training, self.training.model.item_shape
        x_ND = sample(data.splits[split], most).x
        x = x_ND if shape is None else x_ND.reshape(-1, *shape)
        of_each = [training.answering_of(self.rows([place])) for place in places]
        output_RNC = training.answers(population.rows([row for rows in of_each for row in rows]), x)
        if self.size == 1:
            return output_RNC
        each = output_RNC.split([len(rows) for rows in of_each])
        answers = []
        for output, rows in zip(each, of_each, strict=True):
            limits = training.limits_of(rows[0])
            clip = None if limits is None else torch.tensor(limits)
            answers.append(mean_output(output, training.loss_function, clip))
        return torch.stack(answers)

    def kept_answers(self, places: Sequence[int], split: str, most: int = 0) -> Iterator[KeptAnswers]:
        """Yield the outputs of these members' kept networks for rows of a split, for some members at a time.
        most: as in ``answers``."""
        kept = self.training.kept_population(range(len(self.config.members)))
        for data, some in self.by_data(places):
            rows = sample(data.splits[split], most)
            if not len(rows):
                continue
            size = max(1, ANSWERED_AT_ONCE // (len(rows) * self.training.outputs * self.size))
            for start in range(0, len(some), size):
                now = some[start : start + size]
                yield KeptAnswers(data, rows, now, self.answers(kept, data, split, now, most))

    def _record(self, tick: Tick) -> None:
        self.model_steps += int(tick.loss_SP.isfinite().sum())
        for epoch in tick.epochs:
            if epoch.evaluation is None:
                continue
            self.last_epoch, figures = epoch, epoch.evaluation["validation"]
            of_members = figures if epoch.answers is None else epoch.answers["validation"]
            self.curve.add(epoch.number, self._by_member(epoch.loss_P), of_members[self.metric])
            before = self.kept_figures
            every = self.training.config.shared.keep == "last"
            kept_P = ~figures[self.metric].isnan() if every else self.training.kept_step_P == epoch.step
            new = {"loss": epoch.loss_P, **{f"validation_{k}": v for k, v in figures.items()}}
            self.kept_figures = {k: torch.where(kept_P, v, before.get(k, torch.nan)) for k, v in new.items()}

    def _by_member(self, value_P: Tensor) -> Tensor:
        """``[M]``: the mean over each member's networks; those without a value are left out."""
        return value_P if self.size == 1 else value_P.view(-1, self.size).nanmean(1)

    @property
    def figures(self) -> dict[str, Tensor]:
        """``{metric: [M]}`` of each member's kept weights so far: the training ``loss``, and the metrics on
        validation rows, for an ensemble those of its joint prediction."""
        training = self.training
        if self.size == 1 or not training.plan.evaluates or not self.kept_figures:
            return {name: self._by_member(value_P) for name, value_P in self.kept_figures.items()}
        key = training.kept_step_P.tolist(), None if len(training.state.best.params) else training.step
        if self._kept_measured[0] != key:
            measured = {"loss": self._by_member(self.kept_figures["loss"])}
            for now in self.kept_answers(range(len(self.members)), "validation"):
                for name, value_R in now.figures(training.loss_function).items():
                    empty_M = torch.full((len(self.members),), torch.nan, dtype=value_R.dtype)
                    measured.setdefault(f"validation_{name}", empty_M)[now.places] = value_R
            self._kept_measured = key, measured
        return self._kept_measured[1]

    @property
    def best_M(self) -> Tensor:
        """``[M]`` float64: the validation metric of each member's kept weights."""
        training, members = self.training, len(self.members)
        if not training.plan.evaluates:  # members can't be ranked
            return torch.zeros(members, dtype=training.best_P.dtype)
        if training.config.shared.keep == "best" and self.size == 1:
            return training.best_P
        worst_M = torch.full((members,), -METRICS[self.metric].better * torch.inf, dtype=torch.float64)
        return self.figures.get(f"validation_{self.metric}", worst_M)

    @property
    def status_M(self) -> list[str]:
        """Each member's status; for an ensemble running while any of its networks trains, diverged if all
        did."""
        status_P, size = self.training.status_P, self.size
        order = ("running", "stopped", "finished", "diverged")
        return [
            min(status_P[first : first + size], key=order.index) for first in range(0, len(status_P), size)
        ]

    @property
    def running(self) -> list[int]:
        """The places of the members in training."""
        return self.places(self.training.state.running.tolist())

    def stop(self, places: Iterable[int]) -> None:
        """Stop training these members."""
        self.training.stop(self.rows(places))

    def net(self, place: int) -> nn.Module:
        """A member's kept network, or its ensemble of the networks that predict, the best first."""
        rows = self.rows([place])
        return self.training.net(rows[0]) if len(rows) == 1 else self.training.answer(members=rows)

    def answering(self, place: int) -> list[int]:
        """The numbers of those of a member's networks that predict, the best first."""
        rows = self.rows([place])
        return [row - rows[0] for row in self.training.answering_of(rows)]

    @property
    def last_step_M(self) -> Tensor:
        """``[M]`` int64: each member's updates; for a diverged member, only updates with finite weights."""
        return self._of_networks("last_step_P").view(-1, self.size).amax(1)

    @property
    def kept_step_M(self) -> Tensor:
        """``[M]`` int64: the step of each member's kept weights; for an ensemble the latest of those that
        predict."""
        step_P = self._of_networks("kept_step_P")
        each = (self.training.answering_of(self.rows([m])) for m in range(len(self.members)))
        return torch.stack([step_P[rows].amax() for rows in each])

    def _of_networks(self, name: str) -> Tensor:
        """``[P]``: this attribute of the training; for networks in a part, that of the part's training."""
        value_P: Tensor = getattr(self.training, name).clone()
        for part in self.parts:
            value_P[self.rows(self._places(part))] = getattr(part.training, name)
        return value_P

    # ---- parts that train separately

    @property
    def _clock(self) -> list[int]:
        """The step, the step of the last evaluation, the steps of the epoch, and the looks of the curve."""
        state = self.training.state
        return [state.step, state.evaluated_step, state.epoch_loss.count, self.curve.looks]

    def _places(self, part: "PopulationTraining") -> list[int]:
        return [self.members.index(member) for member in part.members]

    def divide(self, count: int) -> None:
        """Divide the running members among ``count`` parts of about equal size."""
        self.parts = [self._alone(some.tolist(), self._clock) for some in np.array_split(self.running, count)]

    def halve(self, part: "PopulationTraining") -> None:
        """Divide a part in two, each with half of its running members."""
        part.divide(2)
        at = self.parts.index(part)
        self.parts[at : at + 1] = part.parts

    def _alone(self, places: Sequence[int], clock: list[int]) -> "PopulationTraining":
        """A separate training of these members, in the same state. clock: the members' ``_clock``."""
        training, rows = self.training, self.rows(places)
        alone = PopulationTraining(**self.part(places))
        *steps, alone.curve.looks = clock
        alone.training.load(*save_rows(training.setup, training.state, rows, steps))
        alone.kept_figures = {name: figure_P[rows] for name, figure_P in self.kept_figures.items()}
        alone.reached = self.reached[places]
        return alone

    def _put(self, part: "PopulationTraining") -> None:
        """Take over the state of the part's members."""
        places = self._places(part)
        rows, networks = self.rows(places), len(self.config.members)
        self.training.put(rows, part.training.state.tensors())
        self.curve.put(places, len(self.members), part.curve)
        self.reached[places] = part.reached
        for name, figure_R in part.kept_figures.items():
            unknown_P = torch.full((networks,), torch.nan, dtype=figure_R.dtype)
            self.kept_figures.setdefault(name, unknown_P)[rows] = figure_R

    def join(self) -> None:
        """Join all parts, which must have reached their goal; the population then trains together again."""
        if self.parts:
            state, last = self.training.state, max(self.parts, key=lambda part: part.training.step)
            state.step, state.evaluated_step, state.epoch_loss.count, self.curve.looks = last._clock
            self.parts = []

    # ---- parts in the processes of a cluster; see ``Distribution``

    @property
    def task_processors(self) -> int:
        training = self.training
        return 1 if training.engine in WORKERS else training.threads

    def task_end(self, step: int) -> int:
        """The first step from ``step`` on at which a task may end: here ``step`` itself."""
        return step

    def task(self, until: int, gpus: bool) -> "PopulationTask":
        """The task that trains to step ``until``. gpus: whether it has a GPU."""
        fields = self.part(range(len(self.members)))
        config = fields["config"]
        if config.shared.engine in WORKERS:  # kernels whose result doesn't depend on the threads
            config = config.with_settings(threads=self.task_processors)
        if gpus:
            config = config.with_settings(device="cuda")
        bag_M = tuple(_different(fields.pop("data_M"))[1])
        layers = fields["layers"] if self.network is None else None
        state = self.save() if self.training.step else None
        return PopulationTask(type(self), fields | {"config": config, "layers": layers}, bag_M, state, until)

    def task_name(self, until: int) -> str:
        members = self.members
        some = f"{len(members)} networks, {min(members)} to {max(members)}"  # not necessarily all in between
        name = some if len(members) > 1 else f"network {members[0]}"
        return f"{name}, steps {self.training.step} to {until}"

    def take(self, part: "PopulationTraining", result: TaskResult) -> tuple[int, list[Epoch]]:
        """Take over the result of a task that trained this part, or the whole. Return its model-steps and
        last evaluated epoch, if any."""
        state, model_steps, epoch = result
        part.load(*state)
        if part is not self:
            self._put(part)
        self.model_steps += model_steps
        return model_steps, [] if epoch is None else [epoch]

    # ---- checkpoints

    def save(self) -> Saved:
        """Return the full state, from which training resumes bit for bit; tensors are named ``kind.name``."""
        state, meta = self.training.save()
        kinds = {"engine": state, "curve": self.curve.tensors(), "seen": self.kept_figures}
        parts = [[self._places(part), part._clock] for part in self.parts]
        facts = {"members": list(self.members), "engine": meta, "looks": self.curve.looks, "parts": parts}
        return named(kinds | {"reached": {"step": self.reached}}), facts

    def load(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Restore the state that ``save`` returned in a training of the same members."""
        self.training.load(part_of(tensors, "engine."), facts["engine"])
        self.curve.restore(part_of(tensors, "curve."), facts["looks"])
        self.kept_figures, self.reached = part_of(tensors, "seen."), tensors["reached.step"]
        self.parts = [self._alone(*part) for part in facts["parts"]]


@dataclass(frozen=True, eq=False)
class PopulationTask:
    """A population's training in another process, without its rows. kind: its class. fields: its arguments,
    without rows and the network of a user's own. bag_M: each member's index in the sets of rows, which are
    sent separately. state: the result of ``save``; None before the first step."""

    kind: type[PopulationTraining]
    fields: Mapping[str, Any]
    bag_M: tuple[int, ...]
    state: Saved | None
    until: int

    def train(self, *data_G: Data) -> TaskResult:
        """Train the members to step ``until``, or until all have ended. data_G: ``rows_G`` of the
        population."""
        network = self.fields["network"]
        own = {} if network is None else {"layers": own_net(*network)}
        alone = self.kind(**{**self.fields, **own}, data_M=tuple(data_G[bag] for bag in self.bag_M))
        if self.state is not None:
            alone.load(*self.state)
        while alone.behind(self.until):
            alone.advance(None, self.until)
        return alone.save(), alone.model_steps, alone.last_epoch


def named(kinds: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of all kinds by ``kind.name``."""
    return {f"{kind}.{name}": t.contiguous() for kind, named in kinds.items() for name, t in named.items()}


def part_of(tensors: Mapping[str, Tensor], head: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``head``, without it."""
    return {name.removeprefix(head): t for name, t in tensors.items() if name.startswith(head)}
