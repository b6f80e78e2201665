"""``preparation.json``: how a table's columns, or an image's pixels, become the network's inputs."""

from itertools import pairwise
from math import inf
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from treino.documents.fields import Count, Document, Many, Number, Size, Task, Text, agree

Scale = Annotated[float, Field(ge=0)]
TargetScale = Annotated[float, Field(gt=0)]

MOST_BINS = 1000


def _rising(edges: tuple[float, ...]) -> tuple[float, ...]:
    if len(edges) == 1 or not all(low < high and high - low < inf for low, high in pairwise(edges)):
        raise ValueError("edges that don't rise")
    return edges


Edges = Annotated[Many[Number], Field(max_length=MOST_BINS + 1), AfterValidator(_rising)]
"""Where the bins of a column begin and end; without bins there are none."""


class NumberColumn(Document):
    encoder: Literal["number"] = Field(alias="as")
    column: Text
    fill: Number | None
    flag: bool
    edges: Edges


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
    width: Count
    clip: Annotated[float, Field(gt=0)] | None

    @model_validator(mode="after")
    def _agrees(self) -> "PreparationDocument":
        agreeing = {
            "encoders": not self.encoders or len(self.encoders) == len(self.features),
            "scale": len(self.mean) == len(self.scale),
            "classes": (self.task == "classification") == bool(self.classes),
        }
        return agree(self, agreeing)
