"""The segments of a run, in ``spec.json`` and ``result.json``."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from treino.documents.fields import Count, Document, Figure, Many, Pair, Seed, Text
from treino.documents.settings import Asked

Changeable = Literal["lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip", "dropout", "ema"]


class SegmentEntry(Document):
    """origin: the segment and the step that it set out from.

    steps_per_epoch: of an epoch that begins in it. passes_from, optimizer_from: the step at
    which its epochs, and its optimizer's state, began. order_seed: of its rows' order, where that is not the
    data's. output_change: the largest change of an output on training rows where the network is another at
    its first step.
    """

    number: Count
    origin: Pair[Count] | None
    asked: Asked
    changes: dict[Changeable, Figure]
    steps_per_epoch: Annotated[int, Field(ge=1, le=2**53)]
    passes_from: Count
    optimizer_from: Count
    order_seed: Seed | None
    output_change: Annotated[float, Field(ge=0)] | None


def _connected(segments: tuple[SegmentEntry, ...]) -> tuple[SegmentEntry, ...]:
    """Each sets out from an earlier one, at a step that this one has: a path that came back to where it was
    would have no beginning."""
    known: dict[int, int] = {}  # number: the step at which it begins
    for place, segment in enumerate(segments):
        number, step = segment.origin or (-1, 0)
        if (segment.origin is None) != (place == 0) or (place and not known.get(number, step + 1) <= step):
            raise ValueError("an origin that is not there")
        if max(segment.passes_from, segment.optimizer_from) > step:
            raise ValueError("a count that begins after the segment")
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
