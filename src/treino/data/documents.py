"""The documents that describe data: the source of the rows, and how columns or pixels become inputs."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from treino.base.document_fields import Count, Document, Many, Number, Seed, Sha256, Size, Task, Text
from treino.settings.data_settings import MOST_BINS, MOST_TREES, Fit, LoadSettings

# ---- data source

LoadShare = Annotated[float, Field(ge=0, lt=1)]


class TextFormat(Document):
    """The format of a text file: the part that was set (``reading``) or detected (``written``)."""

    model_config = ConfigDict(extra="forbid")

    delimiter: Text | None = None
    decimal: Text | None = None
    encoding: Text | None = None
    header: bool | None = None
    quote: Text | None = None
    dates: Text | None = None
    text: Many[Text] = ()
    missing: Many[Text] | None = None
    sheet: Text | None = None
    skip: Annotated[int, Field(ge=0)] | None = None
    forms: dict[Text, Text] = Field({})
    grouped: Many[Text] = ()


class LoadArguments(LoadSettings, Document):
    """The arguments of ``load`` by which the same rows are loaded again.

    A document holds those in _ALWAYS, and those that differ from their defaults. They are passed by name, so
    no other keys are allowed.
    """

    model_config = ConfigDict(extra="forbid")

    validation: LoadShare | None = LoadSettings.model_fields["validation"].default
    test: LoadShare | None = LoadSettings.model_fields["test"].default
    kinds: dict[Text, Text] = Field(default={})  # type: ignore[assignment]
    data_seed: Seed = 0
    reading: TextFormat | None = None
    num_workers: Annotated[int, Field(ge=0, le=1024)] = 0
    pictures: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "LoadArguments":
        """The arguments with these values."""
        fields = cls.model_fields.items()
        usual = {name: field.default for name, field in fields if name not in _ALWAYS}
        return cls(**{name: v for name, v in values.items() if name not in usual or v != usual[name]})

    def changed(self, **values: Any) -> "LoadArguments":
        return LoadArguments.of(dict(self) | values)

    @property
    def split_by(self) -> str | None:
        """The name of the column that decides the split; None without one."""
        return self.split_group or self.split_time or self.split_column


_ALWAYS = ("target", "features", "task", "validation", "test", "data_seed", "normalise")


class RowsFile(Document):
    """A file of rows. source: its path relative to the folder, possibly outside of it. The file is read only
    if it has this SHA-256."""

    source: Text
    sha256: Sha256


class DataSource(Document):
    """The source of a run's data. kind: a built-in, a file, rows in memory, or a Dataset passed in Python.
    load: the arguments of ``load``. files: separate files of validation or test rows, or of labels."""

    kind: Literal["builtin", "file", "memory", "given"]
    name: Text
    source: Text
    sha256: Sha256 | None
    load: LoadArguments
    written: TextFormat | None = None
    files: dict[Literal["validation", "test", "labels"], RowsFile] = Field({})
    digest: Text | None = None
    streams: bool = False


# ---- ``preparation.json``

Scale = Annotated[float, Field(ge=0)]
TargetScale = Annotated[float, Field(gt=0)]


def _rising(edges: tuple[float, ...]) -> tuple[float, ...]:
    if len(edges) == 1 or not all(low < high and high - low < inf for low, high in pairwise(edges)):
        raise ValueError("edges that don't rise")
    return edges


Edges = Annotated[Many[Number], Field(max_length=MOST_BINS + 1), AfterValidator(_rising)]
"""The edges of a column's bins; empty without bins."""


def _whole(values: Sequence[Any], means: Sequence[float]) -> dict[str, bool]:
    """Whether a column has the same number of target means for each of its values."""
    return {"means": len(means) % len(values) == 0 and bool(means) if values else not means}


class NumberColumn(Document):
    encoder: Literal["number"] = Field(alias="as")
    column: Text
    fill: Number | None
    flag: bool
    edges: Edges
    values: Many[Number] = ()
    means: Many[Number] = ()
    prior: Annotated[float, Field(ge=0)] = 0.0

    def agreeing(self) -> dict[str, bool]:
        return _whole(self.values, self.means)


class RankColumn(Document):
    encoder: Literal["rank"] = Field(alias="as")
    column: Text
    levels: Many[Text]
    numeric: bool
    fill: Number
    flag: bool
    edges: Edges


class OneHotColumn(Document):
    encoder: Literal["one-hot"] = Field(alias="as")
    column: Text
    levels: Annotated[Many[Text], Field(min_length=1)]
    numeric: bool


class HashedColumn(Document):
    encoder: Literal["hashed"] = Field(alias="as")
    column: Text
    buckets: Annotated[int, Field(ge=1, le=65_536)]
    numeric: bool
    values: Many[Text] = ()
    means: Many[Number] = ()
    prior: Annotated[float, Field(ge=0)] = 0.0

    def agreeing(self) -> dict[str, bool]:
        return _whole(self.values, self.means)


class DateColumn(Document):
    encoder: Literal["date"] = Field(alias="as")
    column: Text
    origin: Annotated[float, Field(ge=-1e12, le=1e12)]
    parts: Many[Literal["month", "weekday", "hour"]]
    fill: Annotated[float, Field(ge=-1e12, le=1e12)]
    flag: bool
    edges: Edges


class TimeColumn(Document):
    encoder: Literal["time"] = Field(alias="as")
    column: Text
    flag: bool


Column = Annotated[
    NumberColumn | RankColumn | OneHotColumn | HashedColumn | DateColumn | TimeColumn,
    Field(discriminator="encoder"),
]


class TreeDocument(Document):
    columns: Annotated[Many[Count], Field(min_length=7, max_length=7)]
    thresholds: Annotated[Many[Number], Field(min_length=7, max_length=7)]


class TargetDocument(Document):
    """One of several targets."""

    name: Text
    classes: Many[Text]
    mean: Number
    scale: TargetScale
    labels: Literal["text", "number", "truth"]


class PreparationDocument(Document):
    kind: Literal["table", "image"]
    features: Many[Text]
    divisor: Annotated[float, Field(gt=0)]
    mean: Many[Number]
    scale: Many[Scale]
    normalise: bool
    task: Task
    target: Text
    classes: Many[Text]
    target_mean: Number
    target_scale: TargetScale
    item_shape: Many[Size]
    labels: Literal["text", "number", "truth"]
    encoders: Many[Column]
    trees: Annotated[Many[TreeDocument], Field(max_length=MOST_TREES)] = ()
    width: Count
    clip: Annotated[float, Field(gt=0)] | None
    fit: Fit | None = None
    targets: Many[TargetDocument] = ()
    row_weights: Text | None = None
    target_log: bool = False

    def agreeing(self) -> dict[str, bool]:
        classified = self.task == "classification"
        return {
            "encoders": not self.encoders or len(self.encoders) == len(self.features),
            "classes": classified == bool(self.classes),
            "target_log": not (self.target_log and (classified or self.targets)),
            "targets": all(classified == bool(target.classes) for target in self.targets),
        }


# ---- ``data.json``


class DataCopy(Document):
    """The fields of a data set. They are passed by name, so no other keys are allowed."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    source: Text
    sha256: Sha256 | None
    kind: Literal["table", "image"]
    task: Task
    task_reason: Text
    features: Many[Text]
    target: Text
    classes: Many[Text]
    item_shape: Many[Size]
    arguments: LoadArguments
    target_mean: Number
    target_scale: Annotated[float, Field(gt=0)]
    official_test: bool
    notes: Many[Text]
