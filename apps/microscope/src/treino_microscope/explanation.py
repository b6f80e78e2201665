"""An explanation: steps of arithmetic, checks against other computations, and the data of its pictures."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from treino.base.formula import Expr, Formula, Symbol
from treino.base.words import _, numeral
from treino_microscope.update import Update


@dataclass(frozen=True)
class ChartLine:
    """One line of a chart. dots: whether points are marked. dashed: e.g. for wrong calculations."""

    name: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """A small line chart. x, y: the axes' labels. A line ends at a point that is not finite.

    log_x: the values of x differ by factors, as learning rates that are tried do. Every other axis is linear.
    """

    title: str
    x: str
    y: str
    lines: tuple[ChartLine, ...]
    log_x: bool = False


@dataclass(frozen=True)
class Edge:
    """An edge from node ``start`` to node ``end``. label: its local derivative as text."""

    start: str
    end: str
    label: str
    weight: float = 1.0


@dataclass(frozen=True)
class Graph:
    """A graph of quantities, drawn from left to right. columns: the names of the nodes in each column."""

    title: str
    columns: tuple[tuple[str, ...], ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class StepTable:
    """A table with headings and rows of texts and numbers. more: the number of rows left out."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    more: int = 0


@dataclass(frozen=True)
class Step:
    """One step of the arithmetic: a title, and optionally a sentence, a formula, code, a table and a picture.

    wrong: whether the formula shows a common mistake.
    """

    title: str
    formula: Formula | None = None
    text: str = ""
    code: str = ""
    table: StepTable | None = None
    picture: Chart | Graph | None = None
    wrong: bool = False

    @property
    def value(self) -> float:
        """The result of the step's formula."""
        assert self.formula is not None
        return self.formula.value


@dataclass(frozen=True)
class ExplanationPart:
    """A part of an explanation: a heading with its steps. taught: what a course says of it, shown
    if asked for."""

    title: str
    steps: tuple[Step, ...]
    taught: bool = False


@dataclass(frozen=True)
class Check:
    """A number of an explanation, and its value by another computation. within: the allowed difference."""

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
    """A topic's arithmetic on one set of numbers. about: one sentence. sources: papers and web pages."""

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


Worked = tuple[Iterable[ExplanationPart], Iterable[Check]]


@dataclass(frozen=True)
class Topic:
    """A topic, with texts that are marked by ``N_``.

    about: a line for the list of topics. headline, gist: the title of its example, and a sentence on it.
    sources: papers and web pages. on_example, on_run: work it out on example numbers, or on a run's update.
    own: for the topic of a run's own loss or optimizer, its words; no other such topic explains the
    run. None: this topic explains any run.
    """

    name: str
    about: str
    headline: str
    gist: str
    sources: tuple[str, ...]
    on_example: Callable[[], Worked]
    on_run: Callable[[Update], Worked]
    own: Callable[[Update], tuple[str, str]] | None = None

    def example(self) -> Explanation:
        """Explain the topic on example numbers."""
        title = _(self.headline).format(topic=self.name, about=_(self.about))
        return self._explanation(title, _(self.gist), self.on_example())

    def of(self, update: Update) -> Explanation:
        """Explain the topic on one update of one weight of a run."""
        title = _("{topic}: update {number:,} of {run}")
        about = _("The arithmetic of one update of one weight, {at}: {value}.")
        place = update.place
        at = f"{place.layer},{place.i}" + ("" if place.j is None else f",{place.j}")
        value = numeral(update.weight, ".9g").replace("-", "−")
        return self._explanation(
            title.format(topic=self.name, number=update.step + 1, run=update.run),
            about.format(at=at, value=value),
            self.on_run(update),
        )

    def _explanation(self, title: str, about: str, worked: Worked) -> Explanation:
        parts, checks = worked
        return Explanation(self.name, title, about, tuple(parts), tuple(checks), self.sources)


def equation(name: str, right: Expr, sub: str = "", sup: str = "") -> Formula:
    """The formula of a quantity whose number follows from the right side."""
    return Formula(Symbol(name, 0.0, sub, sup), right)


def central(f: Callable[[float], float], h: float = 1e-6) -> float:
    """The central finite difference of a function at 0."""
    return (f(h) - f(-h)) / (2 * h)


def slope_checks(what: str, ours: float, autograd: float, difference: float) -> tuple[Check, Check]:
    """Checks of a slope, which ``what`` names, against torch and a central finite difference."""
    return (
        Check(_("{what}: torch.autograd, float64").format(what=what), ours, autograd, 1e-14),
        Check(_("{what}: central finite difference").format(what=what), ours, difference, 1e-8),
    )


def relative(*numbers: float, share: float = 1e-12) -> float:
    """The allowed rounding difference for numbers of this size."""
    return share * max(1e-300, *map(abs, numbers))
