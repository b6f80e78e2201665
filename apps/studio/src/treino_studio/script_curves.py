"""The curves of a script on its page: losses, rates, gradient norms, and figures of held-out rows."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from treino_studio.script.printed_figures import Count, PrintedFigures, PrintedLine

POINTS = 4000  # of a curve: of more, a loss's neighbours are joined in pairs, others are those that are drawn
MOST_CURVES = 60  # curves of a script; a script of many optimizers has no more
REMEMBERED = 1000  # newest values by step that are compared with what is printed
MOST_OF_A_KIND = 3  # curves of one figure of one split, where a script measures it in several places


class Point(NamedTuple):
    """A point of a curve: a value, or the mean of several up to this step with the least and the largest."""

    step: int
    loss: float | None
    low: float | None
    high: float | None


class ScriptCurve:
    """Values over steps. Of many, a point of the training loss is a mean; of another curve those points stay
    that stand out.

    fields: what the page gets besides the points; the training loss has none.
    """

    def __init__(self, run: str, **fields: Any) -> None:
        self.run, self.fields = run, fields
        self._width = 1  # values a point
        self._points: list[Point] = []
        self._waiting: list[float | None] = []  # values of an incomplete point

    def add(self, step: int, values: Sequence[Any]) -> dict[str, Any]:
        """Append values of consecutive steps; return the message for the page. step: the last value's."""
        begin = len(self._points)
        for k, value in enumerate(values, step - len(values) + 1):
            self._waiting.append(value if value is not None and math.isfinite(value) else None)
            if len(self._waiting) >= self._width:
                self._points.append(_point(k, self._waiting, self._waiting))
                self._waiting = []
        while len(self._points) > POINTS:
            begin = 0
            if self.fields:
                from treino.plots import drawn_places  # imports NumPy

                values = [math.nan if each.loss is None else each.loss for each in self._points]
                drawn = drawn_places([each.step for each in self._points], values, POINTS // 2)
                self._points = [self._points[k] for k in drawn]
            else:
                self._width *= 2
                pairs = zip(self._points[0::2], self._points[1::2], strict=False)
                self._points = [_point(b.step, (a.loss, b.loss), (*a[2:], *b[2:])) for a, b in pairs]
        names = Point._fields if self._width > 1 else Point._fields[:2]
        shown = {name: [getattr(each, name) for each in self._points[begin:]] for name in names}
        return {"curves": {"run": self.run, **self.fields, "from": begin, **shown}}


def _point(step: int, values: Sequence[float | None], ends: Sequence[float | None]) -> Point:
    """The mean of values, none where one is missing, between the least and the largest of the ends."""
    finite = [value for value in values if value is not None]
    mean = math.fsum(finite) / len(values) if len(finite) == len(values) else None
    known = [end for end in ends if end is not None]
    return Point(step, mean, min(known, default=None), max(known, default=None))


@dataclass
class Figure:
    """A figure that a script prints or computes, with its values by step.

    split: its rows; "" if unknown. place: the number of the place where it is computed; None:
    it is printed. line: the script's line that computes it. values: the newest, by step. units: of the last
    printed digits.
    """

    name: str
    split: str
    curve: ScriptCurve
    place: int | None = None
    line: int | None = None
    values: dict[int, float] = field(default_factory=dict)
    units: dict[int, float] = field(default_factory=dict)

    def same(self, other: "Figure") -> bool:
        """Whether both have the same values at the steps that both have."""
        steps = self.values.keys() & other.values.keys()
        return bool(steps) and all(self._near(other, step) for step in steps)

    def _near(self, other: "Figure", step: int) -> bool:
        a, b = self.values[step], other.values[step]
        unit = max(each.units.get(step, 0.0) for each in (self, other))
        return abs(a - b) <= max(0.501 * unit, 1e-5 * abs(a))


class ScriptCurves:
    """The curves of one process of a script.

    run: its name. planned: how many steps there will be, as far as known. before: those of the process that
    it is a branch of, from this step on.
    """

    def __init__(self, run: str, before: "ScriptCurves | None" = None, step: int = 0) -> None:
        self.run = run
        self.planned: PlannedSteps = PlannedSteps() if before is None else before.planned.until(step)
        self._curves: dict[str, ScriptCurve] = {}
        self._figures: dict[
            tuple[str, str, int | None], Figure
        ] = {}  # by name, split of a printed one, place
        self._printed: dict[str, PrintedFigures] = {}
        self._listed: list[dict[str, Any]] | None = []  # None: to be listed anew

    def take(self, message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the messages for the page that follow from a message with the script's figures."""
        step = int(message["step"])
        if losses := message.get("losses"):
            yield self._curve("").add(step, losses)
        for optimizer in message.get("optimizers", ()):
            name, groups = optimizer["name"], optimizer["groups"]
            for k, group in enumerate(groups):
                if (lr := group.get("lr")) is not None:
                    shown = f"{name} [{k}]" if len(groups) > 1 else name
                    yield from self._add(f"lr {optimizer['index']} {k}", step, lr, of="lr", name=shown)
            if (norm := optimizer.get("gradient_norm")) is not None:
                yield from self._add(f"norm {optimizer['index']}", step, norm, of="norm", name=name)
        for each in message.get("evaluations", ()):
            for name in ("loss", "accuracy"):
                if (value := each[name]) is not None:
                    place, at, line = each["place"], int(each["step"]), int(each["line"])
                    yield from self._figure(name, each["split"], place, at, float(value), line)
        if loop := message.get("loop"):
            self.planned.note("loop", Count(*loop), step)

    def read(self, stream: str, line: str, step: int) -> Iterator[dict[str, Any]]:
        """Yield the messages for the page that follow from a printed line. step: the last step before it."""
        said: PrintedLine = self._printed.setdefault(stream, PrintedFigures()).read(line)
        for count, unit in ((said.epoch, "epoch"), (said.step, "step")):
            if count is not None:
                self.planned.note(unit, count, step)
        for printed in said.figures:
            if printed.name == "loss" and printed.split is None:
                continue  # the training loss, which is seen step by step
            split = printed.split or ""
            yield from self._figure(printed.name, split, None, step, printed.value, unit=printed.unit)

    @property
    def figures(self) -> list[dict[str, Any]]:
        """The figures to show: printed ones, or instead of one, a computed figure with the same numbers."""
        if self._listed is None:
            self._listed = self._list()
        return self._listed

    def _list(self) -> list[dict[str, Any]]:
        printed = [each for each in self._figures.values() if each.place is None]
        computed = [each for each in self._figures.values() if each.place is not None]
        listed: list[tuple[Figure, str]] = []
        for figure in computed:
            twin = next((each for each in printed if each.name == figure.name and figure.same(each)), None)
            if twin is not None:
                listed.append((figure, twin.split or figure.split))
                printed.remove(twin)
        listed += ((figure, figure.split) for figure in printed)
        told = {(figure.name, split) for figure, split in listed}
        for figure in computed:
            others = [each for each, split in listed if (each.name, split) == (figure.name, figure.split)]
            known = any(
                figure is each or (each.name == figure.name and each.same(figure)) for each, _s in listed
            )
            if not known and (figure.name, figure.split) not in told and len(others) < MOST_OF_A_KIND:
                listed.append((figure, figure.split))
        times = Counter((figure.name, split) for figure, split in listed)
        return [
            {
                "curve": figure.curve.run,
                "name": figure.name,
                "split": split,
                "line": figure.line if times[figure.name, split] > 1 else None,
                "printed": figure.place is None,
            }
            for figure, split in listed
        ]

    def newest(self, name: str, split: str) -> tuple[int, float] | None:
        """The last step of a figure of these rows, and its value there; None: it was never measured."""
        found = [each.values for each in self._figures.values() if (each.name, each.split) == (name, split)]
        return max((max(values.items()) for values in found if values), default=None)

    def _figure(
        self,
        name: str,
        split: str,
        place: int | None,
        step: int,
        value: float,
        line: int | None = None,
        unit: float = 0.0,
    ) -> Iterator[dict[str, Any]]:
        key = name, split if place is None else "", place
        if not math.isfinite(value):
            return
        if key not in self._figures:
            if len(self._figures) >= MOST_CURVES:
                return
            curve = ScriptCurve(f"{self.run} {name} {split if place is None else place}", of="figure")
            self._figures[key] = Figure(name, split, curve, place, line)
        figure = self._figures[key]
        if step in figure.values:  # a progress bar prints the same step's figure again
            return
        figure.values[step], figure.units[step] = value, unit
        self._listed = None
        for each in (figure.values, figure.units):
            while len(each) > REMEMBERED:
                del each[next(iter(each))]
        yield figure.curve.add(step, [value])

    def _add(self, key: str, step: int, value: Any, **fields: Any) -> Iterator[dict[str, Any]]:
        if key in self._curves or len(self._curves) < MOST_CURVES:
            yield self._curve(key, **fields).add(step, [value])

    def _curve(self, key: str, **fields: Any) -> ScriptCurve:
        if key not in self._curves:
            self._curves[key] = ScriptCurve(f"{self.run} {key}".strip(), **fields)
        return self._curves[key]


class PlannedSteps:
    """How many steps a script will make, estimated from counts such as "epoch 3 of 10"."""

    def __init__(self) -> None:
        # numbers, and the first and last steps at which they were seen
        self._marks: dict[str, list[tuple[int, int, int]]] = {}
        self._totals: dict[str, int] = {}
        self._unsteady: set[str] = set()  # units whose count began anew

    def note(self, unit: str, count: Count, step: int) -> None:
        """Note the number of an epoch, a step or a loop's round that is seen at this step, perhaps again."""
        number, total = count
        marks = self._marks.setdefault(unit, [])
        if marks and number < marks[-1][0]:
            self._unsteady.add(unit)
        if not marks or number != marks[-1][0]:
            marks.append((number, step, step))
            if len(marks) > REMEMBERED:
                del marks[1::2]
        else:
            marks[-1] = (number, marks[-1][1], step)
        if total is not None and self._totals.setdefault(unit, total) != total:
            self._unsteady.add(unit)

    def until(self, step: int) -> "PlannedSteps":
        """Return a copy that knows only what was known at a step."""
        known = PlannedSteps()
        known._marks = {
            unit: [(number, first, min(last, step)) for number, first, last in marks if first <= step]
            for unit, marks in self._marks.items()
        }
        known._totals, known._unsteady = {**self._totals}, {*self._unsteady}
        return known

    @property
    def steps(self) -> int | None:
        """The number of steps in all; None if unknown."""
        for unit in ("loop", "epoch", "step"):
            total = self._totals.get(unit)
            marks = self._marks.get(unit)
            if total is None or not marks or unit in self._unsteady:
                continue
            (first, begin, _), (last, end, _) = marks[0], marks[-1]
            if last == first or end == begin:
                if total == 1:
                    continue
                return None  # the next one tells how long one is
            if unit == "loop":
                return _of_rounds(marks, total)
            each = (end - begin) / (last - first)
            if unit == "step":
                return round(end + (total - last) * each)
            before = max(0, first - 1) if first > 1 else 0  # a training that is resumed begins later
            return round((total - before) * each)
        return None


def _of_rounds(marks: Sequence[tuple[int, int, int]], total: int) -> int | None:
    """The roundest number of steps that so many rounds can have; None while it may be a tenth more or less.

    Rounds are looked at now and then: one began after the last step at which another was seen, and before
    the first at which it was seen itself. Where the first was not seen, it began with the first step.
    """
    begun = marks[0][1] - 1 if marks[0][0] == 0 else 0  # at most so many steps were made before the loop
    before, (rounds, seen, _last) = marks[-2][2], marks[-1]
    low = begun + total * (before - begun) / rounds
    high = total * (seen - 1) / rounds
    if high > 1.1 * low:
        return None
    middle, size = (low + high) / 2, int(10 ** len(str(int(high))))
    while size > 1 and not low <= round(middle / size) * size <= high:
        size //= 10
    return round(middle / size) * size
