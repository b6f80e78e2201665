"""The documents of sweeps and studies: ``spec.json result.json members.parquet asked.json``."""

import math
from collections.abc import Mapping, Sized
from itertools import accumulate
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from treino.base.document_fields import (
    AS_TUPLE,
    Command,
    Count,
    Device,
    Document,
    Entries,
    Figure,
    Figures,
    Interval,
    Many,
    Number,
    Pair,
    Plain,
    Rows,
    Seconds,
    Seed,
    Share,
    Status,
    Task,
    Text,
    Threads,
    Word,
)
from treino.data.documents import DataSource
from treino.folders.documents.run_result import Baseline
from treino.folders.documents.run_spec import Asked, Name
from treino.settings.options import SweepPlan
from treino.settings.spec import Fault

# ---- ``spec.json`` of a sweep

Scalar = bool | int | float | str | None
Value = Scalar | list[Scalar]
"""A value of a setting: the typed text, or a Python value."""


class ChoiceEntry(Document):
    model_config = ConfigDict(extra="forbid")

    values: Annotated[Many[Value], Field(min_length=1)]
    when: Name | None = Field(None, alias="if")
    among: Many[Value] = ()


class RangeEntry(Document):
    model_config = ConfigDict(extra="forbid")

    low: Number
    high: Number
    log: bool
    whole: bool
    levels: Annotated[int, Field(ge=1, le=1_000_000)] | None
    when: Name | None = Field(None, alias="if")
    among: Many[Value] = ()


SpaceEntries = dict[Name, RangeEntry | ChoiceEntry]


class SweepOptionsEntry(SweepPlan):
    """The options of a sweep, with the space of its members' settings."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    space: SpaceEntries


class SweepSpec(Document):
    """``spec.json`` of a sweep. asked: settings as typed. base: settings that all members share. versions,
    machine: those that began it; {} in older sweeps."""

    asked: Asked
    base: Asked
    space: SpaceEntries
    sweep: SweepOptionsEntry
    metric: Word
    data: DataSource
    classes: Many[Text]
    rows: Rows
    notes: Many[Text]
    versions: dict[Text, Text] = Field({})
    machine: dict[Text, Text] = Field({})


# ---- ``members.parquet`` and ``asked.json``

Config = dict[Name, Value]
"""A member's own settings."""

Positive = Annotated[int, Field(ge=1, le=10_000_000)]
MemberName = Annotated[str, Field(pattern=r"^\d{1,9}$")]
RungEntry = Pair[Positive]
BracketEntry = Annotated[tuple[Count, Positive, Annotated[Many[RungEntry], Field(min_length=1)]], AS_TUPLE]


class Extension(Document):
    """Members that were added to a sweep.

    first, seconds: the number of members and the seconds of training before the addition. command: the number
    of the command that added the members, if another process trained the sweep. tested: whether test rows
    had been used before. judged: the sentence of the earlier judgement.
    """

    members: Positive
    first: Count
    seconds: Seconds
    command: Count | None
    tested: bool = False
    judged: Text | None = None


class SweepMembers(Document):
    """``asked.json``.

    brackets: for each the first member, the number of members, and (members, epochs) of each rung. asks: the
    number of members in each request. configs: the settings of each member. extensions: in order.
    """

    brackets: Many[BracketEntry]
    asks: Many[Count]
    configs: Many[Config]
    notes: Many[Text]
    extensions: Many[Extension] = ()

    def agreeing(self) -> dict[str, bool]:
        ends = [0, *accumulate(members for _first, members, _rungs in self.brackets)]
        return {
            "brackets": [first for first, _members, _rungs in self.brackets] == ends[:-1],
            "asks": sum(self.asks) == ends[-1],
            "configs": len(self.configs) == ends[-1],
        }


class MemberRow(Document):
    """A row of ``members.parquet``: a member at a rung. The settings of the space are further columns."""

    member: Count
    rung: Count
    bracket: Count
    group: Count
    engine: Word
    parameters: Count
    step: Count
    kept_step: int
    epochs: Annotated[float, Field(ge=0)]
    status: Status
    best: Figure
    reached: Count | None = None

    def agreeing(self) -> dict[str, bool]:
        extra = self.model_extra or {}
        figures = [key for key in extra if key == "loss" or key.startswith("validation_")]
        return {key: isinstance(extra[key], int | float | None) for key in figures}


class MemberRows(Entries[Many[MemberRow]]):
    """``members.parquet``."""


class SpreadFigures(Entries[dict[MemberName, dict[Literal["validation", "test"], Figures]]]):
    """``figures/0.json`` of several seeds or folds: {member: {split: {metric: value}}}."""


# ---- ``result.json`` of a sweep


class Best(Document):
    member: Count
    params: Config
    validation: Figures | None
    test: Figures | None
    parameters: Count
    run: Text | None


class Leader(Document):
    member: Count
    rung: Count
    params: Config
    validation: Figures
    parameters: Count
    epochs: Annotated[float, Field(ge=0)]
    status: Status


class FreshSeed(Document):
    seed: Count
    data_seed: Count
    test: Number
    runner_up: Figure
    baseline: dict[Baseline, Figure]


