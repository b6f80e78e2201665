"""``spec.json`` and ``result.json`` of a study: its rows, their times and figures, its conclusions."""

import math
from collections.abc import Mapping, Sized
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from treino.documents.data import DataSource
from treino.documents.fields import (
    Command,
    Count,
    Device,
    Document,
    Figure,
    Many,
    Number,
    Pair,
    Plain,
    Rows,
    Seconds,
    Seed,
    SentenceText,
    Share,
    Status,
    Task,
    Text,
    Threads,
    Word,
    agree,
)
from treino.documents.run_spec import Asked, Name
from treino.documents.sweep import Value
from treino.spec import Fault

Mode = Literal["corrected", "as_taught"] | Fault
Own = dict[Name, Value]
"""A row's own settings."""


class StudyCell(Document):
    own: Own
    mode: Mode


class StudyOptionsEntry(Document):
    base: Asked
    cells: Annotated[Many[StudyCell], Field(min_length=1)]
    until: dict[Word, Number]
    seeds: Annotated[Many[Seed], Field(min_length=1)]


class StudyRowFacts(Document):
    """What is known of a row before its first step."""

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
    data: Text
    task: Task
    target: Text
    classes: Many[Text]
    split: Rows
    measured_on: Literal["train", "validation"]
    measured_rows: Count
    metric: Word
    device: Device
    epochs: Annotated[int, Field(ge=1, le=10_000_000)] | Text
    seed_list: Annotated[Many[Seed], Field(min_length=1)]
    until: dict[Word, Number]
    modes: Annotated[Many[Mode], Field(min_length=1)]
    varied: Many[Name]
    data_notes: Many[SentenceText]
    rows: Annotated[Many[StudyRowFacts], Field(min_length=1)]


class StudySpec(Document):
    asked: dict[Text, Plain]
    study: StudyOptionsEntry
    facts: StudyFacts
    data: DataSource
    classes: Many[Text]
    versions: dict[Text, Text]

    @model_validator(mode="after")
    def _agrees(self) -> "StudySpec":
        agreeing = {
            "facts.rows": len(self.facts.rows) == len(self.study.cells),
            "facts.seed_list": self.facts.seed_list == self.study.seeds,
            "facts.until": self.facts.until == self.study.until,
            "facts.modes": {row.mode for row in self.facts.rows} == set(self.facts.modes),
        }
        return agree(self, agreeing)


EpochCount = Annotated[int, Field(ge=1, le=10_000_000)] | None


def _by_metric(extra: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the values are of their kind whose keys hang on the metric: epochs_to_loss, accuracy."""
    agreeing = {}
    for key, value in extra.items():
        if key.startswith("epochs_to_"):
            agreeing[key] = value is None or type(value) is int
        elif key.startswith("seconds_to_"):
            agreeing[key] = _figure(value)
        elif isinstance(value, list):  # the curve of a metric
            agreeing[key] = all(map(_figure, value))
    return agreeing


def _figure(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) < math.inf)


class StudySeed(Document):
    """One network of a row. Beside these there are epochs_to_METRIC, and the curve of one metric.

    processors: the kinds that trained it in a cluster.
    """

    seed: Seed
    status: Status
    steps: Count
    loss: Many[Figure]
    loss_std: Many[Figure]
    epoch_seconds: Many[Seconds]
    epoch_processor_seconds: Many[Seconds]
    warm_up_epochs: Many[Count]
    processors: Many[Text] = ()

    @model_validator(mode="after")
    def _agrees(self) -> "StudySeed":
        return agree(self, _by_metric(self.model_extra or {}))


class StudyRow(StudyRowFacts):
    """Beside these there are epochs_to_METRIC, seconds_to_METRIC, and a curve of each metric."""

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

    @model_validator(mode="after")
    def _agrees(self) -> "StudyRow":
        extra = self.model_extra or {}
        of_kind = agree(self, _by_metric(extra))
        curves: dict[str, Sized] = {key: value for key, value in extra.items() if isinstance(value, list)}
        curves |= {"loss": self.loss, "loss_std": self.loss_std}
        return agree(of_kind, {key: len(curve) == self.epochs for key, curve in curves.items()})

    def epochs_to(self, metric: str) -> int | None:
        """After how many epochs this metric reached its figure; None where it never did."""
        epochs: int | None = getattr(self, f"epochs_to_{metric}")
        return epochs

    def seconds_to(self, metric: str) -> float | None:
        """The seconds of those epochs."""
        seconds: float | None = getattr(self, f"seconds_to_{metric}")
        return seconds

    def last(self, metric: str) -> float | None:
        """The metric after the last epoch; None where it is not finite, or was not measured."""
        values = getattr(self, metric, ())
        return values[-1] if values else None


class StudyResult(StudyFacts):
    """The rows and their conclusions; of a study that is not over, with the epochs that there are."""

    study: Text
    path: Text
    status: Status
    seconds: Seconds
    steps: Count
    rows: Annotated[Many[StudyRow], Field(min_length=1)]
    answers: Many[SentenceText]
    notes: Many[SentenceText]

    @model_validator(mode="after")
    def _agrees(self) -> "StudyResult":
        wanted = {f"{what}_to_{metric}" for metric in self.until for what in ("epochs", "seconds")}
        agreeing = {
            "modes": {row.mode for row in self.rows} == set(self.modes),
            "until": all(wanted - {"epochs_to_loss"} <= (row.model_extra or {}).keys() for row in self.rows),
        }
        return agree(self, agreeing)
