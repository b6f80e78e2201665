"""The documents that describe data: the source of the rows, and how columns or pixels become inputs."""

from collections.abc import Mapping
from itertools import pairwise
from math import prod
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from treino.base.document_fields import Count, Document, Many, Number, Seed, Sha256, Size, Task, Text
from treino.data.column_program import ColumnProgram
from treino.data.links import IDENTITY, Link
from treino.settings.data_settings import Fit, LoadSettings

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
    link: Link = IDENTITY

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


Labels = Literal["text", "number", "truth"]
"""The type of the classes in the data."""


class Tree(Document):
    """A decision tree, node by node from the root on: after a split come the nodes of its left part, then
    those of its right part.

    answer: the answer to which it adds, if there are several. columns, numbers: of a split the index of its
    input, and the largest number that goes to the left; of a leaf 0, and what it adds to the answer. rights:
    of a split the place of its right part, of a leaf its own.
    """

    answer: Count
    columns: Annotated[Many[Count], Field(min_length=1)]
    numbers: Many[Number]
    rights: Many[Count]

    def agreeing(self) -> dict[str, bool]:
        n = len(self.columns)
        onward = all(place == own or own + 1 < place < n for own, place in enumerate(self.rights))
        ends = not self.rights or self.rights[-1] == n - 1
        return {"numbers": len(self.numbers) == n, "rights": len(self.rights) == n and onward and ends}

    @property
    def parts(self) -> tuple[int, tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
        return self.answer, self.columns, self.numbers, self.rights


class Target(Document):
    """One of several targets, with the same fields as a preparation for that target alone."""

    name: Text
    classes: Many[Text]
    mean: Number
    scale: TargetScale
    labels: Labels

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a preparation for which this is the only target."""
        scaling = {"target_mean": self.mean, "target_scale": self.scale}
        return {"target": self.name, "classes": self.classes, **scaling, "labels": self.labels}


class InputArray(Document):
    """One of the arrays that a row consists of: an argument of the network's forward.

    name: the argument's, or "" if it goes by its place. shape: of one row; () for a number. divisor, mean,
    scale: as in a preparation, mean and scale for each feature, or one for all.
    """

    name: Text
    shape: Many[Size]
    dtype: Literal["float32", "int64", "bool"]
    divisor: Annotated[float, Field(gt=0)] = 1.0
    mean: Annotated[Many[Number], Field(min_length=1)] = (0.0,)
    scale: Annotated[Many[Scale], Field(min_length=1)] = (1.0,)

    @property
    def width(self) -> int:
        """The number of its numbers in a row."""
        return prod(self.shape)

    @property
    def feature_axis(self) -> int:
        """The axis of a row along which features differ: the last, or the first, a picture's channels."""
        return 0 if len(self.shape) > 2 else -1

    @property
    def features(self) -> int:
        return self.shape[self.feature_axis] if self.shape else 1

    def agreeing(self) -> dict[str, bool]:
        counts = {len(self.mean), len(self.scale)}
        return {"scale": counts <= {1, self.features} and len(counts) == 1}


class ColumnRows(Document):
    """What a column held in the training rows, by which other rows are compared with them.

    rows, missing: how many cells there were, and how many of them were empty. values: some of its numbers, in
    order, from the smallest to the largest; dates are seconds; empty for classes. counts: for each value, how
    many of some thousand rows hold at most that; for classes, how many hold each class of the program or of
    the target, or each bucket of a hash where they are very many.
    """

    column: Text
    rows: Count
    missing: Count = 0
    values: Many[Number] = ()
    counts: Many[Count] = ()

    def agreeing(self) -> dict[str, bool]:
        rising = all(a < b for a, b in pairwise(self.values))
        return {
            "missing": self.missing <= self.rows,
            "values": rising and (not self.values or len(self.values) == len(self.counts)),
        }


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
    labels: Labels
    programs: Many[ColumnProgram]
    trees: Many[Tree] = ()
    width: Count
    clip: Annotated[float, Field(gt=0)] | None
    fit: Fit | None = None
    targets: Many[Target] = ()
    row_weights: Text | None = None
    target_log: bool = False
    link: Link = IDENTITY
    arrays: Many[InputArray] = ()
    target_shape: Many[Size] = ()
    columns: Many[ColumnRows] = ()

    def agreeing(self) -> dict[str, bool]:
        classified = self.task == "classification"
        return {
            "programs": not self.programs or len(self.programs) == len(self.features),
            "classes": classified == bool(self.classes),
            "target_log": not (self.target_log and (classified or self.targets)),
            "link": self.link.kind == "identity" or not (classified or self.target_log),
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