class SmallestNetwork(Document):
    member: Count
    parameters: Count
    params: Config


class Certificate(Document):
    """Whether the winner trained alone has the same bits as in the sweep."""

    same_bits: bool
    engine: Word
    steps: Count


class Judge(Document):
    verdict: Word | None
    sentence: Text | None
    metric: Word
    seen: Figure
    expected_inflation: Figure
    expected_inflation_again: Figure
    standard_error: Figure
    test: Figure
    test_interval: Interval | None
    fresh_seeds: Many[FreshSeed]
    runner_up: Count | None
    p_beats_runner_up: Share | None
    p_beats_baseline: Share | None
    p_beats_constant: Share | None
    baseline: Baseline | None
    smallest_within_1se: SmallestNetwork
    certificate: Certificate


class SweepEnsemble(Document):
    """The ensemble of a sweep.

    members: a member with weight n is listed n times. alone: the winner's metrics. difference: the ensemble's
    metric on test rows minus the winner's; difference_interval: its 95 % interval.
    """

    members: Annotated[Many[Count], Field(min_length=1)]
    metric: Word
    validation: Figures
    test: Figures | None
    alone: Figures | None
    difference: Figure
    difference_interval: Interval | None


class Spread(Document):
    """Statistics of a metric over networks. std: None for a single value."""

    mean: Figure
    std: Figure
    min: Figure
    max: Figure
    values: Many[Figure]


class GoalSteps(Document):
    """The steps in which each network reached ``value`` of a validation metric; None: never."""

    metric: Word
    value: Number
    steps: Many[Count | None]
    min: Count | None
    median: Annotated[float, Field(ge=0)] | None
    max: Count | None
    never: Count

    def agreeing(self) -> dict[str, bool]:
        there = self.never < len(self.steps)
        return {name: (getattr(self, name) is not None) == there for name in ("min", "median", "max")}


class SweepResult(Document):
    """``result.json`` of a sweep. processors: the members of each kind of processor in a cluster."""

    sweep: Text
    path: Text
    status: Status
    members: Count
    finished: Count
    diverged: Count
    stopped: Count
    seconds: Seconds
    model_steps: Count
    model_steps_per_second: Annotated[float, Field(ge=0)]
    metric: Word
    strategy: Text
    sampler: Text
    target: Text
    task: Task
    rows: Rows
    best: Best | None
    leaderboard: Many[Leader]
    judge: Judge | None
    notes: Many[Text]
    ensemble: SweepEnsemble | None = None
    kind: Literal["spread"] | None = None
    figures: dict[Literal["validation", "test"], dict[Word, Spread]] = Field({})
    reached: GoalSteps | None = None
    extensions: Many[Extension] = ()
    processors: dict[str, Many[Count]] = Field({})

    def agreeing(self) -> dict[str, bool]:
        return {"best": self.judge is None or self.best is not None}


# ---- ``spec.json`` and ``result.json`` of a study

Mode = Literal["corrected", "as_taught"] | Fault
Own = dict[Name, Value]
"""The settings of one row of a study."""


class StudyCell(Document):
    """A row of a study. own: settings of this row alone. mode: corrected, as taught, or one fault."""

    own: Own
    mode: Mode


class StudyPlan(Document):
    """What a study trains. base: settings that all rows share. until: target values by metric."""

    base: Asked
    cells: Annotated[Many[StudyCell], Field(min_length=1)]
    until: dict[Word, Number]
    seeds: Annotated[Many[Seed], Field(min_length=1)]


class StudyRowFacts(Document):
    """The facts about a row before its first step."""

    batch_size: Annotated[int, Field(ge=1, le=2**53)] | Literal["full"]
    lr: Number
    weight_decay: Number
    optimizer: Word
    shuffle: Literal["each", "once", "off", "blocks"]
    normalise: bool
    mode: Mode
    own: Own
    settings: Own
    fault: Many[Fault]
    engine: Word
    threads: Threads
    processor_timed: bool
    parameters: Count
    updates_per_epoch: Annotated[int, Field(ge=1, le=2**53)]
    loss_floor: Number | None
    command: Command


class StudyFacts(Document):
    """What is known of a study before its first step.

    effective_rows: how many rows of equal weight would be as informative as the measured ones.
    """

    data: Text
    task: Task
    target: Text
    classes: Many[Text]
    split: Rows
    measured_on: Literal["train", "validation"]
    measured_rows: Count
    effective_rows: Number | None = None
    metric: Word
    device: Device
    epochs: Annotated[int, Field(ge=1, le=10_000_000)] | Text
    seed_list: Annotated[Many[Seed], Field(min_length=1)]
    until: dict[Word, Number]
    modes: Annotated[Many[Mode], Field(min_length=1)]
    varied: Many[Name]
    data_notes: Many[Text]
    rows: Annotated[Many[StudyRowFacts], Field(min_length=1)]


