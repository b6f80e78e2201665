"""What the display of a training is fed: what to say before it, where it stands, what to say after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import RenderableType

from treino.engine import Tick
from treino.loop.loop import JobEnd


@dataclass(frozen=True)
class Position:
    """Where a training stands.

    done: the share of all its steps, from 0 to 1. label, count: what is counted, and how far it is, as
    ``step`` and ``12/120``. left_s: seconds to the end, None where nobody knows. figures: named values, the
    first ones first where there is little room. moment: the label and count as a log says them, where it says
    more.
    """

    done: float
    label: str
    count: str
    left_s: float | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    moment: str = ""


class View(Protocol):
    """A run, a sweep or a study as a person reads it while it is trained."""

    def opening(self) -> list[RenderableType]:
        """What is about to be trained on what; a line or a table each."""

    def position(self, tick: Tick) -> Position:
        """Where it stands after a tick."""

    def closing(self) -> str:
        """What is done when all is trained, in a word."""

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """What it came to, and what to do next. width: of the terminal, in columns."""
