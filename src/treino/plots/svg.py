"""Small SVG charts: lines with bands, and figures with intervals.

They are drawn from numbers alone, stay crisp at every size, and take their ink from the page around them, so
that they read in light and in dark. Colours are ``style.PALETTE``'s, which a page may replace by the CSS
variables ``--s0``, ``--s1``, …
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray

from treino.plots.style import PALETTE
from treino.words import numeral

Floats = NDArray[np.float64]

WIDTH = 480  # of a chart in its own units; its letters are 14 of these high
LETTER = 7.4  # units that a letter takes, about
MOST = 300  # points of one line; beyond, the lowest and the highest of every few are drawn
FONT = "font-family='system-ui,sans-serif' font-size='14'"


@dataclass(frozen=True, eq=False)
class Series:
    """A line: ``y_N`` over ``x_N``; NaN is a gap. deviation_N: half the height of the band around it."""

    name: str
    x_N: Floats
    y_N: Floats
    colour: int = 0
    deviation_N: Floats | None = None


@dataclass(frozen=True)
class Mark:
    """A vertical line at ``x`` that the legend calls ``name``. alarm: something went wrong there."""

    x: float
    name: str
    alarm: bool = False


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval, as one line of a chart. faint: what it is compared with."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    colour: int = 0
    faint: bool = False


@dataclass(frozen=True)
class _Frame:
    """Where the values' corners lie in the drawing."""

    x: tuple[float, float]
    y: tuple[float, float]
    left: float
    top: float
    right: float
    bottom: float
    logarithmic: bool = field(default=False)

    def across(self, x: float) -> float:
        return self.left + (x - self.x[0]) / (self.x[1] - self.x[0]) * (self.right - self.left)

    def up(self, y: float) -> float:
        low, high = self.y
        if self.logarithmic:
            low, high, y = math.log10(low), math.log10(high), math.log10(max(y, 1e-300))
        share = min(max((y - low) / (high - low), -0.05), 1.05)
        return self.bottom - share * (self.bottom - self.top)

    def points(self, x_N: Floats, y_N: Floats) -> list[tuple[float, float]]:
        """``across`` and ``up`` of many values at once."""
        low, high = self.y
        if self.logarithmic:
            low, high, y_N = math.log10(low), math.log10(high), np.log10(y_N.clip(min=1e-300))
        x_N = self.left + (x_N - self.x[0]) / (self.x[1] - self.x[0]) * (self.right - self.left)
        y_N = self.bottom - ((y_N - low) / (high - low)).clip(-0.05, 1.05) * (self.bottom - self.top)
        return list(zip(x_N.tolist(), y_N.tolist(), strict=True))


def colour(number: int) -> str:
    """A series' colour as CSS: the page's own where it names one, else the palette's."""
    number %= len(PALETTE)
    return f"var(--s{number},{PALETTE[number]})"


def line_chart(
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    alt: str,
    marks: Sequence[Mark] = (),
    logarithmic: bool = False,
    bounds: tuple[float, float] | None = None,
    height: int = 300,
) -> str:
    """Lines over steps or epochs, with their legend above. bounds: what the y axis must hold at least.

    alt: what is seen, for who does not see it.
    """
    key, top = _legend([(s.name, s.colour) for s in series], marks)
    x_N = np.concatenate([s.x_N for s in series]) if series else np.zeros(0)
    y_N = np.concatenate([s.y_N for s in series]) if series else np.zeros(0)
    seen = np.isfinite(y_N) & (y_N > 0) if logarithmic else np.isfinite(y_N)
    x = _span(x_N[seen], [m.x for m in marks])
    y = _span(y_N[seen], [*(bounds or ()), *_reach(series, logarithmic)], 0.0 if logarithmic else 0.06)
    if logarithmic:
        y = y[0] * 0.9, y[1] * 1.1
    y_ticks = log_ticks(*y) if logarithmic else ticks(*y, 5)
    left = 34 + LETTER * max((len(numeral(t)) for t in y_ticks), default=1)
    x_ticks = [t for t in ticks(*x, 6) if t == round(t)]  # there is no half of a step or an epoch
    last = LETTER / 2 * len(numeral(x_ticks[-1])) if x_ticks else 0  # half of it may stand beyond the axis
    frame = _Frame(x, y, left, top + 6, WIDTH - max(14, last + 2), height - 44, logarithmic)
    parts = [key, _grid(frame, x_ticks, y_ticks, x_label, y_label)]
    for mark in marks:
        place, ink = frame.across(mark.x), "var(--alarm,#b3261e)" if mark.alarm else "currentColor"
        dashes = "" if mark.alarm else " stroke-dasharray='4 3' opacity='.6'"
        parts.append(
            f"<path d='M{place:.1f} {frame.top:.1f}V{frame.bottom:.1f}' style='stroke:{ink}'"
            f" stroke-width='1.2'{dashes}/>"
        )
    parts += [_band(frame, s) for s in series if s.deviation_N is not None]
    parts += [_line(frame, s) for s in series]
    return _svg(parts, height, alt)


