"""The HTML that a notebook shows during a training or a sweep.

It is drawn again and again, so it is made of SVG and two hundred dots and not of matplotlib's figures.
"""

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from treino.inspection.boundary_preview import BoundaryPreview
from treino.inspection.curves import Curves
from treino.plots.report.charts import curve_charts
from treino.plots.style import PALETTE, colour
from treino.plots.svg import FONT, LETTER, Series, line_chart
from treino.words import _

SIDE = 300  # of the boundary's picture, in its own units
CARD = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:960px;padding:4px 0"
GRID = (
    "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:6px 18px;"
    "align-items:start"
)


@dataclass(frozen=True, eq=False)
class LiveTraining:
    """The state of a running training.

    done: from 0 to 1. figures: named values. left: seconds to the end at this pace, None before there is one.
    curves: by epochs. loss_S: every step's loss, where epochs are too few for a curve. said: what happened,
    where it is over.
    """

    name: str
    done: float
    figures: Mapping[str, str]
    left: float | None = None
    curves: Curves | None = None
    loss_S: np.ndarray | None = None
    glimpse: BoundaryPreview | None = None
    classes: Sequence[str] = ()
    said: Sequence[str] = ()
    alarm: bool = False


def training_html(live: LiveTraining) -> str:
    """The training as HTML: a bar, the figures, the curves, and the boundary of two inputs."""
    charts = []
    if live.loss_S is not None and len(live.loss_S):
        step_S = np.arange(1.0, len(live.loss_S) + 1)
        series = [Series(_("training, every step"), step_S, live.loss_S.astype(np.float64))]
        charts.append(line_chart(series, x_label=_("step"), y_label=_("loss"), alt=_("loss by step")))
    elif live.curves is not None:
        charts = [chart.html for chart in curve_charts([live.curves])]
    if live.glimpse is not None:
        charts.append(boundary_svg(live.glimpse, live.classes))
    cells = "".join(f"<div style='max-width:480px'>{chart}</div>" for chart in charts)
    return (
        f"<div style='{CARD}'>{_head(live.name, live.figures)}{bar(live.done, live.left, live.alarm)}"
        f"{_message_lines(live.said, live.alarm)}<div style='{GRID}'>{cells}</div></div>"
    )


def sweep_html(
    name: str, done: float | None, figures: Mapping[str, str], left: float | None, said: Sequence[str] = ()
) -> str:
    """A sweep as it stands: a bar and its table. done: None while the best is judged."""
    rows = "".join(
        f"<tr><th scope='row' style='text-align:left;font-weight:500;padding:1px 16px 1px 0'>{escape(k)}</th>"
        f"<td style='text-align:left'>{escape(v)}</td></tr>"
        for k, v in figures.items()
    )
    moving = bar(done, left) if done is not None else ""
    return f"<div style='{CARD}'>{_head(name, {})}{moving}{_message_lines(said)}<table>{rows}</table></div>"


def bar(done: float, left: float | None, alarm: bool = False) -> str:
    """How much is done, and how long it may take."""
    ink = "#b3261e" if alarm else PALETTE[0]
    share = 100 * min(max(done, 0.0), 1.0)
    said = "" if left is None else _("at most {time} left").format(time=duration(left))
    return (
        "<div style='display:flex;gap:10px;align-items:center;margin:3px 0 6px'>"
        f"<div role='progressbar' aria-valuenow='{share:.0f}' aria-valuemin='0' aria-valuemax='100' "
        "style='flex:1;max-width:420px;height:7px;border-radius:4px;background:rgba(128,128,128,.28)'>"
        f"<div style='width:{share:.1f}%;height:7px;border-radius:4px;background:{ink}'></div></div>"
        f"<span style='opacity:.75'>{escape(said)}</span></div>"
    )


def duration(seconds: float) -> str:
    """8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return _("{s} s").format(s=whole)
    if whole < 3600:
        return _("{m} min {s} s").format(m=whole // 60, s=whole % 60)
    return _("{h} h {m} min").format(h=whole // 3600, m=whole // 60 % 60)


def _head(name: str, figures: Mapping[str, str]) -> str:
    listed = "".join(
        f" <span style='margin-left:14px;display:inline-block'><span style='opacity:.7'>{escape(k)}</span> "
        f"<span style='font-variant-numeric:tabular-nums'>{escape(v)}</span></span>"
        for k, v in figures.items()
    )
    return f"<div><b>{escape(name)}</b>{listed}</div>"


def _message_lines(lines: Sequence[str], alarm: bool = False) -> str:
    ink = ";color:#c0392b" if alarm else ""
    return "".join(f"<div style='margin:2px 0{ink}'>{escape(line)}</div>" for line in lines)


def boundary_svg(seen: BoundaryPreview, classes: Sequence[str]) -> str:
    """Regions as a small picture, stretched; rows as dots; classes named by their colours."""
    key, x = [], 8.0
    for c, name in enumerate(classes[:8]):
        said = name if len(name) <= 12 else name[:11] + "…"
        key.append(
            f"<rect x='{x:.0f}' y='5' width='10' height='10' rx='2' fill='{colour(c)}'/>"
            f"<text x='{x + 15:.0f}' y='14'>{escape(said)}</text>"
        )
        x += 28 + LETTER * len(said)
    dots = "".join(
        f"<circle cx='{30 + SIDE * a:.1f}' cy='{24 + SIDE * (1 - b):.1f}' r='2.6' fill='{colour(c)}' "
        "stroke='#fff' stroke-width='.7'/>"
        for (a, b), c in zip(seen.at_N2.tolist(), seen.true_N.tolist(), strict=True)
    )
    label = escape(_("decision boundary"), quote=True)
    middle, across, up = 24 + SIDE / 2, *(escape(name[:40]) for name in seen.axis_names)
    return (
        f"<svg viewBox='0 0 {SIDE + 40} {SIDE + 48}' role='img' aria-label='{label}' "
        f"style='width:100%;height:auto;max-width:{SIDE + 40}px' {FONT} fill='currentColor'>"
        f"{''.join(key)}<image x='30' y='24' width='{SIDE}' height='{SIDE}' preserveAspectRatio='none' "
        f"href='data:image/png;base64,{b64encode(regions_png(seen)).decode()}'/>{dots}"
        f"<text x='{30 + SIDE / 2}' y='{SIDE + 41}' text-anchor='middle'>{across}</text>"
        f"<text transform='translate(20 {middle}) rotate(-90)' text-anchor='middle'>{up}</text></svg>"
    )


def regions_png(seen: BoundaryPreview) -> bytes:
    """Each cell in its winner's colour, paler where the network is less sure, grey where it says nothing."""
    from PIL import Image

    count = int(seen.winner_RR.max()) + 1
    ink_C3 = np.array([_rgb(colour(c)) for c in range(max(count, 1))])
    strength = (0.10 + 0.42 * seen.sure_RR)[..., None]
    shade = 255 - strength * (255 - ink_C3[seen.winner_RR.clip(min=0)])
    shade[seen.winner_RR < 0] = 200
    file = io.BytesIO()
    picture = Image.fromarray(shade[::-1].round().astype(np.uint8))
    picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BILINEAR).save(
        file, "png", compress_level=3
    )
    return file.getvalue()


def _rgb(hexadecimal: str) -> tuple[int, ...]:
    return tuple(int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5))
