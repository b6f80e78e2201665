"""``spec.json`` of a study: its rows as requested, and what is known of them before the first step."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from treino.documents.data_source import DataSource
from treino.documents.fields import (
    Command,
    Count,
    Device,
    Document,
    Many,
    Number,
    Plain,
    Rows,
    Seed,
    SentenceText,
    Task,
    Text,
    Threads,
    Word,
    agree,
)
from treino.documents.settings import Asked, Name
from treino.documents.sweep_spec import Value
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
