"""HTML for notebooks: cards of runs, sweeps and studies, and a training in progress.

A training in progress is redrawn often, so it is an SVG with 200 dots, not a matplotlib figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from treino.base.text import shortened
from treino.base.words import _
from treino.folders.documents.listing import table_of
from treino.folders.run_curves import curves_of
from treino.folders.stored_run import StoredRun
from treino.inspection.curves import Curves
from treino.inspection.input_planes import Plane
from treino.plots.pixels import data_uri, regions
from treino.plots.report.blocks import Block, ListBlock, Note, Paragraph, TableBlock, blocks_of, cell_text
from treino.plots.report.charts import curve_charts
from treino.plots.report.run import run_blocks
from treino.plots.report.sweep import study_blocks, sweep_blocks
from treino.plots.style import ALARM, PALETTE
from treino.plots.svg import LETTER, circle, colour, fluid_svg, image, rectangle, text, upright_text
from treino.plots.svg_charts import Axis, Series, line_chart
from treino.training.stored_results import StoredStudy, StoredSweep
from treino_doctor.base.markup import tag

# ---- cards of runs, sweeps and studies

CARD = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:960px;padding:4px 0"
GRID = "display:flex;flex-wrap:wrap;gap:6px 24px;align-items:flex-start"
CELL = "text-align:right;padding:2px 0 2px 14px;font-variant-numeric:tabular-nums;background:none"
NAME = "text-align:left;font-weight:500;padding:2px 0;background:none"
WRONG = f"color:{ALARM}"
LEADERS = 8
SHOWN = 30  # maximum number of runs in a list


def run_card(run: StoredRun) -> Markup:
    """Return a run's card: how it ended, its figures and its loss, and all else that is told of it."""
    charts = curve_charts([curves_of(run)])
    blocks = blocks_of(run_blocks(run))
    beside = [_rendered(block) for block in blocks if isinstance(block, TableBlock)]
    beside += [tag("div", charts[0].html, style="flex:1 1 420px;max-width:480px")] if charts else []
    parts = [_rendered(block) for block in blocks if not isinstance(block, TableBlock)]
    parts.insert(1, tag("div", *beside, style=GRID))
    return _card(run.path, f"{run.spec.data.name} · {_(run.status)}", parts, run.status == "diverged")


def sweep_card(sweep: StoredSweep) -> Markup:
    """Return a sweep's card: its leaders, or for several seeds or folds each metric's spread, and what the
    best is worth."""
    blocks = [] if sweep.result is None else blocks_of(sweep_blocks(sweep.result, LEADERS))
    return _card(sweep.path, _(sweep.status), map(_rendered, blocks), sweep.status == "diverged")


def study_card(study: StoredStudy) -> Markup:
    """Return a study's card: the table of its rows, and sentences below."""
    blocks = [] if study.result is None else blocks_of(study_blocks(study.result))
    return _card(study.path, _(study.status), map(_rendered, blocks))


def _card(path: Path, text: str, parts: Iterable[Markup], alarm: bool = False) -> Markup:
    """Return a card: the name of what was trained, the parts below it, and its folder's path at the end."""
    ink = WRONG if alarm else "opacity:.75"
    title = tag("div", tag("b", path.name), " ", tag("span", text, style=ink))
    return tag("div", title, *parts, _line(str(path), "opacity:.7"), style=CARD)


def _line(text: str, look: str | None = None) -> Markup:
    return tag("div", text, style=look)


