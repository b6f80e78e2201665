"""The segments of a run, in ``spec.json`` and ``result.json``."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator

from treino.documents.fields import Count, Document, Figure, Many, Pair, Text
from treino.documents.settings import Asked

Changeable = Literal["lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip", "dropout"]


class SegmentEntry(Document):
    """origin: the segment and the step that it set out from."""

    number: Count
    origin: Pair[Count] | None
    asked: Asked
    changes: dict[Changeable, Figure]


def _connected(segments: tuple[SegmentEntry, ...]) -> tuple[SegmentEntry, ...]:
    """Each sets out from an earlier one, at a step that this one has: a path that came back to where it was
    would have no beginning."""
    known: dict[int, int] = {}  # number: the step at which it begins
    for place, segment in enumerate(segments):
        number, step = segment.origin or (-1, 0)
        if (segment.origin is None) != (place == 0) or (place and not known.get(number, step + 1) <= step):
            raise ValueError("an origin that is not there")
        known[segment.number] = step
    if any(a.number >= b.number for a, b in pairwise(segments)):
        raise ValueError("numbers in order")
    return segments


Segments = Annotated[Many[SegmentEntry], AfterValidator(_connected)]


class Parent(Document):
    """The run, segment and step that a branch left."""

    run: Text
    segment: Count
    step: Count
