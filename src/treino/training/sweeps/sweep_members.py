"""Sample the members of a sweep, restore them after a stop, and add more.

Members can be added to a sweep that is running, interrupted, stopped or finished. Space and settings stay,
and the sampler continues. With a strategy that stops members early, the new ones compete in further brackets,
and their best with the best so far. If a stopped sweep had members that never began, the new members take
their settings. The time limit and the target start anew.
"""

import math
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from treino.base.errors import Refusal, TreinoError
from treino.base.machine import free_bytes
from treino.base.words import _
from treino.data.dataset import Data
from treino.engine import Net
from treino.engine.metrics import METRICS
from treino.engine.net_state import check_state, same_bits, whole_state
from treino.engine.nets import input_shape
from treino.engine.training_setup import NO_VALIDATION_ROWS
from treino.folders.documents.reading import read_document, read_sweep_spec
from treino.folders.store import RunFolder
from treino.folders.store.database import Command
from treino.folders.store.output_files import refuse_run
from treino.folders.user_network import NetworkFiles, network_of
from treino.settings.network_call import NetworkCall
from treino.settings.network_settings import OF_CNN
from treino.settings.options import SweepOptions, SweepPlan, read_options
from treino.settings.several import OF_COMPARED, OF_MEMBERS
from treino.settings.spec import Settings, check_rules, read_settings
from treino.training.commands import deliver, send_command
from treino.training.goals import goal_of
from treino.training.loop import stop_sent
from treino.training.resolution import decide
from treino.training.search.samplers import STRATEGIES, Rung, Sampler, sampler, tpe
from treino.training.search.space import Choice, Config, Dimension, Space, space_in, values_of
from treino.training.sweeps.bracket import MemberTable, TopMember, TrainingBracket
from treino.training.sweeps.distribution import Distribution
from treino.training.sweeps.populations import (
    SharedRows,
    of_member,
    populations_of,
    settings_of,
    shared_settings,
)

MORE_TOO_LATE = Refusal(
    "{sweep} is trained by another process, which takes no more networks now.",
    "Ask again once it is over: treino resume {sweep} [[more={n}]]",
    status=1,
)
MORE_RANGE = Refusal("more is {n}: a sweep is given at least one more network.", "Say how many, e.g. 64.")
MORE_OF_EQUAL = Refusal(
    "These are equal settings with other seeds or folds: there is no best to look for on.",
    "Train them anew, with more [[seeds]] or [[folds]].",
)
SPACE_SPENT = Refusal(
    "{more:,} networks more were asked for, and {left:,} settings of the space are left.", "{hint}"
)
SAMPLER_DIFFERS = Refusal(
    "The sampler asks for other settings than it did, from network {n} on.",
    "Use the versions that the sweep was begun with, or start a new one.",
)

NET_CHANCE = Refusal(
    "Made twice from one seed, the network has different weights, so that its training can't be repeated.",
    "Draw its numbers by torch, whose seed is set, not by random or NumPy.",
)

CHECKED = 1000  # members whose settings are checked before the data is read
COPIES = 12  # copies of a member's parameters in memory while it trains
FIRST_LOOK = 20  # minimum number of steps before the engine's first evaluation on validation rows


