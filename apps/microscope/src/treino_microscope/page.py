"""An explanation as a self-contained HTML page: MathML formulas, SVG pictures, light and dark mode."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from treino.base.formula import Formula
from treino.base.words import _
from treino.plots import Series, colour, fluid_svg, html_page, line, line_chart, rectangle
from treino.plots import text as svg_text
from treino_doctor.base.markup import tag
from treino_microscope.explanation import Chart, Explanation, Graph, Step
from treino_microscope.formula_text import DIGITS, MATHML, formula_lines, text
from treino_microscope.text import WrittenTable, checks_table, step_table, verdict

COLUMN, ROW = 190, 46  # pixels from node to node of a graph
MARKS = {"✓": "ok", "✗": "failed"}
STYLE = """
body { max-width: 54rem; }
h2 { border-top: 1px solid var(--faint); padding-top: 1.2rem; margin-top: 2rem; }
section.step { margin: 1.1rem 0 1.4rem; } section.step > h3 { font-size: 1rem; font-weight: 600; margin: 0 0 .2rem; }
.formula { overflow-x: auto; padding: .35rem 0 .35rem 1rem; border-left: 3px solid var(--faint); }
.formula math { font-size: 1.08rem; } .formula mtd { text-align: left; padding: .28rem .2rem; vertical-align: baseline; }
.formula math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "Libertinus Math", serif; }
.formula mi.v { font-family: "STIX Two Text", "Times New Roman", "Liberation Serif", serif; font-style: italic; }
.formula mtd:first-child { text-align: right; } .formula mtr.numbers { color: var(--soft); } .formula .stack mtd { padding: .24rem .15rem; }
.formula .value { color: var(--bar); font-weight: 700; } .formula mtext.dots { font-size: .8em; padding: 0 .3em; }
.wrong .formula { border-left-color: var(--alarm); } .wrong > h3::before { content: attr(data-wrong); color: var(--alarm); margin-right: .5em; }
pre { overflow-x: auto; background: color-mix(in srgb, var(--faint) 45%, transparent); padding: .7rem .9rem; border-radius: 4px; font-size: 13px; margin: .4rem 0; }
section.step table { width: auto; margin-top: .5rem; font-size: 14px; } figure { margin: .6rem 0; } figcaption { font-weight: 600; }
.checks td.ok { color: #0a7d55; font-weight: 700; } .checks td.failed { color: var(--alarm); font-weight: 700; }
p.verdict { font-weight: 600; padding: .5rem .8rem; border-left: 4px solid #0a7d55; } p.verdict.failed { border-color: var(--alarm); background: var(--warn); }
ol.sources { padding-left: 1.2rem; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
.checks td.ok { color: #5fd3a5; } p.verdict { border-color: #5fd3a5; } }
"""  # noqa: E501


def explain_page(explanation: Explanation, digits: int = DIGITS) -> Markup:
    """Return the whole page."""
    parts = [tag("h1", explanation.title), tag("p", explanation.about, class_="soft")]
    for part in explanation.parts:
        parts += [tag("h2", part.title), *(_step(step, digits) for step in part.steps)]
    parts += [
        tag("h2", _("Checked")),
        _table(checks_table(explanation.checks, digits), "checks"),
        tag("p", verdict(explanation).plain, class_="verdict" if explanation.holds else "verdict failed"),
    ]
    if sources := [tag("li", source) for source in explanation.sources]:
        parts += [tag("h2", _("Sources")), tag("ol", *sources, class_="sources")]
    return html_page(explanation.title, *parts, style=STYLE)


def _step(step: Step, digits: int) -> Markup:
    inside = [tag("h3", step.title, data_wrong=_("not so:") if step.wrong else None)]
    if step.text:
        inside.append(tag("p", step.text, class_="soft"))
    if step.code:
        inside.append(tag("pre", step.code.rstrip()))
    if step.formula is not None:
        inside.append(_formula(step.formula, digits))
    if step.table is not None:
        inside.append(_table(step_table(step.table, digits)))
    if step.picture is not None:
        drawn = _chart(step.picture) if isinstance(step.picture, Chart) else _graph(step.picture)
        inside.append(tag("figure", tag("figcaption", step.picture.title), drawn))
    return tag("section", *inside, class_="step wrong" if step.wrong else "step")


def _formula(formula: Formula, digits: int) -> Markup:
    lines = (
        tag("mtr", tag("mtd", left), tag("mtd", tag("mo", "=")), tag("mtd", right), class_=kind)
        for kind, left, right in formula_lines(formula, MATHML, digits)
    )
    spoken = f"{text(formula.left)} = {text(formula.right)}"
    table = tag("mtable", *lines, displaystyle="true")
    drawn = tag("math", table, display="inline", displaystyle="true", alttext=spoken)
    return tag("div", drawn, class_="formula", tabindex="0")


def _table(table: WrittenTable, kind: str | None = None) -> Markup:
    classes = [None if left else "number" for left in table.left]

    def row(name: str, cells: Sequence[str]) -> Markup:
        marked = (MARKS.get(cell, of) for cell, of in zip(cells, classes, strict=True))
        return tag("tr", *(tag(name, c, class_=of) for c, of in zip(cells, marked, strict=True)))

    rows = [row("td", cells) for cells in table.rows]
    if table.more:
        rows.append(tag("tr", tag("td", table.more, class_="soft", colspan=len(classes))))
    whole = tag("table", tag("thead", row("th", table.headings)), tag("tbody", *rows), class_=kind)
    return tag("div", whole, class_="scroll")


# ---- pictures


def _chart(shown: Chart) -> Markup:
    """Return a line chart with a legend."""
    series = []
    for place, each in enumerate(shown.lines):
        x_N, y_N = np.array(each.points, np.float64).T
        series.append(Series(each.name, x_N, y_N, place, dashed=each.dashed, dots=each.dots))
    names: dict[str, Any] = {"x_label": shown.x, "y_label": shown.y, "alt": shown.title}
    return line_chart(series, **names, log_x=shown.log_x, whole_x=False)


def _graph(shown: Graph) -> Markup:
    """Return a graph: nodes in columns, edges with their local derivatives."""
    rows = max(len(column) for column in shown.columns)
    size = 110 + COLUMN * (len(shown.columns) - 1), 20 + ROW * rows
    places: dict[str, tuple[float, float]] = {}
    for c, column in enumerate(shown.columns):
        gap = ROW * rows / len(column)
        for r, name in enumerate(column):
            places[name] = 55 + COLUMN * c, 14 + gap * (r + 0.5)
    most = max((abs(edge.weight) for edge in shown.edges), default=1.0) or 1.0
    lines, labels = list[Markup](), list[Markup]()
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


def _tag(x: float, y: float, words: str, width: float, height: float, ink: str, size: int) -> list[Markup]:
    corner = x - width / 2, y - height / 2
    return [
        rectangle(*corner, width, height, rx=height / 2, fill="var(--paper)", stroke=ink),
        svg_text(x, y + size / 3, words, text_anchor="middle", font_size=size),
    ]
