"""The operations of a column's stored program: what each holds, takes and gives, and the rules that it keeps.

A program turns a column's cells into inputs of a network, step by step; each step takes the result of an
earlier one. Programs are data: ``data/preparation/interpreter.py`` carries them out, and each export has a
function for each operation. Questions about a column are attributes of its program.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import pairwise
from math import inf
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from treino.base.document_fields import Count, Document, Many, Number, Text
from treino.base.words import _
from treino.settings.data_settings import MOST_BINS

Form = Literal["cells", "number", "word", "counts", "inputs"]
"""What a step gives for each row: a number (NaN: missing), a word ("": missing), the weights of the terms
that a text holds, or K inputs. ``cells``: what is read in the column."""
Scaling = Literal["none", "number", "centred", "wide"]
"""How fitted inputs are normalised: not, to mean 0 and deviation 1, to mean 0, or to mean 0 and a deviation
of at most 1 that isn't taken smaller than ``LEAST_DEVIATION`` of ``fit.py``."""

AXES = ("sin", "cos")
"""The coordinates of a point on a circle."""
DAY = 86400.0  # seconds
TERM_SCALE = 4.0  # a term of a text with some sixteen terms counts about 1/4, and its input is about 1


class ColumnStep(Document):
    """One step of a program. do: the operation's name. of: the step whose result it takes.

    takes, gives: forms. scaling: how its inputs are normalised. told: whether training rows get other inputs
    of it than new rows, because they are fitted on the target. reversible: whether its inputs tell the cell.
    """

    do: str
    of: Count = 0
    takes: ClassVar[tuple[Form, ...]]
    gives: ClassVar[Form]
    reversible: ClassVar[bool]
    usual: ClassVar[tuple[Scaling, bool]]

    def __init_subclass__(
        cls,
        takes: tuple[Form, ...] = ("number",),
        gives: Form = "inputs",
        scaling: Scaling = "none",
        told: bool = False,
        reversible: bool = True,
    ) -> None:
        cls.takes, cls.gives, cls.reversible, cls.usual = takes, gives, reversible, (scaling, told)

    @property
    def scaling(self) -> Scaling:
        return self.usual[0]

    @property
    def told(self) -> bool:
        return self.usual[1]

    @property
    def fields(self) -> dict[str, Any]:
        """What the operation holds beside its name and the step that it takes."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in ("do", "of")}

    @property
    def width(self) -> int:
        """The number of inputs, if the step's result is shown: ``count`` where an operation has one."""
        return int(getattr(self, "count", 1))

    def names(self, column: str, before: "ColumnStep") -> Iterator[str]:
        """The names of these inputs. before: the step that it takes."""
        yield column

    def slopes_of(self, term: int, select: "Select") -> tuple[float, ...]:
        """How much each of these inputs grows where the input of this term, by ``select``, grows by 1."""
        return (0.0,) * self.width

    def meanings(self, before: "ColumnStep") -> Iterator[str]:
        """What the inputs depend on, beside what their names tell."""
        yield from ()

    def rules(self, before: "ColumnStep") -> Mapping[str, bool]:
        """For each rule, whether it is kept."""
        return {}


def _numbered(one: str, many: str, count: int, name: str) -> Iterator[str]:
    """The name of a single input, or names with the number of each."""
    yield from (
        [one.format(name=name)] if count == 1 else (many.format(name=name, k=k + 1) for k in range(count))
    )


# ---- what is read


class ReadNumber(ColumnStep, takes=("cells",), gives="number", scaling="number"):
    """The cell as a finite number; a truth value is 1 or 0.

    required: whether a missing one is refused. truth: whether the training rows held truth values; new rows
    must hold the same. None: either will do.
    """

    do: Literal["number"] = "number"
    required: bool = False
    truth: bool | None = None


class ReadSeconds(ColumnStep, takes=("cells",), gives="number", scaling="number"):
    """The seconds from 1970-01-01 to a date and time; if ``clock``, from midnight to a time of day."""

    do: Literal["seconds"] = "seconds"
    clock: bool = False


