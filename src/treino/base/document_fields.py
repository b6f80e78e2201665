"""The types of values in a folder's documents: bounded numbers, texts, and lists of them.

A folder may come from anybody, so no value is converted to another type, and all sizes are bounded.
"""

import math
import shlex
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from treino.base.words import N_, Sentence, _

Item = TypeVar("Item")

LONGEST_COMMAND = 100_000  # characters


class Document(BaseModel):
    """The content of a file, or of a part of it, as its writer fills it and its readers take it.

    Unknown keys are allowed: newer versions may add some.
    """

    # built at the first use, for most commands read few kinds of documents
    model_config = ConfigDict(strict=True, frozen=True, extra="allow", allow_inf_nan=False, defer_build=True)

    def agreeing(self) -> Mapping[str, bool]:
        """For each key, whether its value fits the other values.

        It checks only for disagreements that would crash a reader, run foreign code or show wrong facts: the
        manifest's digests guard the rest.
        """
        return {}

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        return agree(self, self.agreeing())

    def to_json(self) -> dict[str, Any]:
        """The content as in the file, without keys that are not set."""
        return dict(_with_lists(self.model_dump(exclude_unset=True, by_alias=True)))


class Entries(RootModel[Item]):
    """The content of a file that is a list or a table of entries. Built at the first use."""

    model_config = ConfigDict(defer_build=True)


def _with_lists(value: Any) -> Any:
    """The value with lists instead of tuples. Pydantic's JSON mode would turn a sentence into plain text."""
    if isinstance(value, dict):
        return {key: _with_lists(each) for key, each in value.items()}
    return [_with_lists(each) for each in value] if isinstance(value, tuple | list) else value


def _both(interval: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    if (interval[0] is None) != (interval[1] is None):
        raise ValueError("one end")
    return interval


def agree(document: Item, agreeing: Mapping[str, bool]) -> Item:
    """Return the document if its values fit each other. agreeing: the result of `Document.agreeing`."""
    for key, agrees in agreeing.items():
        if not agrees:
            raise PydanticCustomError("disagreement", "it doesn't fit the rest", {"key": key})
    return document


LIMITS: Mapping[str, str] = {
    "greater_than": N_("greater than {limit}"),
    "greater_than_equal": N_("at least {limit}"),
    "less_than": N_("less than {limit}"),
    "less_than_equal": N_("at most {limit}"),
    "finite_number": N_("a finite number"),
}
"""What a number must be that pydantic refuses by an error of this kind: it is out of range."""
_TYPES: Mapping[str, str] = {
    "float_type": N_("a number"),
    "int_type": N_("a whole number"),
    "literal_error": N_("one of {limit}"),
}


def expected(error: Any) -> str:
    """What a value must be, by pydantic's error, to follow "it must be"; "" for other kinds of errors."""
    text = LIMITS.get(error["type"]) or _TYPES.get(error["type"], "")
    return text and _(text).format(limit=next(iter(error.get("ctx", {}).values()), ""))


def _command(text: str) -> str:
    """Refuse a text that a shell would read as more than one treino command."""
    if len(text) > LONGEST_COMMAND or not text.startswith("treino "):
        raise ValueError("not a command of treino")
    if shlex.join(shlex.split(text)) != text:
        raise ValueError("words that are not quoted")
    return text


def _itself(text: Any, check: Callable[[Any], str]) -> Any:
    if not isinstance(text, Sentence):  # which may quote a damaged file's half characters
        check(text)
    return text


def finite(value: Any) -> Any:
    """The value; None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


AS_TUPLE = Field(strict=False)  # lets a strict model accept lists as tuples, since documents are immutable
Many = Annotated[tuple[Item, ...], Field(strict=False, fail_fast=True)]
Pair = Annotated[tuple[Item, Item], AS_TUPLE]

Count = Annotated[int, Field(ge=0, le=2**53)]
"""A number of steps, rows, parameters, ..."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Figure = Annotated[float | None, BeforeValidator(finite)]
"""A measured value; None if it is not finite."""

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Size = Annotated[int, Field(ge=1, le=10_000_000)]
"""A number of inputs, outputs or units of a layer."""

Threads = Annotated[int, Field(ge=1, le=4096)]
Text = Annotated[str, WrapValidator(_itself), PlainSerializer(lambda text: text)]
"""A text. A ``words.Sentence`` stays one, so that every reader sees it in their own language."""

WORD = r"^[A-Za-z][\w.@-]{0,63}$"
Word = Annotated[str, Field(pattern=WORD)]
"""A name in one of treino's registries, such as adam. Code that uses the name checks whether it exists."""

DEVICE = r"^(cpu|mps|cuda(:\d{1,3})?)$"
Device = Annotated[str, Field(pattern=DEVICE)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Command = Annotated[str, AfterValidator(_command)]
"""A command line; it must be safe, because a person may copy it from a page to a shell."""

Plain = Any
"""Any JSON value that is only displayed."""

Task = Literal["classification", "regression"]
Status = Literal["running", "finished", "stopped", "interrupted", "diverged"]
Interval = Annotated[Pair[Figure], AfterValidator(_both)]
Figures = dict[Word, Figure]
"""{metric: value}"""
Split = Literal["train", "validation", "test"]
Rows = dict[Split, Count]
