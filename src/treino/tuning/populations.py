"""Populations: members that differ only in numeric settings and train side by side.

A population's training holds its members' learning curves and the metrics of their kept weights. It can be
split into parts that train separately, in this process or as tasks of a cluster. A task depends only on its
arguments, so that it can run in any process, and again if its process is lost.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from treino.cluster import Cluster, TaskEnd, gpu_engine
from treino.data.dataset import Data
from treino.engine import MLP, Net, Tick, TrainConfig, TrainingLoop
from treino.engine.kernels.selection import WORKERS
from treino.engine.metrics import METRICS, measure
from treino.engine.nets import input_shape, multiplications
from treino.engine.saved_state import save_rows
from treino.engine.tick import Epoch
from treino.engine.train_config import SIDE_BY_SIDE
from treino.engine.training_setup import set_up
from treino.engine.training_state import RUNNING
from treino.errors import TreinoError
from treino.records.user_network import NetworkFile, NetworkFiles, network_of, own_net
from treino.search.space import Config
from treino.spec import OF_DATA, OF_ENGINE, Settings, read_settings
from treino.training.resolution import decide, refuse_ensemble, train_config
from treino.training.time_limit import refuse_time_limit
from treino.words import _

COMPARED = ("normalise", "features")
"""Data settings that a search space may vary, because they don't change the rows of the splits."""

MACHINE = (
    "name", "out", "device", "engine", "threads", "metric", "baselines", "threshold", "every", "ensemble",
)  # fmt: skip
"""Settings that all members share: where a sweep runs, what it keeps and how it is judged."""


@dataclass(frozen=True, eq=False)
class Group:
    """Members with equal layers, optimizer and batch size: one population.

    members: their numbers in the sweep. net, config: arguments of ``set_up``, with one number per member
    if members differ. network: the file and the seed of a network of the user's own.
    """

    members: tuple[int, ...]
    data: Data
    net: nn.Module | Net
    config: TrainConfig
    network: tuple[NetworkFile, int] | None = None

    def part(self, rows: Sequence[int], whole: TrainingLoop) -> "Group":
        """The group of the members at ``rows``. whole: the full training, which chose open settings."""
        config = whole.config.with_settings(engine=whole.engine, threads=whole.threads)
        if len(self.members) == 1 or not isinstance(self.net, Net):
            return replace(self, config=config)
        rates = self.net.dropout
        assert isinstance(rates, tuple)
        net = replace(self.net, dropout=tuple(rates[row] for row in rows))
        return Group(tuple(self.members[row] for row in rows), self.data, net, config.rows(rows))

    def training(self) -> TrainingLoop:
        """The population's training before its first step."""
        return TrainingLoop(*set_up(self.data, self.net, self.config))


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
    settings = read_settings(values)
    refuse_ensemble(settings)
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
    members_of: dict[str, list[tuple[int, Any, TrainConfig]]] = {}
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
        if s.net_file is not None:
            own[key] = networks[s.net_file], s.seed
        members_of.setdefault(key, []).append((member, net, config))
    made = [
        replace(_group(members, data_of[key]), network=own.get(key)) for key, members in members_of.items()
    ]
    return sorted(made, key=lambda g: (-group_work(g), g.members))


def _key(member: int, data: Data, net: nn.Module | Net, config: TrainConfig) -> str:
    """A key that is equal for members of one population."""
    shared = config.shared.model_dump(include=set(OF_ENGINE) - set(SIDE_BY_SIDE))
    shape: Any = ("own", member)
    if isinstance(net, Net):
        # a dropout of 0 makes no layer, and without ema no average is stored
        shape = (repr(replace(net, dropout=float(net.drops))), config.shared.ema != 0)
    return json.dumps([id(data), shape, shared], default=str, sort_keys=True)


def _group(members: Sequence[tuple[int, Any, TrainConfig]], data: Data) -> Group:
    numbers, nets, configs = zip(*members, strict=True)
    net, config = nets[0], configs[0]
    if len(members) > 1:
        config = replace(config, members=tuple(c.shared for c in configs))
        net = replace(net, dropout=tuple(n.dropout for n in nets))
    return Group(numbers, data, net, config)


