"""``result.json`` of a sweep: leaderboard, best member, judgement; figures over seeds or folds."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from treino.documents.fields import (
    Count,
    Document,
    Figure,
    Figures,
    Interval,
    Many,
    Number,
    Rows,
    Seconds,
    Share,
    Status,
    Task,
    Text,
    Word,
    agree,
)
from treino.documents.run_result import Baseline
from treino.documents.sweep_members import Config, Extension


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
