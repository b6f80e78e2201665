"""What is displayed of a training: a text before it, its position, and a text after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import RenderableType

from treino.engine import Tick
from treino.loop.loop import JobEnd


@dataclass(frozen=True)
class Position:
    """The position of a training.

    done: the share of all its steps, from 0 to 1. label, count: what is counted, and how far, as ``step``
    and ``12/120``. left_s: seconds to the end, None if unknown. figures: named values, the most important
    first. moment: label and count for a log, if longer there.
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
        """Lines and tables about what is going to be trained."""

    def position(self, tick: Tick) -> Position:
        """The position after a tick."""

    def closing(self) -> str:
        """A word for the work that follows the training."""

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """The results, and what to do next. width: of the terminal, in columns."""
