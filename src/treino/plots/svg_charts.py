"""Small SVG charts: lines with bands, and values with intervals.

They are drawn from numbers alone and stay sharp at every size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from treino.base.text import shortened
from treino.base.words import _, numeral
from treino.plots.svg import (
    LETTER,
    Point,
    circle,
    colour,
    fluid_svg,
    key,
    line,
    path,
    text,
    upright_text,
)
from treino.plots.thinning import drawn_places
from treino_doctor.base.markup import tag

Floats = NDArray[np.float64]

WIDTH = 480  # width of a chart, in SVG units
MOST = 300  # maximum number of points per line
NAME = 26  # maximum number of letters of an estimate's name
FEW = 12  # up to this many points, a line marks each
GRID, SOFT = 0.14, 0.75  # opacities
BEYOND = 0.05  # share of an axis by which a line may leave it


@dataclass(frozen=True, eq=False)
class Series:
    """A line: ``y_N`` over ``x_N``; NaN is a gap. deviation_N: half the height of the band around it.

    dots: mark every point, even if there are many.
    """

    name: str
    x_N: Floats
    y_N: Floats
    colour: int = 0
    deviation_N: Floats | None = None
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Mark:
    """A vertical line at ``x``, called ``name`` in the legend. alarm: marks an error."""

    x: float
    name: str
    alarm: bool = False


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, one line of a chart. faint: a value to compare with."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    colour: int = 0
    faint: bool = False


@dataclass(frozen=True)
class Axis:
    """Maps values to positions in the drawing: ``low`` to ``start``, ``high`` to ``end``."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value_N: Floats) -> Floats:
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value_N = math.log10(low), math.log10(high), np.log10(np.clip(value_N, 1e-300, None))
        share_N = np.clip((value_N - low) / (high - low), -BEYOND, 1 + BEYOND)
        return np.asarray(self.start + share_N * (self.end - self.start))

    def at(self, value: float) -> float:
        return float(self.place(np.array(value)))

    def ticks(self, most: int) -> list[float]:
        return log_ticks(self.low, self.high) if self.logarithmic else ticks(self.low, self.high, most)

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def line_chart(
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    alt: str,
    marks: Sequence[Mark] = (),
    log_x: bool = False,
    whole_x: bool = True,
    height: int = 300,
) -> Markup:
    """Return lines with their legend above. log_x: the x axis is logarithmic, and its label says so.

    whole_x: the x axis counts steps or epochs and has only whole ticks. alt: text for screen readers.
    """
    samples = [(s.name, _sample(s)) for s in series]
    names, top = key([*samples, *((m.name, _mark(m, (0, 0), (18, 0))) for m in marks)], WIDTH)
    x_N = np.concatenate([s.x_N for s in series]) if series else np.zeros(0)
    y_N = np.concatenate([s.y_N for s in series]) if series else np.zeros(0)
    seen = np.isfinite(y_N) & ((x_N > 0) | (not log_x))
    log_x = log_x and bool(seen.any())
    if log_x:
        x_label = _("{name}, logarithmic").format(name=x_label)
    up = Axis(*_span(y_N[seen], _reach(series), 0.06), height - 44, top + 6)
    left = 34 + LETTER * max((len(numeral(t)) for t in up.ticks(5)), default=1)
    across = Axis(*_span(x_N[seen], [m.x for m in marks]), left, WIDTH, log_x)
    x_ticks = [t for t in across.ticks(6) if t == round(t) or not whole_x]
    last = LETTER / 2 * len(numeral(x_ticks[-1])) if x_ticks else 0  # half a label extends beyond the axis
    across = Axis(across.low, across.high, left, WIDTH - max(14, last + 2), log_x)
    return fluid_svg(
        WIDTH,
        height,
        names,
        *(_level(across, up, tick) for tick in up.ticks(5)),
        *(_tick(across, up, tick) for tick in x_ticks),
        line((left, up.start), (across.end, up.start), stroke="currentColor", opacity=0.5),
        text(across.middle, up.start + 37, x_label, text_anchor="middle"),
        upright_text(13, up.middle, y_label),
        *(_mark(m, (across.at(m.x), up.end), (across.at(m.x), up.start)) for m in marks),
        *(_band(across, up, s) for s in series),
        *(_line(across, up, s) for s in series),
        alt=alt,
    )