def interval_chart(
    estimates: Sequence[Estimate], *, label: str, alt: str, bounds: tuple[float, float] | None = None
) -> str:
    """Each figure a dot with its interval as a line, one below the other on one axis.

    bounds: values that the axis never leaves, such as 0 and 1 of a share.
    """
    fine = [e for e in estimates if math.isfinite(e.value)]
    values = [v for e in fine for v in (e.value, *(e.interval or ()))]
    low, high = _span(np.array(values), (), 0.08)
    if bounds is not None:
        low, high = max(low, bounds[0] - 0.01), min(high, bounds[1] + 0.01)
    most = max((len(_short(e.name)) for e in fine), default=1)
    left, row = 16 + LETTER * 1.15 * most, 26
    height = 14 + row * len(fine) + 40
    frame = _Frame((low, high), (0, 1), left, 10, WIDTH - 64, height - 40)
    parts = []
    for tick in ticks(low, high, 4):
        place = frame.across(tick)
        parts.append(
            f"<path d='M{place:.1f} {frame.top}V{frame.bottom}' stroke='currentColor' opacity='.14'/>"
            f"<text x='{place:.1f}' y='{frame.bottom + 16}' text-anchor='middle' opacity='.75'>"
            f"{escape(numeral(tick))}</text>"
        )
    for i, e in enumerate(fine):
        y, x, ink = frame.top + row * (i + 0.5), frame.across(e.value), colour(e.colour)
        opacity = " opacity='.65'" if e.faint else ""
        if e.interval is not None:
            a, b = (frame.across(v) for v in e.interval)
            parts.append(
                f"<path d='M{a:.1f} {y}H{b:.1f}M{a:.1f} {y - 4}v8M{b:.1f} {y - 4}v8' style='stroke:{ink}'"
                " stroke-width='2' fill='none'/>"
            )
        dot = f"<circle cx='{x:.1f}' cy='{y}' r='4.5' style='fill:{ink}'{opacity}/>"
        if e.faint:
            dot = f"<path d='M{x:.1f} {y - 5}l5 5l-5 5l-5 -5z' style='fill:{ink}'{opacity}/>"
        parts.append(
            f"{dot}<text x='{left - 10:.1f}' y='{y + 4}' text-anchor='end'{opacity}>"
            f"{escape(_short(e.name))}</text>"
            f"<text x='{WIDTH - 4}' y='{y + 4}' text-anchor='end'{opacity}>{escape(numeral(e.value))}</text>"
        )
    half = LETTER * len(label) / 2
    middle = max(min((frame.left + frame.right) / 2, WIDTH - 4 - half), 4 + half)  # a long label stays whole
    parts.append(
        f"<text x='{middle:.1f}' y='{height - 6}' text-anchor='middle' opacity='.75'>{escape(label)}</text>"
    )
    return _svg(parts, height, alt)


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most about so many round values between two: multiples of 1, 2 or 5 times a power of ten."""
    step = 10 ** math.floor(math.log10((high - low) / most))
    step *= next(k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two, with their multiples where there are few."""
    decades = math.log10(high / low)
    steps = (1,) if decades > 3 else (1, 3) if decades > 1.5 else (1, 2, 5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [k * 10.0**p for p in powers for k in steps if low <= k * 10.0**p <= high]
    return found[:: max(1, -(-len(found) // 7))]


def thinned(x_N: Floats, y_N: Floats) -> tuple[Floats, Floats]:
    """Of a line with very many points the lowest and the highest of every few: its peaks stay."""
    if len(y_N) <= MOST:
        return x_N, y_N
    fine = np.isfinite(y_N)
    x_N, y_N = x_N[fine], y_N[fine]
    few = -(-len(y_N) // (MOST // 2))
    rest = -len(y_N) % few
    low_BK, high_BK = (
        np.concatenate([y_N, np.full(rest, fill)]).reshape(-1, few) for fill in (math.inf, -math.inf)
    )
    first_B = np.arange(len(low_BK)) * few
    kept = np.unique(np.concatenate([first_B + low_BK.argmin(axis=1), first_B + high_BK.argmax(axis=1)]))
    return x_N[kept], y_N[kept]


def _svg(parts: Sequence[str], height: float, alt: str) -> str:
    return (
        f"<svg viewBox='0 0 {WIDTH} {height:g}' role='img' aria-label=\"{escape(alt, quote=True)}\" "
        f"style='width:100%;height:auto;max-width:{WIDTH * 1.2:g}px' {FONT} fill='currentColor'>"
        f"{''.join(parts)}</svg>"
    )


def _span(values: Floats, also: Sequence[float] = (), margin: float = 0.0) -> tuple[float, float]:
    """Lowest and highest with a margin, never the same."""
    fine = values[np.isfinite(values)]
    ends = [float(fine.min()), float(fine.max())] if len(fine) else []
    found = [*ends, *also] or [0.0, 1.0]
    low, high = min(found), max(found)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        half = 0.5 * abs(high) or 0.5
        return low - half, high + half
    return low - margin * (high - low), high + margin * (high - low)


def _short(name: str, most: int = 26) -> str:
    line = " ".join(name.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _legend(names: Sequence[tuple[str, int]], marks: Sequence[Mark]) -> tuple[str, float]:
    """The lines' names in their colours, as many to a line as fit; -> (SVG, the height that it takes)."""
    x, y, parts = 8.0, 14.0, []
    entries = [(name, f"style='stroke:{colour(c)}' stroke-width='3'") for name, c in names]
    for mark in marks:
        ink = "stroke:var(--alarm,#b3261e)" if mark.alarm else "stroke:currentColor;opacity:.6"
        entries.append((mark.name, f"style='{ink}' stroke-width='1.2' stroke-dasharray='4 3'"))
    for name, look in entries:
        said = _short(name, 64)
        width = 26 + LETTER * len(said) + 14
        if x + width > WIDTH and x > 8:
            x, y = 8.0, y + 18
        parts.append(
            f"<path d='M{x:g} {y - 4:g}h18' {look}/><text x='{x + 24:g}' y='{y:g}'>{escape(said)}</text>"
        )
        x += width
    return "".join(parts), y + 8 if entries else 6.0


def _grid(frame: _Frame, x_ticks: list[float], y_ticks: list[float], x_label: str, y_label: str) -> str:
    parts = []
    for tick in y_ticks:
        y = frame.up(tick)
        parts.append(
            f"<path d='M{frame.left:.1f} {y:.1f}H{frame.right}' stroke='currentColor' opacity='.14'/>"
            f"<text x='{frame.left - 6:.1f}' y='{y + 4:.1f}' text-anchor='end' opacity='.75'>"
            f"{escape(numeral(tick))}</text>"
        )
    for tick in x_ticks:
        x = frame.across(tick)
        parts.append(
            f"<path d='M{x:.1f} {frame.bottom}v4' stroke='currentColor' opacity='.5'/>"
            f"<text x='{x:.1f}' y='{frame.bottom + 17}' text-anchor='middle' opacity='.75'>"
            f"{escape(numeral(tick))}</text>"
        )
    middle_x, middle_y = (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2
    parts.append(
        f"<path d='M{frame.left:.1f} {frame.bottom}H{frame.right}' stroke='currentColor' opacity='.5'/>"
        f"<text x='{middle_x:.1f}' y='{frame.bottom + 37}' text-anchor='middle'>{escape(x_label)}</text>"
        f"<text transform='translate(13 {middle_y:.1f}) rotate(-90)' text-anchor='middle'>"
        f"{escape(y_label)}</text>"
    )
    return "".join(parts)


def _line(frame: _Frame, series: Series) -> str:
    """Through what was measured; where that is little, dots too."""
    seen = np.isfinite(series.y_N)
    if frame.logarithmic:
        seen &= series.y_N > 0
    x_N, y_N = thinned(series.x_N[seen], series.y_N[seen])
    points = frame.points(x_N, y_N)
    if not points:
        return ""
    ink = f"style='stroke:{colour(series.colour)}'"
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "" if len(points) > 12 else "".join(
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.2' style='fill:{colour(series.colour)}'/>" for x, y in points
    )  # fmt: skip
    return f"<path d='M{path}' fill='none' {ink} stroke-width='2' stroke-linejoin='round'/>{dots}"


def _reach(series: Sequence[Series], logarithmic: bool) -> list[float]:
    """How far the bands go: down to 0 where no line is below it; on a logarithmic scale only upwards."""
    ends = []
    for s in series:
        if s.deviation_N is None or not (seen := np.isfinite(s.y_N) & np.isfinite(s.deviation_N)).any():
            continue
        y_N, half_N = s.y_N[seen], s.deviation_N[seen]
        ends.append(float((y_N + half_N).max()))
        if not logarithmic:
            ends.append(max(float((y_N - half_N).min()), min(0.0, float(y_N.min()))))
    return ends


def _band(frame: _Frame, series: Series) -> str:
    assert series.deviation_N is not None
    seen = np.isfinite(series.y_N) & np.isfinite(series.deviation_N)
    x_N, y_N, half_N = series.x_N[seen], series.y_N[seen], series.deviation_N[seen]
    if len(x_N) < 2:
        return ""
    every = max(1, -(-len(x_N) // MOST))
    x_N, y_N, half_N = x_N[::every], y_N[::every], half_N[::every]
    upper, lower = (frame.points(x_N, end_N.clip(*frame.y)) for end_N in (y_N + half_N, y_N - half_N))
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in [*upper, *reversed(lower)])
    return f"<path d='M{path}Z' style='fill:{colour(series.colour)}' opacity='.16'/>"
