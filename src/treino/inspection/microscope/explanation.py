"""An explanation: steps of arithmetic, checks against other computations, and the numbers of its pictures."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from treino.formula import Formula
from treino.inspection.microscope.update import Update


@dataclass(frozen=True)
class ChartLine:
    """One line of a chart. dots: mark its points, few that they are; dashed: of what isn't the right way."""

    name: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """A small picture of lines; places of a point that are not finite end its line."""

    title: str
    x: str
    y: str
    lines: tuple[ChartLine, ...]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Edge:
    """From node ``start`` to node ``end`` (names of a graph); label: its local derivative, in numbers."""

    start: str
    end: str
    label: str
    weight: float = 1.0


@dataclass(frozen=True)
class Graph:
    """Which quantity goes into which, from left to right. columns: names of nodes."""

    title: str
    columns: tuple[tuple[str, ...], ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class StepTable:
    """Headings and rows of texts and numbers; more: how many rows are left out."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    more: int = 0


@dataclass(frozen=True)
class Step:
    """One step of the arithmetic: a title, and any of a sentence, a formula, code that was run, a picture.

    wrong: a formula that is shown because it is taught, and is not so.
    """

    title: str
    formula: Formula | None = None
    text: str = ""
    code: str = ""
    table: StepTable | None = None
    picture: Chart | Graph | None = None
    wrong: bool = False


@dataclass(frozen=True)
class ExplanationPart:
    """A heading and the steps under it."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Check:
    """One number computed here and once more by somebody else. within: what rounding allows."""

    name: str
    ours: float
    reference: float
    within: float

    @property
    def difference(self) -> float:
        return self.ours - self.reference

    @property
    def holds(self) -> bool:
        return abs(self.difference) <= self.within or (math.isnan(self.ours) and math.isnan(self.reference))


@dataclass(frozen=True)
class Explanation:
    """A topic's arithmetic on one set of numbers. about: one sentence. sources: papers and pages."""

    topic: str
    title: str
    about: str
    parts: tuple[ExplanationPart, ...]
    checks: tuple[Check, ...]
    sources: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for part in self.parts for step in part.steps)

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


@dataclass(frozen=True)
class Topic:
    """about: a line for the list and the catalogue. example: on its own numbers. of: on an update of a run.

    refuses: why it does not fit an update, as (rule, message, hint); None where it fits.
    """

    name: str
    about: str
    example: Callable[[], Explanation]
    of: Callable[[Update], Explanation]
    refuses: Callable[[Update], tuple[str, str, str] | None]


def relative(*numbers: float, share: float = 1e-12) -> float:
    """The difference that rounding allows beside numbers of this size."""
    return share * max(1e-300, *map(abs, numbers))
