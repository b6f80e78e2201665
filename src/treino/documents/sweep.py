"""The documents of a sweep: ``spec.json``, ``members.parquet``, ``asked.json`` and ``result.json``."""

from itertools import accumulate
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel, model_validator

from treino.documents.data import DataSource
from treino.documents.fields import (
    AS_TUPLE,
    Count,
    Document,
    Figure,
    Figures,
    Interval,
    Many,
    Number,
    Pair,
    Rows,
    Seconds,
    Seed,
    SentenceText,
    Share,
    Status,
    Task,
    Text,
    Word,
    agree,
)
from treino.documents.run_result import Baseline
from treino.documents.run_spec import Asked, Name

# ---- ``spec.json`` of a sweep: the settings that members share, the space, and how it is sampled

Value = bool | int | float | str | list[int] | list[str] | None
"""One of a setting's values: as it was typed, or Python's own."""


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


class SweepOptionsEntry(Document):
    """How members are asked for, beside their settings."""

    model_config = ConfigDict(extra="forbid")

    space: SpaceEntries
    members: Annotated[int, Field(ge=1, le=10_000_000)]
    strategy: Literal["none", "halving", "hyperband"]
    eta: Annotated[int, Field(ge=2, le=1_000_000)]
    sampler: Literal["grid", "random", "sobol", "tpe"]
    sampler_seed: Seed
    max_time: Annotated[float, Field(gt=0)] | None
    until: Annotated[tuple[Word, Number], AS_TUPLE] | None
    top: Annotated[int, Field(ge=1, le=10_000_000)]
    fresh: Annotated[int, Field(ge=0, le=1_000_000)]
    storage: Text | None
    spread: bool
    ensemble: Annotated[int, Field(ge=1, le=256)]


class SweepSpec(Document):
    """asked: what was typed. base: what all members share, as ``read_settings`` takes it."""

    asked: Asked
    base: Asked
    space: SpaceEntries
    sweep: SweepOptionsEntry
    metric: Word
    data: DataSource
    classes: Many[Text]
    rows: Rows
    notes: Many[Text]

    def space_document(self) -> dict[str, Any]:
        """The space as it stands in the file, for ``search.space.space_from_json``."""
        return {
            name: entry.model_dump(mode="json", by_alias=True, exclude_unset=True)
            for name, entry in self.space.items()
        }


# ---- ``members.parquet`` and ``asked.json``: a sweep's members and their settings; figures of several

Config = dict[Name, Value]
"""A member's own settings."""

Positive = Annotated[int, Field(ge=1, le=10_000_000)]
MemberName = Annotated[str, Field(pattern=r"^\d{1,9}$")]
RungEntry = Pair[Positive]
Heat = Annotated[tuple[Count, Positive, Annotated[Many[RungEntry], Field(min_length=1)]], AS_TUPLE]


class Extension(Document):
    """Members that were added to a sweep.

    first: the number of members before; seconds: of training before. command: the number of the command that
    added them, if another process trained. tested: whether test rows had been used before; judged: the
    judgement's sentence.
    """

    members: Positive
    first: Count
    seconds: Seconds
    command: Count | None
    tested: bool = False
    judged: SentenceText | None = None


class SweepMembers(Document):
    """``asked.json``. heats: the first member, the number of members, and (members, epochs) of each rung.
    asks: the numbers of members requested at once. configs: the settings of each member. extensions: the
    additions, in order."""

    heats: Many[Heat]
    asks: Many[Count]
    configs: Many[Config]
    notes: Many[Text]
    extensions: Many[Extension] = ()

    @model_validator(mode="after")
    def _agrees(self) -> "SweepMembers":
        ends = [0, *accumulate(members for _first, members, _rungs in self.heats)]
        agreeing = {
            "heats": [first for first, _members, _rungs in self.heats] == ends[:-1],
            "asks": sum(self.asks) == ends[-1],
            "configs": len(self.configs) == ends[-1],
        }
        return agree(self, agreeing)


class MemberRow(Document):
    """A row of ``members.parquet``: a member at a rung. The names of the space are columns beside these."""

    member: Count
    rung: Count
    heat: Count
    group: Count
    engine: Word
    parameters: Count
    step: Count
    kept_step: int
    epochs: Annotated[float, Field(ge=0)]
    status: Status
    best: Figure
    reached: Count | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "MemberRow":
        extra = self.model_extra or {}
        figures = [key for key in extra if key == "loss" or key.startswith("validation_")]
        return agree(self, {key: isinstance(extra[key], int | float | None) for key in figures})


class MemberRows(RootModel[Many[MemberRow]]):
    """``members.parquet``."""


class SpreadFigures(RootModel[dict[MemberName, dict[Literal["validation", "test"], Figures]]]):
    """``figures/0.json``, of a bracket of several seeds or folds: {member: {split: {metric: value}}}."""


# ---- ``result.json`` of a sweep: leaderboard, best member, judgement; figures over seeds or folds


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
    """The networks that answer together, one twice where it counts twice. alone: the winner's figures.
    difference: of the metric on test rows, together less alone, with a 95 % interval."""

    members: Annotated[Many[Count], Field(min_length=1)]
    metric: Word
    validation: Figures
    test: Figures | None
    alone: Figures | None
    difference: Figure
    difference_interval: Interval | None


class Spread(Document):
    """std: None of a single value."""

    mean: Figure
    std: Figure
    min: Figure
    max: Figure
    values: Many[Figure]


class GoalSteps(Document):
    """In how many steps each network reached a validation figure; None: never."""

    metric: Word
    value: Number
    steps: Many[Count | None]
    min: Count | None
    median: Annotated[float, Field(ge=0)] | None
    max: Count | None
    never: Count

    @model_validator(mode="after")
    def _agrees(self) -> "GoalSteps":
        there = self.never < len(self.steps)
        return agree(self, {n: (getattr(self, n) is not None) == there for n in ("min", "median", "max")})


class SweepResult(Document):
    """processors: the kinds that trained in a cluster, and which members."""

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

    @model_validator(mode="after")
    def _agrees(self) -> "SweepResult":
        return agree(self, {"best": self.judge is None or self.best is not None})
