"""``spec.json`` of a sweep: the settings that members share, the space, and how it is sampled."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from treino.documents.data_source import DataSource
from treino.documents.fields import AS_TUPLE, Document, Many, Number, Rows, Seed, Text, Word
from treino.documents.settings import Asked, Name

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