def runs_table(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Return a table of runs, newest first. rows: of the list of runs."""
    more = len(rows) - SHOWN
    parts = [_table(*table_of(rows[:SHOWN])) if rows else _line(_("No runs yet."))]
    parts += [_line(_("and {n} more").format(n=more), "opacity:.7")] if more > 0 else []
    return tag("div", *parts, style=CARD)


def _rendered(block: Block) -> Markup:
    texts: Iterable[str] = block.items if isinstance(block, ListBlock) else []
    if isinstance(block, Paragraph):
        texts = [block.text]
    elif isinstance(block, Note):
        return tag("div", tag("b", block.title, style=WRONG), " ", " ".join(block.lines))
    elif isinstance(block, TableBlock):
        written = _table(block.head, [[cell_text(cell) for cell in row] for row in block.rows])
        return _line(block.caption) + written if block.caption else written
    return Markup().join(_line(text, "max-width:60em") for text in texts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    plain = "background:none"
    heads = (
        tag("th", name, scope="col", style=f"{CELL if i else NAME};opacity:.7") for i, name in enumerate(head)
    )
    lines = []
    for name, *others in rows:
        cells = (tag("td", cell, style=CELL) for cell in others)
        lines.append(tag("tr", tag("th", name, scope="row", style=NAME), *cells, style=plain))
    parts = tag("thead", tag("tr", *heads, style=plain)), tag("tbody", *lines)
    table = tag("table", *parts, style="border-collapse:collapse;margin:4px 0")
    return tag("div", table, style="overflow-x:auto")


# ---- a training or sweep in progress

SIDE = 300  # side of the boundary's picture, in SVG units
PROGRESS_GRID = (
    "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:6px 18px;"
    "align-items:start"
)


@dataclass(frozen=True, eq=False)
class LiveTraining:
    """The state of a running training.

    done: the share done, 0 to 1. figures: metrics by name. left: estimated seconds to the end, None before an
    estimate. curves: per epoch. loss_S: each step's loss, if the epochs are too few for a curve. messages:
    what happened, once the training is over.
    """

    name: str
    done: float
    figures: Mapping[str, str]
    left: float | None = None
    curves: Curves | None = None
    loss_S: np.ndarray | None = None
    boundary: Plane | None = None
    messages: Sequence[str] = ()
    alarm: bool = False


def training_html(live: LiveTraining) -> Markup:
    """Return the training as HTML: progress bar, metrics, curves, and the boundary of two inputs."""
    charts = []
    if live.loss_S is not None and len(live.loss_S):
        step_S = np.arange(1.0, len(live.loss_S) + 1)
        series = [Series(_("training, every step"), step_S, live.loss_S.astype(np.float64))]
        charts.append(line_chart(series, x_label=_("step"), y_label=_("loss"), alt=_("loss by step")))
    elif live.curves is not None:
        charts = [chart.html for chart in curve_charts([live.curves])]
    if live.boundary is not None:
        charts.append(boundary_svg(live.boundary))
    cells = (tag("div", chart, style="max-width:480px") for chart in charts)
    grid = tag("div", *cells, style=PROGRESS_GRID)
    moving = bar(live.done, live.left, live.alarm)
    return _progress(live.name, live.figures, moving, live.messages, grid, live.alarm)


def sweep_html(
    name: str,
    done: float | None,
    figures: Mapping[str, str],
    left: float | None,
    messages: Sequence[str] = (),
) -> Markup:
    """Return a running sweep as HTML: progress bar and table. done: None while the best is judged."""
    name_look = "text-align:left;font-weight:500;padding:1px 16px 1px 0"
    rows = (
        tag("tr", tag("th", k, scope="row", style=name_look), tag("td", v, style="text-align:left"))
        for k, v in figures.items()
    )
    moving = bar(done, left) if done is not None else Markup()
    return _progress(name, {}, moving, messages, tag("table", *rows))


def _progress(
    name: str,
    figures: Mapping[str, str],
    moving: Markup,
    messages: Sequence[str],
    below: Markup,
    alarm: bool = False,
) -> Markup:
    title = [tag("b", name)]
    for k, v in figures.items():
        value = tag("span", v, style="font-variant-numeric:tabular-nums")
        pair = tag("span", k, style="opacity:.7") + " " + value
        title.append(" " + tag("span", pair, style="margin-left:14px;display:inline-block"))
    lines = (_line(each, "margin:2px 0" + (f";{WRONG}" if alarm else "")) for each in messages)
    return tag("div", tag("div", *title), moving, *lines, below, style=CARD)


def bar(done: float, left: float | None, alarm: bool = False) -> Markup:
    """Return a progress bar with the estimated time left."""
    ink = ALARM if alarm else PALETTE[0]
    share = 100 * min(max(done, 0.0), 1.0)
    remaining = "" if left is None else _("at most {time} left").format(time=duration(left))
    whole = tag(
        "div",
        tag("div", style=f"width:{share:.1f}%;height:7px;border-radius:4px;background:{ink}"),
        role="progressbar",
        aria_valuenow=f"{share:.0f}",
        aria_valuemin="0",
        aria_valuemax="100",
        style="flex:1;max-width:420px;height:7px;border-radius:4px;background:rgba(128,128,128,.28)",
    )
    look = "display:flex;gap:10px;align-items:center;margin:3px 0 6px"
    return tag("div", whole, tag("span", remaining, style="opacity:.75"), style=look)


def duration(seconds: float) -> str:
    """Format seconds as 8 s, 3 min 20 s or 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return _("{s} s").format(s=whole)
    if whole < 3600:
        return _("{m} min {s} s").format(m=whole // 60, s=whole % 60)
    return _("{h} h {m} min").format(h=whole // 3600, m=whole // 60 % 60)


def boundary_svg(plane: Plane) -> Markup:
    """Return regions as a small stretched picture, rows as dots, class names in their colours."""
    left, top, cell = 30, 24, SIDE / (len(plane.x_R) - 1)
    parts, x = list[Markup](), 8.0
    for c, name in enumerate(plane.classes[:8]):
        words = shortened(name, 12)
        parts += [rectangle(x, 5, 10, 10, rx=2, fill=colour(c)), text(x + 15, 14, words)]
        x += 28 + LETTER * len(words)
    # the centres of the outermost pixels lie on the frame
    side, uri = SIDE + cell, data_uri(regions(plane.probability_RRC), upwards=True)
    parts.append(image(left - cell / 2, top - cell / 2, side, side, uri))
    across = Axis(plane.x_R[0], plane.x_R[-1], left, left + SIDE)
    up = Axis(plane.y_R[0], plane.y_R[-1], top + SIDE, top)
    for points in plane.points:
        place_NK = zip(across.place(points.at_NK[:, 0]), up.place(points.at_NK[:, 1]), strict=True)
        for (px, py), c in zip(place_NK, points.true_N.astype(int), strict=True):
            parts.append(circle(px, py, 2.6, fill=colour(c), stroke="#fff", stroke_width=0.7))
    x_name, y_name = (shortened(name, 40) for name in plane.axes.axis_names)
    parts.append(text(across.middle, SIDE + 41, x_name, text_anchor="middle"))
    parts.append(upright_text(20, up.middle, y_name))
    return fluid_svg(SIDE + 40, SIDE + 48, *parts, alt=_("decision boundary"))
