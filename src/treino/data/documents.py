"""The documents that describe data: the source of the rows, and how columns or pixels become inputs."""

from collections.abc import Mapping
from itertools import pairwise
from math import inf, prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field

from treino.base.document_fields import Count, Document, Many, Number, Seed, Sha256, Size, Task, Text
from treino.base.words import _
from treino.settings.data_settings import MOST_BINS, Fit, LoadSettings

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


def _ascending(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(low < high for low, high in pairwise(names)):
        raise ValueError("classes that don't ascend")
    return names


Edges = Annotated[Many[Number], Field(max_length=MOST_BINS + 1), AfterValidator(_rising)]
"""The edges of a column's bins; empty without bins."""


class ColumnEncoder(Document):
    """How a column becomes inputs, in this order: the column's own, bins, circles, target means, flag.

    column: the column's name. edges: those of the bins. values, means, prior: the values that have target
    means; for each value one mean per target column; the number of rows as which the overall mean counts.
    flag: whether the last input marks missing cells. scaled: whether the first input is normalised (only such
    inputs are axes of plots). reversible: whether the inputs tell the cell. What a kind of encoder doesn't
    declare itself is empty.
    """

    column: Text
    edges: Edges = ()
    values: Many[Any] = ()
    means: Many[Number] = ()
    prior: Annotated[float, Field(ge=0)] = 0.0
    flag: bool = False
    encoder: str
    scaled: ClassVar[bool] = False
    reversible: ClassVar[bool] = True

    def agreeing(self) -> dict[str, bool]:
        n, means = len(self.values), len(self.means)
        whole = means % n == 0 and means > 0 if n else not means
        own = type(self).__annotations__
        absent = {name: not getattr(self, name) for name in ("edges", "values", "flag") if name not in own}
        return {"means": whole} | absent

    def to_json(self) -> dict[str, Any]:
        return {"as": self.encoder} | super().to_json()

    @property
    def own(self) -> tuple[str, ...]:
        """The names of the column's own inputs."""
        return (self.column,)

    @property
    def own_width(self) -> int:
        return 1

    @property
    def circles(self) -> tuple[str, ...]:
        """The circles on which the column is a point."""
        return ()

    @property
    def mean_places(self) -> range:
        """The indices of the inputs that are target means."""
        first = self.own_width + max(0, len(self.edges) - 1) + 2 * len(self.circles)
        return range(first, first + len(self.means) // max(1, len(self.values)))

    @property
    def width(self) -> int:
        """The number of inputs, computed without their names, which take long for thousands of columns."""
        return self.mean_places.stop + self.flag

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of all inputs."""
        name = self.column
        texts = [_("{name} bin {k}").format(name=name, k=k) for k in range(1, len(self.edges))]
        texts += [f"{name} {_(part)} {axis}" for part in self.circles for axis in AXES]
        flag = [_("{name} missing").format(name=name)] if self.flag else []
        return (*self.own, *texts, *self.mean_names, *flag)

    @property
    def meanings(self) -> tuple[str, ...]:
        """What the inputs depend on: another training's weights fit them only where it is the same."""
        return self.inputs

    @property
    def mean_names(self) -> tuple[str, ...]:
        """The names of the inputs that are target means."""
        if len(self.mean_places) == 1:
            return (_("{name}: mean target").format(name=self.column),)
        each = range(1, len(self.mean_places) + 1)
        return tuple(_("{name}: mean target {k}").format(name=self.column, k=k) for k in each)


class NumberEncoder(ColumnEncoder):
    """Keeps numbers and booleans unchanged; a missing cell becomes ``fill`` and sets the flag, if any.

    fill: None if missing cells are refused. truth: whether the training rows held truth values; new rows must
    hold the same. None in runs of earlier versions: either will do.
    """

    encoder: Literal["number"] = Field(default="number", validation_alias="as", serialization_alias="as")
    fill: Number | None
    truth: bool | None = None
    edges: Edges = ()
    values: Many[Number] = ()
    flag: bool = False
    scaled: ClassVar[bool] = True


class RankEncoder(ColumnEncoder):
    """Encodes ordered classes as 0, 1, 2, …; a missing or unknown one becomes ``fill`` and sets the flag."""

    encoder: Literal["rank"] = Field(default="rank", validation_alias="as", serialization_alias="as")
    levels: Many[Text]
    numeric: bool
    fill: Number
    edges: Edges = ()
    flag: bool = False
    scaled: ClassVar[bool] = True

    @property
    def meanings(self) -> tuple[str, ...]:
        return (*(f"{self.column}={level}" for level in self.levels), *self.inputs[1:])


class OneHotEncoder(ColumnEncoder):
    """One input for each class of the training rows: 1 for the cell's class, else 0; all 0 if it is unknown.

    levels: the classes; they include "" if missing cells are a class.
    """

    encoder: Literal["one-hot"] = Field(default="one-hot", validation_alias="as", serialization_alias="as")
    levels: Annotated[Many[Text], Field(min_length=1)]
    numeric: bool

    @property
    def own(self) -> tuple[str, ...]:
        missing = _("{name} missing").format(name=self.column)
        return tuple(f"{self.column}={level}" if level else missing for level in self.levels)

    @property
    def own_width(self) -> int:
        return len(self.levels)


class HashingEncoder(ColumnEncoder):
    """Encodes many classes in few inputs: +1 or -1 in a bucket chosen by a hash of the class, 0 in the rest.

    values: the known classes, in ascending order; they include "" if missing cells have a target mean. Any
    other class is all 0, as a missing cell is. The hash is the first 64 bits of SHA-256("column=class"), the
    same on every machine. Weinberger et al. 2009, https://arxiv.org/abs/0902.2206.
    """

    encoder: Literal["hashed"] = Field(default="hashed", validation_alias="as", serialization_alias="as")
    buckets: Annotated[int, Field(ge=1, le=65_536)]
    numeric: bool
    values: Annotated[Many[Text], AfterValidator(_ascending)] = ()
    reversible: ClassVar[bool] = False

    def agreeing(self) -> dict[str, bool]:
        return super().agreeing() | ({} if self.means else {"means": True})

    @property
    def own(self) -> tuple[str, ...]:
        return tuple(f"{self.column} #{k + 1}" for k in range(self.buckets))

    @property
    def own_width(self) -> int:
        return self.buckets


class DateEncoder(ColumnEncoder):
    """Encodes a date as days since ``origin``, and its month, weekday and time of day as points on circles.

    origin, fill: seconds since 1970-01-01. parts: the circles on which training rows differ, in the order of
    ``CIRCLES``. A missing date becomes ``fill``, is the centre of each circle, and sets the flag.
    """

    encoder: Literal["date"] = Field(default="date", validation_alias="as", serialization_alias="as")
    origin: Annotated[float, Field(ge=-1e12, le=1e12)]
    parts: Many[Literal["month", "weekday", "hour"]]
    fill: Annotated[float, Field(ge=-1e12, le=1e12)]
    edges: Edges = ()
    flag: bool = False
    scaled: ClassVar[bool] = True

    @property
    def own(self) -> tuple[str, ...]:
        return (_("{name} (days)").format(name=self.column),)

    @property
    def circles(self) -> tuple[str, ...]:
        return self.parts


class TimeEncoder(ColumnEncoder):
    """Encodes a time of day as a point on a circle; a missing time is the centre and sets the flag."""

    encoder: Literal["time"] = Field(default="time", validation_alias="as", serialization_alias="as")
    flag: bool = False

    @property
    def own(self) -> tuple[str, ...]:
        return tuple(f"{self.column} {axis}" for axis in AXES)

    @property
    def own_width(self) -> int:
        return len(AXES)


class TextEncoder(ColumnEncoder):
    """Encodes free text: its length, the terms that tell the most, sums of more terms, and a linear model's
    predictions by all terms. A missing text is 0 in all of them, and sets the flag.

    letters: the alphabet, in lower case. terms: pieces of texts. weights: what each counts. shown: how many,
    from the first on, are inputs. summed: how many, from the first on, are in the sums. sums: for each of
    these, what it adds to each sum. slopes: for each term, what it adds to each linear prediction of the
    target; training rows get held-out ones, as with target means. See preparation/texts.py.
    """

    encoder: Literal["text"] = Field(default="text", validation_alias="as", serialization_alias="as")
    letters: Text
    terms: Many[Text]
    weights: Many[Number]
    shown: Count
    summed: Count
    sums: Many[Number]
    slopes: Many[Number] = ()
    flag: bool = False
    numeric: ClassVar[bool] = False
    reversible: ClassVar[bool] = False

    def agreeing(self) -> dict[str, bool]:
        n, summed = len(self.terms), self.summed
        counts = {"weights": len(self.weights) == n, "shown": self.shown <= n, "summed": summed <= n}
        sums = len(self.sums) % summed == 0 if summed else not self.sums
        slopes = len(self.slopes) % n == 0 if n else not self.slopes
        return super().agreeing() | counts | {"sums": sums, "slopes": slopes}

    @property
    def own(self) -> tuple[str, ...]:
        length = _("{name} (length)").format(name=self.column)
        shown = (f"{self.column}: {written(term)}" for term in self.terms[: self.shown])
        sums = range(1, self.own_width - self.shown)
        return (length, *shown, *(_("{name} theme {k}").format(name=self.column, k=k) for k in sums))

    @property
    def own_width(self) -> int:
        return 1 + self.shown + len(self.sums) // max(1, self.summed)

    @property
    def mean_places(self) -> range:
        return range(self.own_width, self.own_width + len(self.slopes) // max(1, len(self.terms)))

    @property
    def mean_names(self) -> tuple[str, ...]:
        if len(self.mean_places) == 1:
            return (_("{name}: linear prediction").format(name=self.column),)
        each = range(1, len(self.mean_places) + 1)
        return tuple(_("{name}: linear prediction {k}").format(name=self.column, k=k) for k in each)

    @property
    def meanings(self) -> tuple[str, ...]:
        summed = (f"{self.column}: {written(term)}" for term in self.terms[: self.summed])
        return (*self.inputs, *summed, *map(str, self.sums))

    def inputs_of(self, term: int) -> tuple[float, ...]:
        """How much each of the column's inputs grows by where the input of this term grows by 1."""
        own = (float(other == term) for other in range(self.shown))
        sums, slopes = self.own_width - 1 - self.shown, len(self.mean_places)
        summed = self.sums[term * sums :][:sums] or (0.0,) * sums
        added = (*summed, *self.slopes[term * slopes :][:slopes])
        return (0.0, *own, *(value / TERM_SCALE for value in added), *[0.0] * self.flag)


TERM_SCALE = 4.0  # a term of a text with some sixteen terms counts about 1/4, and its input is about 1


def written(term: str) -> str:
    """A term as people read it: words as they are, and a piece of a word with … where the word goes on."""
    start = "" if term.startswith(" ") else "…"
    return f"{start}{term.strip()}" + ("" if term.endswith(" ") else "…")


AXES = ("sin", "cos")
"""The coordinates of a point on a circle."""
Encoder = (
    NumberEncoder | RankEncoder | OneHotEncoder | HashingEncoder | DateEncoder | TimeEncoder | TextEncoder
)
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
    many of some thousand rows hold at most that; for classes, how many hold each class of the encoder or of
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
    encoders: Many[Annotated[Encoder, Field(discriminator="encoder")]]
    trees: Many[Tree] = ()
    width: Count
    clip: Annotated[float, Field(gt=0)] | None
    fit: Fit | None = None
    targets: Many[Target] = ()
    row_weights: Text | None = None
    target_log: bool = False
    arrays: Many[InputArray] = ()
    target_shape: Many[Size] = ()
    columns: Many[ColumnRows] = ()

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
