"""The state of a sweep in progress: its members, their settings, and what is kept so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from treino.data.dataset import Data
from treino.data.memory import free_bytes
from treino.engine import MLP
from treino.engine.metrics import METRICS
from treino.engine.training_setup import no_validation_rows
from treino.errors import TreinoError
from treino.records.user_network import NetworkFiles, network_of
from treino.search.halving import STRATEGIES, Bracket, Rung
from treino.search.optuna_sampler import tpe
from treino.search.samplers import Sampler, sampler
from treino.search.space import Config
from treino.spec import Settings
from treino.store import RunFolder
from treino.training.resolution import decide
from treino.tuning.bracket import MemberTable, TopMember, TrainingBracket
from treino.tuning.distribution import Distribution
from treino.tuning.job import SharedRows
from treino.tuning.populations import COMPARED, Group, GroupTraining, for_gpu, groups, settings_of
from treino.tuning.sweep_options import TPE, TPE_AT_ONCE, SweepOptions
from treino.words import _

COPIES = 12  # of a member's numbers that are in memory while it trains
PREPARED = *COMPARED, "fold"  # settings of the data in which members may differ
FIRST_LOOK = 20  # steps: the engine looks at validation rows no earlier


@dataclass(eq=False)
class SweepTraining:
    """The state of a sweep in progress.

    base: what all members share. networks: the files that settings name, and that may run.
    configs: each member's own settings; asks: how many were asked for at once.
    brackets: (first member, members, rungs) of every bracket so far; ``done`` of them are over. extensions:
    members that were added, as ``documents.sweep_members.Extension``. seconds: of training. top: the best.
    status: finished, stopped (time is over), interrupted. distribution: who trains; None: this process.
    processors: the kinds that trained, and which members; of other processes alone.
    """

    source: Any
    data: Data
    base: Mapping[str, Any]
    options: SweepOptions
    metric: str
    epochs: int
    least: int
    sampler: Sampler
    rows: MemberTable
    networks: NetworkFiles
    data_for: SharedRows
    configs: list[Config] = field(default_factory=list)
    asks: list[int] = field(default_factory=list)
    brackets: list[tuple[int, int, tuple[Rung, ...]]] = field(default_factory=list)
    extensions: list[dict[str, Any]] = field(default_factory=list)
    done: int = 0
    top: list[TopMember] = field(default_factory=list)
    seconds: float = 0.0
    status: str = "finished"
    notes: list[str] = field(default_factory=list)
    distribution: Distribution | None = None
    processors: dict[str, set[int]] = field(default_factory=dict)
    _settings: dict[int, Settings] = field(default_factory=dict)

    def settings(self, member: int) -> Settings:
        """All settings of one member."""
        if member not in self._settings:
            self._settings[member] = settings_of(self.configs[member], self.base, member)
        return self._settings[member]

    @property
    def seconds_at_last(self) -> float:
        """Of training, when members were added last: from there on the time limit counts."""
        return float(self.extensions[-1]["seconds"]) if self.extensions else 0.0


@dataclass
class SweepProgress:
    """What a live table shows; seconds are of training alone.

    begun, diverged: members so far. planned_steps: model-steps of the known brackets. best: the member
    and its figure, in the metric's own units. rung: of rungs of the bracket that runs.
    """

    members: int
    begun: int = 0
    diverged: int = 0
    model_steps: int = 0
    planned_steps: int = 0
    seconds: float = 0.0
    best: tuple[int, float] | None = None
    config: Config | None = None
    rung: int = 0
    rungs: int = 1

    @property
    def model_steps_per_second(self) -> float:
        return self.model_steps / self.seconds if self.seconds else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds to the end of the brackets that are known, None before there is a pace."""
        if not self.model_steps:
            return None
        return max(0.0, (self.planned_steps - self.model_steps) / self.model_steps_per_second)