class ReadWord(ColumnStep, takes=("cells",), gives="word"):
    """The cell as a word. numeric: whether 1, 01 and 1.0 are the same word."""

    do: Literal["word"] = "word"
    numeric: bool = False


# ---- from a number or word to a number


class Fill(ColumnStep, gives="number", scaling="number"):
    """The number; ``value`` where it is missing."""

    do: Literal["fill"] = "fill"
    value: Number


class Days(ColumnStep, gives="number", scaling="number"):
    """Seconds as days since ``origin``."""

    do: Literal["days"] = "days"
    origin: Annotated[float, Field(ge=-1e12, le=1e12)]

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        yield _("{name} (days)").format(name=column)


class Part(ColumnStep, gives="number", scaling="number"):
    """The share, from 0 to 1, of the year, of the week or of the day that has passed at so many seconds since
    1970-01-01: whole months, whole days, seconds."""

    do: Literal["part"] = "part"
    part: Literal["month", "weekday", "hour"]


class Place(ColumnStep, takes=("word", "number"), gives="number", scaling="number"):
    """The place of a word or a number among the known ones, in their order, from 0; missing for any other."""

    do: Literal["place"] = "place"
    values: Many[Text] | Many[Number]

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        kind = str if before.gives == "word" else float
        known = all(isinstance(value, kind) for value in self.values)
        rising = kind is str or all(a < b for a, b in pairwise(self.values))  # type: ignore[operator]
        return {"values": known and rising and len(set(self.values)) == len(self.values)}


# ---- inputs


class Bins(ColumnStep, scaling="centred"):
    """The share of each bin below the number: 0 up to the bin's start, 1 from its end.

    Gorishniy et al. 2022, https://arxiv.org/abs/2203.05556. Their outer bins are open-ended; these are
    bounded, so that no share exceeds 1.
    """

    do: Literal["bins"] = "bins"
    edges: Annotated[Many[Number], Field(min_length=2, max_length=MOST_BINS + 1)]

    @property
    def width(self) -> int:
        return len(self.edges) - 1

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        text = _("{name} bin {k}")
        return (text.format(name=column, k=k) for k in range(1, len(self.edges)))

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        return {"edges": all(low < high and high - low < inf for low, high in pairwise(self.edges))}


class Circle(ColumnStep):
    """The number as a point of a circle, on which it returns after ``period``; the centre where it is
    missing."""

    do: Literal["circle"] = "circle"
    period: Annotated[float, Field(gt=0, le=1e12)]

    @property
    def width(self) -> int:
        return len(AXES)

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        part = getattr(before, "part", "")
        return (" ".join([column, *([_(part)] if part else []), axis]) for axis in AXES)


class OneHot(ColumnStep):
    """For each of ``count`` places an input: 1 at the number's place, else 0; all 0 for a missing number."""

    do: Literal["one-hot"] = "one-hot"
    count: Annotated[int, Field(ge=1, le=1_000_000)]

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        missing = _("{name} missing").format(name=column)
        return (f"{column}={word}" if word != "" else missing for word in getattr(before, "values", ()))

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        return {"count": self.count == len(getattr(before, "values", ()))}


class Hash(ColumnStep, reversible=False):
    """+1 or -1 in one of ``count`` buckets, by a hash of the word at the number's place; 0 in the others,
    and in all for a missing number.

    slots: of the word at each place the number of its bucket, from 1 on, negative for -1; 0 of the empty
    word. Weinberger et al. 2009, https://arxiv.org/abs/0902.2206.
    """

    do: Literal["hash"] = "hash"
    count: Annotated[int, Field(ge=1, le=65_536)]
    slots: Many[int]

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        return (f"{column} #{k + 1}" for k in range(self.count))

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        within = all(abs(slot) <= self.count for slot in self.slots)
        return {"slots": within and len(self.slots) == len(getattr(before, "values", ()))}


