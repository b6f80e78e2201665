"""Pictures in explanations as SVG: charts of lines, and graphs of quantities."""

import math
from collections.abc import Callable, Iterable
from html import escape

from treino.inspection.microscope.explanation import Chart, ChartLine, Graph
from treino.plots.explain_text import number

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 80, 16, 34, 44
LEAST = 1e-300
COLUMN, ROW = 190, 46


def chart(found: Chart) -> str:
    """Lines over a common frame, each named beside a sample of it."""
    names = _legend(found.lines)
    top = TOP + 18 * math.ceil(len(found.lines) / 3)
    height = HEIGHT + top - TOP
    xs = [x for line in found.lines for x, y in line.points if math.isfinite(y)]
    ys = [y for line in found.lines for _x, y in line.points if math.isfinite(y)]
    across = _axis(xs, found.log_x, LEFT, WIDTH - RIGHT)
    up = _axis(ys, found.log_y, height - BOTTOM, top)
    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(v):.1f}" y2="{up(v):.1f}" stroke="var(--faint)"/>'
        f'<text x="{LEFT - 8}" y="{up(v) + 4:.1f}" text-anchor="end">{escape(number(v, 3))}</text>'
        for v in _ticks(ys, found.log_y)
    ) + "".join(
        f'<text x="{across(v):.1f}" y="{height - BOTTOM + 18}" text-anchor="middle">'
        f"{escape(number(v, 3))}</text>"
        for v in _ticks(xs, found.log_x)
    )
    drawn = "".join(_line(line, place, across, up) for place, line in enumerate(found.lines))
    frame = (
        f'<text x="{LEFT}" y="18" class="title">{escape(found.title)}</text>'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{height - 8}" text-anchor="middle">'
        f"{escape(found.x)}</text>"
        f'<text transform="translate(14 {(top + height - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(found.y)}</text>"
    )
    return _svg(WIDTH, height, found.title, grid + drawn + names + frame)


def _svg(width: float, height: float, title: str, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{inside}</svg>'
    )


def _colour(place: int) -> str:
    """As the page's style sheet has them: colours for light and dark, seen apart by everybody."""
    return f"var(--c{place % 6})"


def _dash(line: ChartLine) -> str:
    return ' stroke-dasharray="6 4"' if line.dashed else ""


def _legend(lines: tuple[ChartLine, ...]) -> str:
    step, found = (WIDTH - LEFT - RIGHT) / 3, []
    for k, line in enumerate(lines):
        x, y, ink = LEFT + step * (k % 3), TOP + 18 * (k // 3), _colour(k)
        if len(line.points) > 1:
            found.append(
                f'<line x1="{x:.1f}" x2="{x + 22:.1f}" y1="{y}" y2="{y}" stroke="{ink}" stroke-width="2.5"'
                f"{_dash(line)}/>"
            )
        if line.dots:
            found.append(f'<circle cx="{x + 11:.1f}" cy="{y}" r="3.2" fill="{ink}"/>')
        found.append(f'<text x="{x + 28:.1f}" y="{y + 4}">{escape(line.name)}</text>')
    return "".join(found)


def _line(line: ChartLine, place: int, across: Callable[[float], float], up: Callable[[float], float]) -> str:
    inside = [(across(x), up(y)) for x, y in line.points if math.isfinite(y)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in inside)
    ink = _colour(place)
    found = f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2"{_dash(line)}/>'
    if line.dots:
        found += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{ink}"/>' for x, y in inside)
    return found


def _axis(values: list[float], log: bool, start: float, end: float) -> Callable[[float], float]:
    low, high = _range(values, log)

    def place(value: float) -> float:
        at = _scaled(value, log)
        share = 0.5 if high == low else (at - low) / (high - low)
        return start + (end - start) * share

    return place


def _scaled(value: float, log: bool) -> float:
    return math.log10(max(value, LEAST)) if log else value


def _range(values: Iterable[float], log: bool) -> tuple[float, float]:
    found = [_scaled(v, log) for v in values if not log or v > 0] or [0.0]
    low, high = min(found), max(found)
    room = 0.04 * (high - low)
    return low - room, high + room


def _ticks(values: list[float], log: bool) -> list[float]:
    """Four or five round values inside."""
    low, high = _range(values, log)
    if high == low:
        return [10**low if log else low]
    if log:
        step = max(1, math.ceil((high - low) / 5))
        first = math.ceil(low)
        return [10.0**e for e in range(first, math.floor(high) + 1, step)]
    raw = (high - low) / 4
    size = 10 ** math.floor(math.log10(raw))
    step_size = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw)
    return [k * step_size for k in range(math.ceil(low / step_size), math.floor(high / step_size) + 1)]


def graph(found: Graph) -> str:
    """Nodes in columns, edges with their local derivatives."""
    rows = max(len(column) for column in found.columns)
    width, height = 110 + COLUMN * (len(found.columns) - 1), 44 + ROW * rows
    places: dict[str, tuple[float, float]] = {}
    for c, column in enumerate(found.columns):
        gap = ROW * rows / len(column)
        for r, name in enumerate(column):
            places[name] = 55 + COLUMN * c, 38 + gap * (r + 0.5)
    most = max((abs(edge.weight) for edge in found.edges), default=1.0) or 1.0
    lines, labels = [], []
    for k, edge in enumerate(found.edges):
        (x1, y1), (x2, y2) = places[edge.start], places[edge.end]
        ink = _colour(0 if edge.weight >= 0 else 1)
        thick = 1 + 2.5 * abs(edge.weight) / most
        dash = "" if edge.weight >= 0 else ' stroke-dasharray="6 4"'
        lines.append(
            f'<line x1="{x1}" y1="{y1:.1f}" x2="{x2}" y2="{y2:.1f}" stroke="{ink}" '
            f'stroke-width="{thick:.2f}"{dash}/>'
        )
        at = (0.36, 0.5, 0.64)[k % 3]
        x, y = x1 + (x2 - x1) * at, y1 + (y2 - y1) * at
        if edge.label:
            labels.append(_tag(x, y, edge.label, 7.0 * len(edge.label) + 8, 16, "var(--paper)", "none", 12))
    for name, (x, y) in places.items():
        labels.append(
            _tag(x, y, name, max(34.0, 8.2 * len(name) + 14), 26, "var(--paper)", "var(--soft)", 13)
        )
    title = f'<text x="12" y="18" class="title">{escape(found.title)}</text>'
    return _svg(width, height, found.title, title + "".join(lines) + "".join(labels))


def _tag(x: float, y: float, said: str, width: float, height: float, fill: str, ink: str, size: int) -> str:
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height}" '
        f'rx="{height / 2}" fill="{fill}" stroke="{ink}"/>'
        f'<text x="{x:.1f}" y="{y + size / 3:.1f}" text-anchor="middle" '
        f'style="font-size:{size}px">{escape(said)}</text>'
    )