def group_work(group: Group) -> int:
    """The approximate number of multiplications in one step of all members."""
    data, net = group.data, group.net
    if isinstance(net, Net):
        work = multiplications(net, input_shape(net, data.item_shape), max(len(data.classes), 1))
    else:
        work = sum(0 if is_lazy(p) else p.numel() for p in net.parameters())
    return len(group.members) * work * group.config.rows_per_step(len(data.train))


def rung_step(training: TrainingLoop, share: float) -> int:
    """The step of the first evaluation after this share of the planned steps: there a rung ends."""
    step = 0
    while step < share * training.steps - 1e-9:
        step = training.plan.next_evaluation(step, step)
    return step


@dataclass(frozen=True, eq=False)
class GroupOrder:
    """A group without its rows, to be sent to another process. net: treino's own layers; None if ``network``,
    the file and the seed of a network of the user's own, is given."""

    members: tuple[int, ...]
    net: Net | None
    network: tuple[NetworkFile, int] | None
    config: TrainConfig

    def group(self, data: Data) -> Group:
        net = self.net
        if net is None:
            assert self.network is not None
            return Group(self.members, data, own_net(*self.network), self.config, self.network)
        return Group(self.members, data, net, self.config)


def group_order(group: Group, cluster: Cluster | None, threads: int = 1) -> GroupOrder:
    """The order for a group. cluster: the cluster that will train it, with the kernel chosen here; None: this
    process. threads: number of threads there, if the kernel's result doesn't depend on it."""
    net, network, config = group.net, group.network, group.config
    if cluster is not None and config.shared.engine in WORKERS:
        config = config.with_settings(threads=threads)
    if cluster is not None and cluster.gpus:
        config = config.with_settings(device="cuda")
    return GroupOrder(group.members, net if isinstance(net, Net) else None, network, config)


def for_gpu(group: Group) -> Group:
    """The group with a kernel that runs on GPUs."""
    flat = isinstance(group.net, MLP) and not group.net.batch_norm
    engine = group.config.shared.engine or gpu_engine(flat)
    return replace(group, config=group.config.with_settings(engine=engine))


LOOKS_APART = 50  # at step s the target is checked every s // LOOKS_APART steps (at least 1)
POINTS = 256  # maximum number of points of a member's curve

Saved = tuple[dict[str, Tensor], dict[str, Any]]


@dataclass
class Curve:
    """The learning curves of one population: epochs, and each member's loss and metric.

    every: evaluations per stored point. looks: evaluations so far.
    """

    every: int = 1
    looks: int = 0
    epoch: list[int] = field(default_factory=list)
    loss: list[Tensor] = field(default_factory=list)  # each [P] float32
    figure: list[Tensor] = field(default_factory=list)

    def add(self, epoch: int, loss_P: Tensor, figure_P: Tensor) -> None:
        if self.looks % self.every == 0:
            self.epoch.append(epoch)
            self.loss.append(loss_P.float())
            self.figure.append(figure_P.float())
        self.looks += 1

    def put(self, rows: list[int], members: int, tensors: Mapping[str, Tensor]) -> None:
        """Add points of the members at ``rows``, which trained as a separate part."""
        if not tensors:
            return
        for epoch, loss_R, figure_R in zip(
            tensors["epoch"].tolist(), tensors["loss"], tensors["figure"], strict=True
        ):
            at = bisect_left(self.epoch, epoch)
            if at == len(self.epoch) or self.epoch[at] != epoch:
                self.epoch.insert(at, epoch)
                self.loss.insert(at, torch.full((members,), torch.nan))
                self.figure.insert(at, torch.full((members,), torch.nan))
            self.loss[at][rows] = loss_R
            self.figure[at][rows] = figure_R

    def tensors(self) -> dict[str, Tensor]:
        """Return ``epoch [E]``, ``loss [E, P]`` and ``figure [E, P]``, the metric."""
        if not self.epoch:
            return {}
        return {
            "epoch": torch.tensor(self.epoch),
            "loss": torch.stack(self.loss),
            "figure": torch.stack(self.figure),
        }

    def restore(self, tensors: Mapping[str, Tensor], looks: int) -> None:
        self.looks = looks
        if tensors:
            self.epoch = [int(e) for e in tensors["epoch"]]
            self.loss, self.figure = list(tensors["loss"]), list(tensors["figure"])