def interval_chart(
    estimates: Sequence[Estimate], *, label: str, alt: str, bounds: tuple[float, float] | None = None
) -> Markup:
    """Return a line for each value, a dot with its interval, all on one axis.

    bounds: values that the axis never passes, such as 0 and 1 for a share.
    """
    fine = [e for e in estimates if math.isfinite(e.value)]
    values = [v for e in fine for v in (e.value, *(e.interval or ()))]
    low, high = _span(np.array(values), (), 0.08)
    if bounds is not None:
        low, high = max(low, bounds[0] - 0.01), min(high, bounds[1] + 0.01)
    most = max((len(shortened(e.name, NAME)) for e in fine), default=1)
    row, top = 26, 10
    across = Axis(low, high, 16 + LETTER * 1.15 * most, WIDTH - 64)
    height = 14 + row * len(fine) + 40
    bottom = height - 40
    parts = []
    for tick in across.ticks(4):
        x = across.at(tick)
        parts.append(line((x, top), (x, bottom), stroke="currentColor", opacity=GRID))
        parts.append(text(x, bottom + 16, numeral(tick), text_anchor="middle", opacity=SOFT))
    for i, e in enumerate(fine):
        x, y, ink = across.at(e.value), top + row * (i + 0.5), colour(e.colour)
        faint = 0.65 if e.faint else None
        if e.interval is not None:
            a, b = map(across.at, e.interval)
            d = f"M{a:.1f} {y}H{b:.1f}M{a:.1f} {y - 4}v8M{b:.1f} {y - 4}v8"
            parts.append(tag("path", d=d, stroke=ink, stroke_width=2, fill="none"))
        diamond = [(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)]
        parts += [
            path(diamond, closed=True, fill=ink, opacity=faint) if e.faint else circle(x, y, 4.5, fill=ink),
            text(across.start - 10, y + 4, shortened(e.name, NAME), text_anchor="end", opacity=faint),
            text(WIDTH - 4, y + 4, numeral(e.value), text_anchor="end", opacity=faint),
        ]
    half = LETTER * len(label) / 2
    middle = max(min(across.middle, WIDTH - 4 - half), 4 + half)  # keeps a long label in the drawing
    parts.append(text(middle, height - 6, label, text_anchor="middle", opacity=SOFT))
    return fluid_svg(WIDTH, height, *parts, alt=alt)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most about ``most`` round values between the limits: 1, 2 or 5 times a power of ten."""
    step = 10 ** math.floor(math.log10((high - low) / most))
    step *= next(k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten between the limits, with some multiples if there are few."""
    decades = math.log10(high / low)
    steps = (1,) if decades > 3 else (1, 3) if decades > 1.5 else (1, 2, 5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [k * 10.0**p for p in powers for k in steps if low <= k * 10.0**p <= high]
    return ticks[:: max(1, -(-len(ticks) // 7))]


def _span(values: Floats, also: Sequence[float] = (), margin: float = 0.0) -> tuple[float, float]:
    """Return the lowest and highest value with a margin; the two always differ."""
    fine = values[np.isfinite(values)]
    ends = [float(fine.min()), float(fine.max())] if len(fine) else []
    found = [*ends, *also] or [0.0, 1.0]
    low, high = min(found), max(found)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        half = 0.5 * abs(high) or 0.5
        return low - half, high + half
    return low - margin * (high - low), high + margin * (high - low)


def _sample(series: Series) -> Markup:
    """Return a legend sample: a piece of the line, or a dot for a single point."""
    if len(series.y_N) == 1:
        return circle(9, 0, 3.2, fill=colour(series.colour))
    ink, dashes = colour(series.colour), _dashes(series)
    return line((0, 0), (18, 0), stroke=ink, stroke_width=3, stroke_dasharray=dashes)


def _dashes(series: Series) -> str | None:
    return "6 4" if series.dashed else None


def _mark(mark: Mark, start: Point, end: Point) -> Markup:
    if mark.alarm:
        return line(start, end, stroke="var(--alarm,#b3261e)", stroke_width=1.2)
    return line(start, end, stroke="currentColor", stroke_width=1.2, stroke_dasharray="4 3", opacity=0.6)


def _level(across: Axis, up: Axis, tick: float) -> Markup:
    y = up.at(tick)
    level = line((across.start, y), (across.end, y), stroke="currentColor", opacity=GRID)
    return level + text(across.start - 6, y + 4, numeral(tick), text_anchor="end", opacity=SOFT)


def _tick(across: Axis, up: Axis, tick: float) -> Markup:
    x = across.at(tick)
    mark = line((x, up.start), (x, up.start + 4), stroke="currentColor", opacity=0.5)
    return mark + text(x, up.start + 17, numeral(tick), text_anchor="middle", opacity=SOFT)


def _line(across: Axis, up: Axis, series: Series) -> Markup:
    """Draw a line through the measured points, with dots if there are few."""
    seen = np.isfinite(series.y_N)
    x_N, y_N = series.x_N[seen], series.y_N[seen]
    drawn_K = drawn_places(x_N.tolist(), y_N, MOST)
    points = _points(across, up, x_N[drawn_K], y_N[drawn_K])
    if not points:
        return Markup()
    ink, dashes = colour(series.colour), _dashes(series)
    marked = points if series.dots or len(points) <= FEW else []
    drawn = path(points, stroke=ink, stroke_width=2, stroke_linejoin="round", stroke_dasharray=dashes)
    return Markup().join([drawn, *(circle(x, y, 3.2, fill=ink) for x, y in marked)])


def _points(across: Axis, up: Axis, x_N: Floats, y_N: Floats) -> list[Point]:
    return list(zip(across.place(x_N).tolist(), up.place(y_N).tolist(), strict=True))


def _reach(series: Sequence[Series]) -> list[float]:
    """Return limits for the bands: below 0 only where a line is."""
    ends = []
    for s in series:
        if s.deviation_N is None or not (seen := np.isfinite(s.y_N) & np.isfinite(s.deviation_N)).any():
            continue
        y_N, half_N = s.y_N[seen], s.deviation_N[seen]
        ends.append(float((y_N + half_N).max()))
        ends.append(max(float((y_N - half_N).min()), min(0.0, float(y_N.min()))))
    return ends


def _band(across: Axis, up: Axis, series: Series) -> Markup:
    if series.deviation_N is None:
        return Markup()
    seen = np.isfinite(series.y_N) & np.isfinite(series.deviation_N)
    x_N, y_N, half_N = series.x_N[seen], series.y_N[seen], series.deviation_N[seen]
    if len(x_N) < 2:
        return Markup()
    drawn_K = drawn_places(x_N.tolist(), y_N + half_N, MOST)
    x_N, y_N, half_N = x_N[drawn_K], y_N[drawn_K], half_N[drawn_K]
    upper, lower = (
        _points(across, up, x_N, end_N.clip(up.low, up.high)) for end_N in (y_N + half_N, y_N - half_N)
    )
    return path([*upper, *reversed(lower)], closed=True, fill=colour(series.colour), opacity=0.16)