@dataclass(eq=False)
class SweepTraining:
    """The state of a sweep in progress; it begins without members, which ``next_members`` adds.

    base: settings shared by all members. networks: the network files that settings name and that may run.
    configs: each member's own settings. asks: the number of members in each request to the sampler.
    brackets: (first member, members, rungs) of every bracket so far; the first ``done`` are finished.
    extensions: added members, as ``documents.sweep.Extension``. seconds: of training. top: the best.
    status: finished, stopped (time is over), interrupted. distribution: the cluster's; None: this process
    trains. processors: ``{kind of processor: members trained on it}``, for clusters only. folder: as of
    ``SharedRows``.
    """

    source: Any
    data: Data
    base: Mapping[str, Any]
    space: Space
    options: SweepPlan
    networks: NetworkFiles
    folder: InitVar[RunFolder | None] = None
    metric: str = field(init=False)
    epochs: int = field(init=False)
    least: int = field(init=False)
    sampler: Sampler = field(init=False)
    rows: MemberTable = field(init=False)
    data_for: SharedRows = field(init=False)
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

    def __post_init__(self, folder: RunFolder | None) -> None:
        data, options = self.data, self.options
        if not len(data.validation) and not options.spread:
            raise NO_VALIDATION_ROWS(what=_("A sweep"))
        shared = shared_settings(self.base)
        _net, config = decide(shared, data)
        per_epoch = -(-len(data.train) // config.rows_per_step(len(data.train)))
        self.metric = shared.metric
        self.epochs = config.shared.epochs or max(1, (config.shared.steps or 0) // per_epoch)
        self.least = min(self.epochs, -(-FIRST_LOOK // per_epoch))
        if options.sampler == TPE:
            self.sampler = tpe(self.space, options.sampler_seed, options.storage, data.name)
        else:
            self.sampler = sampler(options.sampler, self.space, options.sampler_seed)
        self.rows = MemberTable(tuple(d.name for d in self.space.dimensions))
        self.data_for = SharedRows(self.source, data, shared, OF_MEMBERS, folder)

    def settings(self, member: int) -> Settings:
        """All settings of one member."""
        if member not in self._settings:
            self._settings[member] = settings_of(self.configs[member], self.base, member)
        return self._settings[member]

    def set_members(self, count: int) -> None:
        """Set the total number of members to sample."""
        self.options = self.options.model_copy(update={"members": count})

    @property
    def seconds_at_last(self) -> float:
        """Seconds of training when members were last added; the time limit counts from there."""
        return float(self.extensions[-1]["seconds"]) if self.extensions else 0.0

    def next_members(self) -> list[Config] | None:
        """Sample and check the next brackets' members. Return None if all are sampled."""
        left = self.options.members - len(self.configs)
        if left <= 0:
            return None
        if self.options.sampler == TPE:
            left = min(left, TPE_AT_ONCE)
        configs = self.sampler.ask(left)
        if not configs:
            return None
        first = len(self.configs)
        settings = _checked(configs, self.base, first, self.options)
        self._settings |= settings
        for parts in _group_sizes(self, settings, configs):
            strategy = STRATEGIES[self.options.strategy]
            for rungs in strategy(parts, self.epochs, self.options.eta, self.least):
                self.brackets.append((first, rungs[0].members, rungs))
                first += rungs[0].members
        self.configs += configs
        self.asks.append(len(configs))
        return configs

    def bracket(self, number: int, state: Mapping[str, Any] | None = None) -> TrainingBracket:
        """One bracket's populations before their first step. state: a saved state, to use the same kernels,
        even if others are faster on this machine.

        Raises:
            TreinoError: settings that contradict the data or the machine, with the member's number.
        """
        first, members, rungs = self.brackets[number]
        numbers = range(first, first + members)
        settings = {m: self.settings(m) for m in numbers}
        for saved in [] if state is None else state["populations"]:
            identity = saved["engine"]["identity"]
            kernel = {name: identity[name] for name in ("engine", "threads") if identity[name] is not None}
            settings |= {m: settings[m].model_copy(update=kernel) for m in saved["members"] if m in settings}
        gpus = state is None and self.distribution is not None and self.distribution.gpus
        target = self.options.until if self.options.spread else None
        configs = {m: self.configs[m] for m in numbers}
        populations = populations_of(
            settings, self.data_for, self.networks, self.metric, target, configs=configs, gpus=gpus
        )
        cluster = self.distribution, self.processors
        return TrainingBracket(number, configs, rungs, populations, self.rows, *cluster)

    def restore_members(self, members: Mapping[str, Any]) -> None:
        """Restore the members as they were sampled, and the sampler's state."""
        self.configs = [as_json(c) for c in members["configs"]]
        self.asks, self.extensions = members["asks"], list(members.get("extensions", ()))
        self.brackets = [
            (first, count, tuple(Rung(*rung) for rung in rungs))
            for first, count, rungs in members["brackets"]
        ]
        figures = {row["member"]: row for row in self.rows.last()}
        over = sum(count for _first, count, _rungs in self.brackets[: self.done])
        first = 0
        for count in self.asks:
            configs = self.sampler.replay(self.configs[first : first + count])
            if [as_json(c) for c in configs] != self.configs[first : first + count]:
                raise SAMPLER_DIFFERS(n=first)
            for member in range(first, min(first + count, over)):
                row = figures.get(member)
                best = None if row is None else row["best"]  # None: it diverged
                value = None if best is None else -METRICS[self.metric].better * float(best)
                self.sampler.tell(member, value)
            first += count

    def write_members(self, folder: RunFolder) -> None:
        """Write the members' settings and brackets, for ``restore_members``."""
        brackets = [
            [first, count, [[r.members, r.epochs] for r in rungs]] for first, count, rungs in self.brackets
        ]
        document = {"brackets": brackets, "asks": self.asks, "configs": self.configs, "notes": self.notes}
        folder.write_json(
            "asked.json", document | ({"extensions": self.extensions} if self.extensions else {})
        )


def check_members(space: Space, base: Mapping[str, Any], plan: SweepPlan) -> None:
    """Refuse a space that the sampler can't sample, and settings of members that contradict each other,
    before the data is read: the first ones, as ``next_members`` checks every member. Optuna's are asked for
    as the sweep goes.

    base: settings shared by all members.
    """
    if plan.sampler == TPE:
        return
    configs = sampler(plan.sampler, space, plan.sampler_seed).ask(min(plan.members, CHECKED))
    _checked(configs, base, 0, plan)


def _checked(
    configs: Sequence[Config], base: Mapping[str, Any], first: int, plan: SweepPlan
) -> dict[int, Settings]:
    """The settings of the members from ``first`` on, by their numbers."""
    settings = {first + i: settings_of(config, base, first + i) for i, config in enumerate(configs)}
    for each in () if plan.spread else settings.values():
        check_rules(each, OF_COMPARED)
    return settings


def _group_sizes(
    sweep: SweepTraining, settings: Mapping[int, Settings], configs: Sequence[Config]
) -> list[int]:
    """How many members train at once: all, or parts that fit into half of the free memory."""
    numbers: dict[Any, int] = {}
    for (member, s), config in zip(settings.items(), configs, strict=True):
        if _layers(s) not in numbers:
            try:
                numbers[_layers(s)] = _parameters(sweep.data, s, sweep.networks)
            except TreinoError as error:
                raise of_member(error, member, config) from None
    needed = sum(numbers[_layers(s)] * s.ensemble for s in settings.values()) * 4 * COPIES
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


def _layers(s: Settings) -> tuple[Any, ...]:
    """The settings on which the number of parameters depends."""
    return (s.net, s.hidden, *(getattr(s, name) for name in OF_CNN))


def _parameters(data: Data, settings: Settings, networks: NetworkFiles) -> int:
    """The number of a member's parameters; a network of treino's isn't built for it.

    Raises:
        TreinoError: settings that contradict the data; the user's network differs when it is made again.
    """
    net, _config = decide(settings, data, network_of(settings, networks))
    if isinstance(net, Net):
        shapes = net.parameter_shapes(input_shape(net, data.item_shape), data.outputs)
        return sum(map(math.prod, shapes))
    check_state(net)
    again = network_of(settings, networks)
    assert again is not None
    first, second = ({n: t for n, t in whole_state(m).items() if not is_lazy(t)} for m in (net, again))
    if not same_bits(first, second):
        raise NET_CHANCE()
    return sum(0 if is_lazy(p) else p.numel() for p in net.parameters())  # a lazy layer's number is unknown


def as_json(config: Mapping[str, Any]) -> Config:
    """The settings of a member as a file holds them."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}


OVER = "finished", "stopped", "diverged"
VERB = "extend"  # the command to the training process; its value: how many members to add
PATIENCE = 30.0  # seconds to wait for the answer of that process
POLL_SECONDS = 0.05


def settings_in_all(space: Space, sampler: str) -> int | None:
    """The number of different settings that this sampler can draw; None: unlimited."""
    whole = space.grid if sampler == "grid" else None if sampler == TPE else space.every
    return None if whole is None else len(whole)


def check_more(more: int, spread: bool, left: int | None) -> None:
    """Check whether ``more`` networks can be added.

    left: the number of settings that no member has yet; None: unlimited.

    Raises:
        TreinoError: too few, too many, or nothing to vary.
    """
    if isinstance(more, bool) or not isinstance(more, int) or more < 1:
        raise MORE_RANGE(n=more)
    if spread:
        raise MORE_OF_EQUAL()
    if left is not None and more > left:
        raise SPACE_SPENT(
            more=more,
            left=left,
            hint=_("Ask for {left:,}.").format(left=left) if left else _("Start a sweep of a larger space."),
        )


def begun_brackets(members: Mapping[str, Any], done: int) -> dict[str, Any]:
    """``asked.json`` without brackets that never began. done: the number of finished brackets."""
    count = sum(number for _first, number, _rungs in members["brackets"][:done])
    ends = [0, *accumulate(members["asks"])]
    asks = [min(end, count) - begin for begin, end in pairwise(ends) if begin < count]
    configs = members["configs"][:count]
    return {**members, "brackets": members["brackets"][:done], "asks": asks, "configs": configs}


def add_networks(folder: RunFolder, sweep: SweepTraining, more: int, *, command: int | None = None) -> None:
    """Add ``more`` members to the sweep, and write them to the folder.

    command: the id of the command that asks for them. If the sweep had finished, its former judgement is
    noted too, even if a process that reopened the sweep before died before noting it.

    Raises:
        TreinoError: as ``check_more``.
    """
    options = sweep.options
    whole = settings_in_all(sweep.space, options.sampler)
    check_more(more, options.spread, None if whole is None else max(0, whole - len(sweep.configs)))
    entry: dict[str, Any] = {
        "members": more,
        "first": options.members,
        "seconds": sweep.seconds,
        "command": command,
    }
    result = read_document(folder, "result.json") if folder.has("result.json") else {}
    if result.get("status") in OVER and result["members"] == options.members:
        best, judge = result["best"] or {}, result["judge"] or {}
        entry |= {"tested": best.get("test") is not None, "judged": judge.get("sentence")}
    sweep.set_members(options.members + more)
    if options.sampler != TPE:  # TPE samples when earlier results are known
        sweep.next_members()
        sweep.set_members(len(sweep.configs))
        entry["members"] = len(sweep.configs) - options.members
    sweep.extensions.append(entry)
    sweep.write_members(folder)


def obey_commands(folder: RunFolder, sweep: SweepTraining) -> bool:
    """Obey the commands to a running sweep. Return whether a command asks to stop."""

    def add(command: Command) -> bool:
        if command.name != VERB:
            return False
        if command.id not in [e["command"] for e in sweep.extensions]:
            try:
                add_networks(folder, sweep, command.value, command=command.id)
            except TreinoError:
                return False
        return True

    return stop_sent(folder, add)


def left_of(folder: RunFolder, whole: int | None) -> int | None:
    """The number of settings that no member has yet. whole: the result of ``settings_in_all``."""
    if whole is None:
        return None
    over = folder.status in OVER  # settings of members that never began are free again
    taken = MemberTable.read(folder).last() if over else read_document(folder, "asked.json")["configs"]
    return max(0, whole - len(taken))


def check_folder(folder: RunFolder, more: int) -> None:
    """Check whether ``more`` networks can be added to the sweep in this folder.

    Raises:
        TreinoError: as ``check_more``.
    """
    spec = read_sweep_spec(folder)
    whole = settings_in_all(space_in(spec), spec.sweep.sampler)
    check_more(more, spec.sweep.spread, left_of(folder, whole))


def send_more(folder: RunFolder, more: int, patience: float = 0.0) -> None:
    """Ask the process that trains this sweep to add ``more`` networks. patience: longest wait for its answer;
    0: it isn't waited for.

    Raises:
        TreinoError: as ``check_more``; the sweep has ended meanwhile, or is being judged; the process that
            trains refuses, or doesn't answer.
    """
    check_folder(folder, more)
    if not deliver(lambda: send_command(folder, VERB, more)):
        raise MORE_TOO_LATE(sweep=folder.path.name, n=more)

    if not patience:
        return
    sent = max(command.id for command in folder.database.commands() if command.name == VERB)
    begin, state = time.monotonic(), "new"
    while state == "new" and folder.status == "running" and time.monotonic() - begin < patience:
        time.sleep(POLL_SECONDS)
        state = next(command.state for command in folder.database.commands() if command.id == sent)
    if state != "applied":
        raise MORE_TOO_LATE(sweep=folder.path.name, n=more)


def extension_notes(sweep: SweepTraining) -> list[str]:
    """Notes on added networks that a reader of the judgement needs."""
    plain = _("{n:,} networks were added to the first {first:,}.")
    tested = _("{n:,} networks were added when the test rows had been looked at for the first {first:,}.")
    judged = _("{n:,} networks were added when the first {first:,} had been judged by the test rows: {said}")
    return [
        (judged if e.get("judged") else tested if e.get("tested") else plain).format(
            n=e["members"], first=e["first"], said=e.get("judged")
        )
        for e in sweep.extensions
    ]


# ---- the options of a sweep besides its members' settings

STORAGE_SAMPLER = Refusal(
    "The storage is Optuna's, and the sampler is {name}.", "Add [[sampler=tpe]], or leave [[storage]] out."
)
TPE = "tpe"
TPE_AT_ONCE = 32  # members sampled together, before their results are known
_SQLITE_FILE = re.compile(r"sqlite[^:]*:///(file:)?(?P<path>[^?]+).*")  # as in sqlite:///sweep.db


def sweep_plan(options: SweepOptions, metric: str | None = None) -> SweepPlan:
    """Check the sweep's own options, as given or as its folder keeps them. metric: that of its networks.

    Raises:
        TreinoError: a storage without its sampler, or in a run; a target that is none.
    """
    given = options.model_dump(exclude_unset=True, include=set(SweepPlan.model_fields))
    plan = read_options(SweepPlan, given | {"until": goal_of(options.until, metric)})
    if plan.storage is not None and plan.sampler != TPE:
        raise STORAGE_SAMPLER(name=plan.sampler)
    if file := _SQLITE_FILE.fullmatch(plan.storage or ""):
        refuse_run(Path(file["path"]))
    return plan


def network_words(base: Mapping[str, Any], space: Space, configs: Iterable[Config] = ()) -> list[str | None]:
    """The user's network files in these settings, each as FILE.py:NAME, or None.

    base: settings shared by all members. configs: settings of single members.
    """
    values = values_of(space, ("net",))
    words = [read_settings({"net": value}).net_file for value in values if value is not None]
    own = [settings_of(config, base, n).net_file for n, config in enumerate(configs) if "net" in config]
    return [shared_settings(base).net_file, *words, *own]


def first_networks(space: Space, base: Mapping[str, Any], files: NetworkFiles) -> Iterator[nn.Module | None]:
    """Each network of the space once, made with the first values of its arguments. base, files: as of a
    sweep."""
    nets = next((d.domain.values or () for d in space.dimensions if d.name == "net"), (None,))
    for place in range(len(nets)):
        point = [(place + 0.5) / len(nets) if d.name == "net" else 0.0 for d in space.dimensions]
        yield network_of(settings_of(space.config(point), base, 0), files)


def renamed_space(space: Space, words: Mapping[str, str], names: Collection[str] = ("net",)) -> Space:
    """The space with each file renamed by ``words``, ``{old: new}``. names: the settings that name them."""

    def other(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(str(NetworkCall.read(v).renamed(words)) if isinstance(v, str) else v for v in values)

    def renamed(d: Dimension) -> Dimension:
        if d.name in names and isinstance(d.domain, Choice):
            d = replace(d, domain=Choice(other(d.domain.values)))
        return replace(d, among=other(d.among)) if d.when in names else d

    return Space(tuple(renamed(d) for d in space.dimensions))