@dataclass(eq=False)
class PopulationPart:
    """Members that train separately from the rest of their population, at a step of their own.

    rows: their positions in the population. step, evaluated_step, epoch_steps: taken from the state of their
    training. looks: as in ``Curve``.
    """

    rows: list[int]
    step: int = 0
    evaluated_step: int = 0
    epoch_steps: int = 0
    looks: int = 0


@dataclass(eq=False)
class GroupTraining:
    """The training of a group. metric: the deciding validation metric. target: (metric, value) to reach.

    curve: the learning curves. kept_figures: training losses and validation metrics of the kept weights.
    reached: each member's steps to the target, -1 if not reached. last_epoch: the last evaluated epoch.
    parts: members training separately, until all are at the same step again; [] if they are. model_steps:
    steps taken here, summed over members.
    """

    group: Group
    metric: str
    target: tuple[str, float] | None = None
    training: TrainingLoop = field(init=False)
    curve: Curve = field(init=False)
    kept_figures: dict[str, Tensor] = field(default_factory=dict)
    reached: Tensor = field(init=False)
    last_epoch: Epoch | None = None
    model_steps: int = 0
    parts: list[PopulationPart] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.training = replace(self.group, data=self.training_data).training()
        self.curve = Curve(max(1, -(-self.training.steps // 20) // POINTS))
        self.reached = torch.full((len(self.group.members),), -1, dtype=torch.int64)
        self._apart: tuple[PopulationPart, GroupTraining] | None = None

    @property
    def training_data(self) -> Data:
        """The rows on which the training runs."""
        return self.group.data

    def behind(self, until: int) -> bool:
        """Whether any member still has to train to reach step ``until``."""
        if self.parts:
            return any(self.part_behind(part, until) for part in self.parts)
        return self.training.step < until and not self.training.done

    def advance(self, seconds: float | None, until: int) -> Tick:
        """Train for about ``seconds``, at most to step ``until``."""
        for part in self.parts:
            if self.part_behind(part, until):
                return self._advance_part(part, seconds, until)
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
        (name, wanted), training, data = self.target, self.training, self.group.data
        now = training.population.snapshot()
        shape = training.shared.item_shape
        x = data.validation.x if shape is None else data.validation.x.reshape(-1, *shape)
        output_RNC = training.answers(now, x)
        y = training.loss_function.target(data.validation.y, output_RNC.dtype)
        found_P = measure(output_RNC, y, training.loss_function, data.target_scale)[name]
        there_P = found_P >= wanted if METRICS[name].better > 0 else found_P <= wanted
        running_P = training.last_step_P == training.step
        first_P = there_P & running_P & (self.reached < 0)
        self.reached = torch.where(first_P, training.step, self.reached)

    def _record(self, tick: Tick) -> None:
        self.model_steps += int(tick.loss_SP.isfinite().sum())
        for epoch in tick.epochs:
            if epoch.evaluation is None:
                continue
            self.last_epoch, figures = epoch, epoch.evaluation["validation"]
            self.curve.add(epoch.number, epoch.loss_P, figures[self.metric])
            before = self.kept_figures
            kept_P = self._is_kept(epoch, figures[self.metric])
            new = {"loss": epoch.loss_P, **{f"validation_{k}": v for k, v in figures.items()}}
            self.kept_figures = {k: torch.where(kept_P, v, before.get(k, torch.nan)) for k, v in new.items()}

    def _is_kept(self, epoch: Epoch, figure_P: Tensor) -> Tensor:
        """``[P]`` bool: whether each member's kept weights are, so far, from this epoch."""
        training = self.training
        if training.config.shared.keep == "last":
            return ~figure_P.isnan()
        return training.kept_step_P == epoch.step

    @property
    def best_P(self) -> Tensor:
        """``[P]`` float64: the validation metric of each member's kept weights."""
        training = self.training
        if not training.plan.evaluates:  # members can't be ranked
            return torch.zeros_like(training.best_P)
        if training.config.shared.keep == "best":
            return training.best_P
        worst_P = torch.full_like(training.best_P, -METRICS[self.metric].better * torch.inf)
        return self.kept_figures.get(f"validation_{self.metric}", worst_P)

    @property
    def last_step_P(self) -> Tensor:
        """``[P]`` int64: each member's updates; of a diverged member, only updates with finite weights."""
        return self._at_own_step(self.training.last_step_P)

    @property
    def kept_step_P(self) -> Tensor:
        """``[P]`` int64: the step of each member's kept weights."""
        kept_P, chosen_P = self.training.kept_step_P, self.training.state.best.chosen_P
        return torch.where(chosen_P, kept_P, self._at_own_step(kept_P))

    def _at_own_step(self, step_P: Tensor) -> Tensor:
        running_P = self.training.state.status_P == RUNNING
        found_P = step_P.clone()
        for part in self.parts:
            for row in part.rows:
                if running_P[row]:
                    found_P[row] = part.step
        return found_P

    # ---- parts that train separately

    def divide(self, count: int) -> None:
        """Divide the running members into ``count`` parts of about equal size."""
        state = self.training.state
        rows, clock = state.running.tolist(), (state.step, state.evaluated_step, state.epoch_loss.count)
        size, more = divmod(len(rows), count)
        ends = [size * (k + 1) + min(more, k + 1) for k in range(count)]
        self.parts = [
            PopulationPart(rows[start:end], *clock, self.curve.looks)
            for start, end in zip([0, *ends], ends, strict=False)
        ]

    def halve(self, part: PopulationPart) -> None:
        """Divide a part in two, each with half of its running members."""
        status_P = self.training.state.status_P
        running = [row for row in part.rows if status_P[row] == RUNNING]
        away = set(running[len(running) // 2 :])
        self.parts.append(replace(part, rows=[row for row in part.rows if row in away]))
        part.rows = [row for row in part.rows if row not in away]

    def part_behind(self, part: PopulationPart, until: int) -> bool:
        """Whether any member of the part still has to train to reach step ``until``."""
        return part.step < until and bool((self.training.state.status_P[part.rows] == RUNNING).any())

    def save_part(self, part: PopulationPart) -> Saved:
        """The part's state, without curves, for ``load`` of a training of these members alone."""
        training, rows = self.training, part.rows
        clock = part.step, part.evaluated_step, part.epoch_steps
        state, meta = save_rows(training.setup, training.state, rows, clock)
        figures = {name: figure_P[rows] for name, figure_P in self.kept_figures.items()}
        kinds = {"engine": state, "seen": figures, "reached": {"step": self.reached[rows]}}
        return _named(kinds), {"engine": meta, "looks": part.looks, "parts": []}

    def put_part(self, part: PopulationPart, saved: Saved) -> None:
        """Take over the state that ``save`` returned in a training of the part's members alone."""
        kinds, (_tensors, facts) = _by_kind(saved[0]), saved
        rows, members = part.rows, len(self.group.members)
        self.training.put(rows, kinds["engine"])
        self.curve.put(rows, members, kinds["curve"])
        self.reached[rows] = kinds["reached"]["step"]
        for name, figure_R in kinds["seen"].items():
            unknown_P = torch.full((members,), torch.nan, dtype=figure_R.dtype)
            self.kept_figures.setdefault(name, unknown_P)[rows] = figure_R
        engine = facts["engine"]
        part.step, part.evaluated_step = engine["step"], engine["evaluated"]
        part.epoch_steps, part.looks = engine["epoch_count"], facts["looks"]

    def join(self) -> None:
        """Join all parts, which must have reached their goal; the population then trains together again."""
        if not self.parts:
            return
        last, state = max(self.parts, key=lambda part: part.step), self.training.state
        state.step, state.evaluated_step = last.step, last.evaluated_step
        state.epoch_loss.count, self.curve.looks = last.epoch_steps, last.looks
        self.parts, self._apart = [], None

    def alone(self, part: PopulationPart) -> "GroupTraining":
        """A separate training of the part's members, in the same state."""
        single = GroupTraining(self.group.part(part.rows, self.training), self.metric, self.target)
        single.load(*self.save_part(part))
        return single

    def _advance_part(self, part: PopulationPart, seconds: float | None, until: int) -> Tick:
        if self._apart is None or self._apart[0] is not part:
            self._apart = part, self.alone(part)
        alone = self._apart[1]
        before = alone.model_steps
        tick = alone.advance(seconds, until)
        self.model_steps += alone.model_steps - before
        self.put_part(part, alone.save())
        return tick

    # ---- parts in the processes of a cluster; see ``Distribution``

    @property
    def data(self) -> Data:
        return self.group.data

    @property
    def members(self) -> tuple[int, ...]:
        return self.group.members

    @property
    def task_processors(self) -> int:
        training = self.training
        return 1 if training.engine in WORKERS else training.threads

    def task_end(self, step: int) -> int:
        """The first step from ``step`` on at which a task may end: here ``step`` itself."""
        return step

    def order(self, part: PopulationPart, until: int, cluster: Cluster) -> "PartOrder":
        """The order for a task that trains the part to step ``until``."""
        group = group_order(self.group.part(part.rows, self.training), cluster, self.task_processors)
        state = self.save_part(part) if part.step else None
        return PartOrder(type(self), group, self.metric, self.target, state, until)

    def task_name(self, part: PopulationPart, until: int) -> str:
        members = [self.members[row] for row in part.rows]
        some = f"{len(members)} networks, {min(members)} to {max(members)}"  # not necessarily all in between
        return f"{some if len(members) > 1 else f'network {members[0]}'}, steps {part.step} to {until}"

    def take(self, part: PopulationPart, end: TaskEnd) -> tuple[int, list[Epoch]]:
        """Take over the result of a part's task. Return its model-steps and last evaluated epoch, if any."""
        alone: PartEnd = end.value
        self.put_part(part, alone.state)
        self.model_steps += alone.model_steps
        return alone.model_steps, [] if alone.epoch is None else [alone.epoch]

    # ---- checkpoints

    def save(self) -> Saved:
        """Return the full state, from which training resumes bit for bit; tensors are named ``kind.name``."""
        state, meta = self.training.save()
        kinds = {"engine": state, "curve": self.curve.tensors(), "seen": self.kept_figures}
        facts = {"engine": meta, "looks": self.curve.looks, "parts": [asdict(part) for part in self.parts]}
        return _named(kinds | {"reached": {"step": self.reached}}), facts

    def load(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Restore the state that ``save`` returned in a training of the same group."""
        kinds = _by_kind(tensors)
        self.training.load(kinds["engine"], facts["engine"])
        self.curve.restore(kinds["curve"], facts["looks"])
        self.kept_figures, self.reached = kinds["seen"], kinds["reached"]["step"]
        self.parts = [PopulationPart(**part) for part in facts["parts"]]


@dataclass(frozen=True, eq=False)
class PartOrder:
    """All that training a part needs except its rows. kind: the class of its training. state: the result of
    ``save_part``; None before the first step."""

    kind: type[GroupTraining]
    group: GroupOrder
    metric: str
    target: tuple[str, float] | None
    state: Saved | None
    until: int

    def train(self, data: Data) -> "PartEnd":
        """Train the members to step ``until``, or until all have ended."""
        alone = self.kind(self.group.group(data), self.metric, self.target)
        if self.state is not None:
            alone.load(*self.state)
        while alone.behind(self.until):
            alone.advance(None, self.until)
        return PartEnd(alone.save(), alone.model_steps, alone.last_epoch)


@dataclass(frozen=True, eq=False)
class PartEnd:
    """The result of a part's task. state: for ``put_part``. epoch: the last evaluated epoch."""

    state: Saved
    model_steps: int
    epoch: Epoch | None


def save_each(populations: Sequence[GroupTraining]) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """The states of several trainings; tensors are named ``place.kind.name``, places counted from 0."""
    tensors: dict[str, Tensor] = {}
    each = []
    for place, population in enumerate(populations):
        own, facts = population.save()
        tensors |= {f"{place}.{name}": tensor for name, tensor in own.items()}
        each.append(facts)
    return tensors, each


def load_each(
    populations: Sequence[GroupTraining],
    tensors: Mapping[str, Tensor],
    each: Sequence[Mapping[str, Any] | None],
) -> None:
    """Restore what ``save_each`` returned, in trainings of the same groups. each: None: no saved state."""
    for place, (population, facts) in enumerate(zip(populations, each, strict=True)):
        head = f"{place}."
        if facts is not None:
            own = {name[len(head) :]: t for name, t in tensors.items() if name.startswith(head)}
            population.load(own, facts)


def _named(kinds: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{kind}.{name}": t.contiguous() for kind, named in kinds.items() for name, t in named.items()}


def _by_kind(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    tensors_of: dict[str, dict[str, Tensor]] = {"engine": {}, "curve": {}, "seen": {}, "reached": {}}
    for name, tensor in tensors.items():
        kind, _dot, rest = name.partition(".")
        tensors_of[kind][rest] = tensor
    return tensors_of