class StudySpec(Document):
    asked: dict[Text, Plain]
    study: StudyPlan
    facts: StudyFacts
    data: DataSource
    classes: Many[Text]
    versions: dict[Text, Text]

    def agreeing(self) -> dict[str, bool]:
        return {
            "facts.rows": len(self.facts.rows) == len(self.study.cells),
            "facts.seed_list": self.facts.seed_list == self.study.seeds,
            "facts.until": self.facts.until == self.study.until,
        }


EpochCount = Annotated[int, Field(ge=1, le=10_000_000)] | None


def _by_metric(extra: Mapping[str, Any]) -> dict[str, bool]:
    """For each key named after a metric (epochs_to_loss, accuracy), whether its value's type is right."""
    agreeing = {}
    for key, value in extra.items():
        if key.startswith("epochs_to_"):
            agreeing[key] = value is None or type(value) is int
        elif key.startswith("seconds_to_"):
            agreeing[key] = _figure(value)
        else:  # the curve of a metric
            agreeing[key] = isinstance(value, list) and all(map(_figure, value))
    return agreeing


def _figure(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) < math.inf)


class NetworkEpochs(Document):
    """The epochs of one network: lists ``[E]``, with None for non-finite values.

    epoch_seconds: wall-clock time without evaluation. epoch_processor_seconds: all threads together.
    warm_up_epochs: numbers (from 1 on) of those that were the first in their process, with its start-up cost.
    """

    status: Status = "running"
    steps: Count = 0
    loss: Many[Figure] = ()
    loss_std: Many[Figure] = ()
    epoch_seconds: Many[Seconds] = ()
    epoch_processor_seconds: Many[Seconds] = ()
    warm_up_epochs: Many[Count] = ()


class NetworkRecord(NetworkEpochs):
    """What a study keeps of a network that trains.

    so_far: wall-clock and processor seconds of the epoch that has begun. metrics: measured after each epoch.
    notes: why some could not be measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=False)

    so_far: Pair[Seconds] = (0.0, 0.0)
    metrics: dict[Word, Many[Figure]] = Field(default_factory=dict)
    notes: Many[Text] = ()

    def agreeing(self) -> dict[str, bool]:
        names = "loss_std", "epoch_seconds", "epoch_processor_seconds"
        lists = {name: getattr(self, name) for name in names}
        lists |= {f"metrics.{name}": values for name, values in self.metrics.items()}
        return {key: len(by_epoch) == len(self.loss) for key, by_epoch in lists.items()}


class StudySeed(NetworkEpochs):
    """One network of a row. Further keys: epochs_to_METRIC, and the curve of one metric.

    processors: the kinds of processors that trained the network in a cluster.
    """

    seed: Seed
    processors: Many[Text] = ()

    def agreeing(self) -> dict[str, bool]:
        return _by_metric(self.model_extra or {})


class StudyRow(StudyRowFacts):
    """A row of a study. Further keys: epochs_to_METRIC, seconds_to_METRIC, and a curve of each metric."""

    seconds_per_epoch: Seconds | None
    seconds_interval: Pair[Seconds] | None
    seconds_coverage: Share | None
    processor_seconds_per_epoch: Seconds | None
    timed_epochs: Count
    epochs: Count
    status: Status
    epochs_to_loss: EpochCount
    loss: Many[Figure]
    loss_std: Many[Figure]
    accuracy_interval: Pair[Number] | None = None
    seeds: Many[StudySeed]

    def agreeing(self) -> dict[str, bool]:
        extra = self.model_extra or {}
        curves: dict[str, Sized] = {key: value for key, value in extra.items() if isinstance(value, list)}
        curves |= {"loss": self.loss, "loss_std": self.loss_std}
        as_long = {key: len(curve) == self.epochs for key, curve in curves.items()}
        return {key: of_kind and as_long.get(key, True) for key, of_kind in _by_metric(extra).items()} | {
            key: as_long[key] for key in ("loss", "loss_std")
        }

    def epochs_to(self, metric: str) -> int | None:
        """The epochs after which this metric reached its value in ``until``; None if it never did."""
        epochs: int | None = getattr(self, f"epochs_to_{metric}")
        return epochs

    def seconds_to(self, metric: str) -> float | None:
        """The seconds of the epochs in ``epochs_to``."""
        seconds: float | None = getattr(self, f"seconds_to_{metric}")
        return seconds

    def last(self, metric: str) -> float | None:
        """The metric after the last epoch; None if it is not finite or was not measured."""
        values = getattr(self, metric, ())
        return values[-1] if values else None


class StudyResult(StudyFacts):
    """The rows and their conclusions; for an unfinished study, with the epochs so far."""

    study: Text
    path: Text
    status: Status
    seconds: Seconds
    steps: Count
    rows: Annotated[Many[StudyRow], Field(min_length=1)]
    answers: Many[Text]
    notes: Many[Text]

    def agreeing(self) -> dict[str, bool]:
        wanted = {f"{what}_to_{metric}" for metric in self.until for what in ("epochs", "seconds")}
        wanted -= {"epochs_to_loss"}
        return {
            "modes": {row.mode for row in self.rows} <= set(self.modes),
            "until": all(wanted <= (row.model_extra or {}).keys() for row in self.rows),
        }