class Means(ColumnStep, scaling="centred", told=True):
    """The target's means at the number's place: K of the first place, then K of the second, …; 0, the overall
    mean, for a missing number. prior: as how many rows the overall mean counted."""

    do: Literal["means"] = "means"
    means: Annotated[Many[Number], Field(min_length=1)]
    prior: Annotated[float, Field(ge=0)] = 0.0
    count: Annotated[int, Field(ge=1)]

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        return _numbered(_("{name}: mean target"), _("{name}: mean target {k}"), self.width, column)

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        return {"means": len(self.means) == self.count * len(getattr(before, "values", ()))}


class Flag(ColumnStep, takes=("number", "word")):
    """1 where the number or the word is missing, else 0."""

    do: Literal["flag"] = "flag"

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        yield _("{name} missing").format(name=column)


# ---- inputs of free text


class Length(ColumnStep, takes=("word",), scaling="wide", reversible=False):
    """The logarithm of how many letters of the alphabet a text has."""

    do: Literal["length"] = "length"
    letters: Text

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        yield _("{name} (length)").format(name=column)


class TermWeights(ColumnStep, takes=("word",), gives="counts", reversible=False):
    """The weights of the terms that a text holds, with length 1 in all: TF-IDF.

    letters: the alphabet, in lower case. terms: pieces of texts. weights: what each counts; the rarer it
    is, the more. See data/preparation/texts.py.
    """

    do: Literal["terms"] = "terms"
    letters: Text
    terms: Annotated[Many[Text], Field(min_length=1)]
    weights: Many[Number]

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        return {"weights": len(self.weights) == len(self.terms)}


class Select(ColumnStep, takes=("counts",), scaling="wide", reversible=False):
    """The weights of the first ``count`` terms, times ``scale``."""

    do: Literal["select"] = "select"
    count: Count
    scale: Number = TERM_SCALE

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        return (f"{column}: {written(term)}" for term in getattr(before, "terms", ())[: self.count])

    def slopes_of(self, term: int, select: "Select") -> tuple[float, ...]:
        return tuple(float(other == term) for other in range(self.count))

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        return {"count": self.count <= len(getattr(before, "terms", ()))}


class Linear(ColumnStep, takes=("counts",), reversible=False):
    """Sums of the weights of the first ``terms`` terms: K slopes of the first term, then K of the second, ….

    of_target: whether they predict the target; training rows then get predictions by other rows.
    """

    do: Literal["linear"] = "linear"
    terms: Annotated[int, Field(ge=1)]
    slopes: Annotated[Many[Number], Field(min_length=1)]
    of_target: bool = False

    @property
    def scaling(self) -> Scaling:
        return "centred" if self.of_target else "wide"

    @property
    def told(self) -> bool:
        return self.of_target

    @property
    def width(self) -> int:
        return len(self.slopes) // self.terms

    def names(self, column: str, before: ColumnStep) -> Iterator[str]:
        if self.of_target:
            texts = _("{name}: linear prediction"), _("{name}: linear prediction {k}")
            return _numbered(*texts, self.width, column)
        text = _("{name} theme {k}")
        return (text.format(name=column, k=k + 1) for k in range(self.width))

    def slopes_of(self, term: int, select: Select) -> tuple[float, ...]:
        own = self.slopes[term * self.width :][: self.width] if term < self.terms else (0.0,) * self.width
        return tuple(slope / select.scale for slope in own)

    def meanings(self, before: ColumnStep) -> Iterator[str]:
        if not self.of_target:
            yield from map(written, getattr(before, "terms", ())[: self.terms])
            yield from map(str, self.slopes)

    def rules(self, before: ColumnStep) -> Mapping[str, bool]:
        whole = len(self.slopes) % self.terms == 0
        return {"slopes": whole, "terms": self.terms <= len(getattr(before, "terms", ()))}


def written(term: str) -> str:
    """A term as people read it: words as they are, and a piece of a word with … where the word goes on."""
    start = "" if term.startswith(" ") else "…"
    return f"{start}{term.strip()}" + ("" if term.endswith(" ") else "…")


if TYPE_CHECKING:
    Step = ColumnStep
else:
    Step = Annotated[reduce(or_, ColumnStep.__subclasses__()), Field(discriminator="do")]
"""Any operation."""
