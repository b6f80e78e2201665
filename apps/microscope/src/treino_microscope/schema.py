"""What ``treino explain --json`` prints, as types: ``treino schema explain``."""

from typing import Literal

from treino.base.document_fields import Document, Figure, Many, Text
from treino_microscope.explanation import Check


class ExplainedStep(Document):
    part: Text
    title: Text
    symbols: Text
    numbers: Text
    value: Figure
    text: Text


class Explained(Document):
    """A topic's arithmetic. checks: numbers beside those of torch, and whether they agree."""

    topic: Text
    title: Text
    steps: Many[ExplainedStep]
    checks: Many[Check]
    holds: bool
    sources: Many[Text]


class Topics(Document):
    topics: Many[dict[Literal["topic", "about"], Text]]
    run: Text | None = None


OUTPUT = Explained | Topics
