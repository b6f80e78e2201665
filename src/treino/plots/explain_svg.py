"""SVG pictures in explanations: line charts and graphs of quantities."""

from typing import Any

import numpy as np

from treino.inspection.microscope.explanation import Chart, Graph
from treino.plots.svg import colour, fluid_svg, line, rectangle, text
from treino.plots.svg_charts import Series, line_chart

COLUMN, ROW = 190, 46


def chart(shown: Chart) -> str:
    """Return a line chart with a legend."""
    series = []
    for place, each in enumerate(shown.lines):
        x_N, y_N = np.array(each.points, np.float64).T
        series.append(Series(each.name, x_N, y_N, place, dashed=each.dashed, dots=each.dots))
    names: dict[str, Any] = {"x_label": shown.x, "y_label": shown.y, "alt": shown.title}
    return line_chart(series, **names, logarithmic=shown.log_y, log_x=shown.log_x, whole_x=False)


def graph(shown: Graph) -> str:
    """Return a graph: nodes in columns, edges with their local derivatives."""
    rows = max(len(column) for column in shown.columns)
    size = 110 + COLUMN * (len(shown.columns) - 1), 20 + ROW * rows
    places: dict[str, tuple[float, float]] = {}
    for c, column in enumerate(shown.columns):
        gap = ROW * rows / len(column)
        for r, name in enumerate(column):
            places[name] = 55 + COLUMN * c, 14 + gap * (r + 0.5)
    most = max((abs(edge.weight) for edge in shown.edges), default=1.0) or 1.0
    lines, labels = list[str](), list[str]()
    for k, edge in enumerate(shown.edges):
        start, end = places[edge.start], places[edge.end]
        negative, width = edge.weight < 0, 1 + 2.5 * abs(edge.weight) / most
        dashes = "6 4" if negative else None
        look: dict[str, Any] = {
            "stroke": colour(int(negative)),
            "stroke_width": width,
            "stroke_dasharray": dashes,
        }
        lines.append(line(start, end, **look))
        share = (0.36, 0.5, 0.64)[k % 3]
        x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        if edge.label:
            labels += _tag(x, y, edge.label, 7.0 * len(edge.label) + 8, 16, "none", 12)
    for name, (x, y) in places.items():
        labels += _tag(x, y, name, max(34.0, 8.2 * len(name) + 14), 26, "var(--soft)", 13)
    return fluid_svg(*size, *lines, *labels, alt=shown.title)


def _tag(x: float, y: float, words: str, width: float, height: float, ink: str, size: int) -> list[str]:
    corner = x - width / 2, y - height / 2
    return [
        rectangle(*corner, width, height, rx=height / 2, fill="var(--paper)", stroke=ink),
        text(x, y + size / 3, words, text_anchor="middle", font_size=size),
    ]