def sweep_training(
    source: Any, data: Data, base: Mapping[str, Any], options: SweepOptions, networks: NetworkFiles
) -> SweepTraining:
    """Everything but the folder; the sizes of the brackets are known after it."""
    if not isinstance(data.train.x, torch.Tensor):
        raise TreinoError(
            "sweep_rows",
            _("A sweep needs its rows in memory, and {name} is read item by item.").format(name=data.name),
            _("Give a table or arrays."),
        )
    if not len(data.validation) and not options.spread:
        raise no_validation_rows(_("A sweep"))
    shared = settings_of({}, base, 0)
    _net, config = decide(shared, data)
    per_epoch = -(-len(data.train) // config.rows_per_step(len(data.train)))
    epochs = config.shared.epochs or max(1, (config.shared.steps or 0) // per_epoch)
    least = min(epochs, -(-FIRST_LOOK // per_epoch))
    if options.sampler == TPE:
        chosen = tpe(options.space, options.sampler_seed, options.storage, data.name)
    else:
        chosen = sampler(options.sampler, options.space, options.sampler_seed)
    dimensions = tuple(d.name for d in options.space.dimensions)
    return SweepTraining(
        source,
        data,
        base,
        options,
        shared.metric,
        epochs,
        least,
        chosen,
        MemberTable(dimensions),
        networks,
        SharedRows(source, data, shared, PREPARED),
    )


def _brackets(sweep: SweepTraining, members: int) -> tuple[Bracket, ...]:
    return STRATEGIES[sweep.options.strategy](members, sweep.epochs, sweep.options.eta, sweep.least)


def next_members(sweep: SweepTraining) -> list[Config] | None:
    """Sample the next brackets' members; None where all are sampled. Checks every one of them."""
    left = sweep.options.members - len(sweep.configs)
    if left <= 0:
        return None
    if sweep.options.sampler == TPE:
        left = min(left, TPE_AT_ONCE)
    configs = sweep.sampler.ask(left)
    if not configs:
        return None
    first = len(sweep.configs)
    settings = {first + i: settings_of(c, sweep.base, first + i) for i, c in enumerate(configs)}
    sweep._settings |= settings
    for parts in _group_sizes(sweep, settings):
        for bracket in _brackets(sweep, parts):
            sweep.brackets.append((first, bracket.members, bracket.rungs))
            first += bracket.members
    sweep.configs += configs
    sweep.asks.append(len(configs))
    return configs


def _group_sizes(sweep: SweepTraining, settings: Mapping[int, Settings]) -> list[int]:
    """How many members train at once: all, or parts that fit into half of the memory that is free."""
    numbers: dict[Any, int] = {}
    for s in settings.values():
        if (s.hidden, s.net) not in numbers:
            numbers[s.hidden, s.net] = _parameters(sweep.data, s, sweep.networks)
    needed = sum(numbers[s.hidden, s.net] for s in settings.values()) * 4 * COPIES
    free = free_bytes()
    parts = -(-needed // max(1, free // 2))
    if parts <= 1:
        return [len(settings)]
    size = -(-len(settings) // parts)
    sweep.notes.append(
        _("{n} networks need {need:.1f} GB and {free:.1f} GB are free: {size} are trained at a time.").format(
            n=len(settings), need=needed / 1e9, free=free / 1e9, size=size
        )
    )
    return [min(size, len(settings) - start) for start in range(0, len(settings), size)]


def _parameters(data: Data, settings: Settings, networks: NetworkFiles) -> int:
    """Parameters of a member, counted without making an MLP's."""
    net, _config = decide(settings, data, network_of(settings, networks))
    if isinstance(net, MLP):
        return sum((a + 1) * b for a, b in pairwise((data.inputs, *net.hidden, max(len(data.classes), 1))))
    return sum(0 if is_lazy(p) else p.numel() for p in net.parameters())  # of a lazy layer nobody knows yet


def training_bracket(
    sweep: SweepTraining, number: int, state: Mapping[str, Any] | None = None
) -> TrainingBracket:
    """The populations of one bracket, before their first step. state: as it was saved, for the same kernels.

    Raises:
        TreinoError: settings that contradict the data or the machine, with the member's number.
    """
    first, members, rungs = sweep.brackets[number]
    numbers = range(first, first + members)
    made = groups({m: sweep.settings(m) for m in numbers}, sweep.data_for, sweep.networks)
    if state is not None:
        made = [
            _as_saved(group, saved["identity"]) for group, saved in zip(made, state["engine"], strict=False)
        ]
    elif sweep.distribution is not None and sweep.distribution.cluster.gpus:
        made = [for_gpu(group) for group in made]
    target = sweep.options.until if sweep.options.spread else None
    populations = [GroupTraining(group, sweep.metric, target) for group in made]
    return TrainingBracket(number, {m: sweep.configs[m] for m in numbers}, rungs, populations)


def _as_saved(group: Group, identity: Mapping[str, Any]) -> Group:
    """With the kernel of a saved training, whatever is the fastest on this machine."""
    kernel = {"engine": identity["engine"], "threads": identity["threads"] or group.config.shared.threads}
    return replace(group, config=group.config.with_settings(**kernel))


def restore_members(sweep: SweepTraining, members: Mapping[str, Any]) -> None:
    """The members as they were sampled; the sampler's state is restored."""
    sweep.configs = [_as_json(c) for c in members["configs"]]
    sweep.asks, sweep.extensions = members["asks"], list(members.get("extensions", ()))
    sweep.brackets = [
        (first, count, tuple(Rung(*rung) for rung in rungs)) for first, count, rungs in members["heats"]
    ]
    figures = {row["member"]: row for row in sweep.rows.last()}
    over = sum(count for _first, count, _rungs in sweep.brackets[: sweep.done])
    first = 0
    for count in sweep.asks:
        configs = sweep.sampler.replay(sweep.configs[first : first + count])
        if [_as_json(c) for c in configs] != sweep.configs[first : first + count]:
            raise TreinoError(
                "sampler_differs",
                _("The sampler asks for other settings than it did, from network {n} on.").format(n=first),
                _("Use the versions that the sweep was begun with, or start a new one."),
            )
        for member in range(first, min(first + count, over)):
            sweep.sampler.tell(member, _sampler_figure(figures.get(member), sweep.metric))
        first += count


def write_members(folder: RunFolder, sweep: SweepTraining) -> None:
    """Keep the members' settings and brackets, which ``restore_members`` reads."""
    brackets = [
        [first, count, [[r.members, r.epochs] for r in rungs]] for first, count, rungs in sweep.brackets
    ]
    found = {"heats": brackets, "asks": sweep.asks, "configs": sweep.configs, "notes": sweep.notes}
    folder.write_json("asked.json", found | ({"extensions": sweep.extensions} if sweep.extensions else {}))


def _sampler_figure(row: Mapping[str, Any] | None, metric: str) -> float | None:
    if row is None or row["best"] is None or row["status"] == "diverged":
        return None
    return -METRICS[metric].better * float(row["best"])


def _as_json(config: Mapping[str, Any]) -> Config:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}
