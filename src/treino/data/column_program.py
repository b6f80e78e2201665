"""A column's stored program: its steps, the rules by which it is checked, and what can be asked about it.

Nobody else asks a column of which kind it is: which inputs are its own, what they are called, whether they
are ordered, which words it knows, and what a row's inputs stand for are told here, from its steps.
"""

from functools import cached_property
from itertools import accumulate, pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

from treino.base.document_fields import Count, Document, Many, Text
from treino.data.operations import ColumnStep, Step

MOST_STEPS = 16
Measure = Literal["number", "seconds", "length", "word"]
"""What is compared of a column's cells: numbers, times, the lengths of texts, or how often each word
occurs."""
READERS: dict[str, Measure] = {"number": "number", "seconds": "seconds", "word": "word"}


class ColumnProgram(Document):
    """How the cells of a column become inputs: the results of some steps, side by side.

    column: the column's name. way: the name of what made the program, an entry of ``WAYS``. shown: the
    steps whose results are the inputs, in this order.
    """

    column: Text
    way: Text
    steps: Annotated[Many[Step], Field(min_length=1, max_length=MOST_STEPS)]
    shown: Annotated[Many[Count], Field(min_length=1)]

    def agreeing(self) -> dict[str, bool]:
        """The rules of a program: a first step that reads, earlier steps that give what later ones take."""
        first, *others = self.steps
        kept = {"steps": "cells" in first.takes}
        for number, step in enumerate(others, 1):
            kept["steps"] &= step.of < number and self.of(step).gives in step.takes
            if kept["steps"]:
                rules = step.rules(self.of(step)).items()
                kept |= {name: kept.get(name, True) and holds for name, holds in rules}
        rising = all(a < b for a, b in pairwise(self.shown))
        kept["shown"] = rising and self.shown[-1] < len(self.steps)
        kept["shown"] &= all(self.steps[k].gives in ("number", "inputs") for k in self.shown if kept["shown"])
        return kept

    def to_json(self) -> dict[str, Any]:
        return {"column": self.column, "way": self.way, "steps": [*self.plain_steps], "shown": [*self.shown]}

    @cached_property
    def plain_steps(self) -> tuple[dict[str, Any], ...]:
        """The steps as an interpreter takes them, in any tongue."""
        return tuple({"do": step.do, "of": step.of} | step.fields for step in self.steps)

    # ---- the steps

    @property
    def reader(self) -> ColumnStep:
        return self.steps[0]

    @cached_property
    def measure(self) -> Measure:
        return "length" if self.step("terms") or self.step("length") else READERS[self.reader.do]

    @property
    def clock(self) -> bool:
        """Whether the cells are times of day."""
        return bool(getattr(self.reader, "clock", False))

    @property
    def numeric(self) -> bool:
        """Whether the column's words are numbers."""
        return bool(getattr(self.reader, "numeric", False))

    @property
    def truth(self) -> bool | None:
        """Whether the column's numbers are truth values; None: not known."""
        return getattr(self.reader, "truth", None)

    @property
    def required(self) -> bool:
        """Whether a missing cell is refused."""
        return bool(getattr(self.reader, "required", False))

    def step(self, do: str) -> Any:
        """The first step of this operation; None without one."""
        return next((step for step in self.steps if step.do == do), None)

    def of(self, step: ColumnStep) -> ColumnStep:
        """The step whose result this one takes."""
        return self.steps[step.of]

    @property
    def fill(self) -> float | None:
        """The number by which a missing one is replaced; None where none is."""
        step = self.step("fill")
        return None if step is None else float(step.value)

    # ---- words

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that are told apart; () for other cells."""
        place = self.step("place") if self.measure == "word" else None
        return () if place is None else tuple(place.values)

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The words, if each has an input or a rank of its own."""
        return self.words if self.reversible else ()

    @property
    def ordered(self) -> bool:
        """Whether the words have an order."""
        return bool(self.words) and self.scaled

    # ---- the inputs

    @cached_property
    def groups(self) -> tuple[tuple[ColumnStep, range], ...]:
        """Each shown step, and which of the column's inputs are its own."""
        steps = [self.steps[k] for k in self.shown]
        ends = accumulate((step.width for step in steps), initial=0)
        return tuple((step, range(a, b)) for step, (a, b) in zip(steps, pairwise(ends), strict=True))

    @cached_property
    def width(self) -> int:
        """The number of inputs."""
        return self.groups[-1][1].stop

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(name for step, _own in self.groups for name in step.names(self.column, self.of(step)))

    @property
    def meanings(self) -> tuple[str, ...]:
        """What the inputs depend on: another training's weights fit them only where it is the same."""
        ranked = (f"{self.column}={level}" for level in self.levels if self.ordered)
        of_steps = (name for step in self.steps for name in step.meanings(self.of(step)))
        return (*self.inputs, *ranked, *of_steps)

    @property
    def flag(self) -> bool:
        """Whether the last input marks missing cells."""
        return self.groups[-1][0].do == "flag"

    @cached_property
    def scaled(self) -> bool:
        """Whether the first input is a quantity, normalised to deviation 1 (only such inputs are axes)."""
        return self.groups[0][0].scaling == "number"

    @cached_property
    def reversible(self) -> bool:
        """Whether the inputs tell the cell."""
        return all(step.reversible for step in self.steps)

    @property
    def told_step(self) -> Any:
        """The step whose inputs are fitted on the target; None without one."""
        return next((step for step in self.steps if step.told), None)

    @property
    def told(self) -> range:
        """Which inputs are fitted on the target: training rows get others than new rows."""
        return next((own for step, own in self.groups if step.told), range(0))

    @property
    def derived(self) -> frozenset[int]:
        """Which inputs only repeat others in another form: bins, and those that are fitted on the target."""
        return frozenset(k for step, own in self.groups if step.scaling == "centred" for k in own)

    @property
    def term_inputs(self) -> range:
        """Which inputs are terms of a text, each its own."""
        return next((own for step, own in self.groups if step.do == "select"), range(0))

    def slopes_of(self, term: int) -> tuple[float, ...]:
        """How much each input grows by where the input of this term of a text grows by 1."""
        return tuple(
            slope for step, _own in self.groups for slope in step.slopes_of(term, self.step("select"))
        )

    @property
    def edges(self) -> tuple[float, ...]:
        """The edges of the bins; () without bins."""
        step = self.step("bins")
        return () if step is None else tuple(step.edges)

    @property
    def parts(self) -> tuple[str, ...]:
        """What of a date comes round again, as points of circles."""
        return tuple(step.fields["part"] for step in self.steps if step.do == "part")

    @property
    def period(self) -> float | None:
        """After how much the column's numbers return, if all that is known of them is a point of a circle."""
        first = self.groups[0][0]
        return getattr(first, "period", None)
