"""``members.parquet`` and ``asked.json``: a sweep's members and their settings; figures of several seeds."""

from itertools import accumulate
from typing import Annotated, Literal

from pydantic import Field, RootModel, model_validator

from treino.documents.fields import (
    AS_TUPLE,
    Count,
    Document,
    Figure,
    Figures,
    Many,
    Pair,
    Seconds,
    SentenceText,
    Status,
    Text,
    Word,
    agree,
)
from treino.documents.settings import Name
from treino.documents.sweep_spec import Value

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
