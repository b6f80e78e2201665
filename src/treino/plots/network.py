"""The diagram of a network as SVG: each unit's response over the inputs, joined by weights.

One self-contained file for light and dark mode; hovering over a part shows its numbers.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from treino.base.text import shortened, that_hold
from treino.base.words import _, numeral
from treino.data.splits import split_name
from treino.inspection.unit_responses import UnitColumn, UnitDiagram
from treino.plots.pixels import data_uri, largest, photograph, regions, rgba, tile
from treino.plots.style import FAINT, colour, percent, rgb
from treino.plots.svg import circle, image, line, rectangle, svg, text, title, upright_text
from treino_doctor.base.markup import tag, verbatim

# ---- the diagram of a network as SVG

NARROWEST = 860
NODE, PITCH, COLUMN = 38, 47, 146  # pixels: size of a unit's image, spacing of units, spacing of layers
LEFT, OUT, PANEL, EDGE = 172, 142, 250, 28
DOTS = 150  # rows drawn in the output panel
LETTER = 6.9  # pixels per character of running text
HEADING = 17  # characters of a heading that don't reach into the next column

STYLE = """
.net { max-width: 100%; height: auto; --ink: #1b2733; --soft: #52616f; --faint: #dfe5ea; --paper: #ffffff; --over: #0072b2; --under: #e69f00;
  --alarm: #b3261e; font-family: system-ui, -apple-system, "Segoe UI", sans-serif; }
@media (prefers-color-scheme: dark) { .net { --ink: #e6edf3; --soft: #9fb0bf; --faint: #2b3947; --paper: #10171e;
  --over: #56b4e9; --under: #e69f00; --alarm: #ff8a80; } .net image.seen { filter: brightness(1.15); } }
.net text { fill: var(--ink); font-size: 13px; } .net .soft { fill: var(--soft); } .net .small { font-size: 11.5px; }
.net .title { font-size: 18px; font-weight: 700; } .net .head { font-weight: 600; } .net .alarm { fill: var(--alarm); }
.net .kernel { image-rendering: pixelated; }
.net .middle { text-anchor: middle; } .net .end { text-anchor: end; }
.net .frame { fill: var(--paper); stroke: var(--soft); stroke-width: 1; } .net .over { fill: none; stroke: var(--soft); }
.net .dead { stroke: var(--alarm); stroke-dasharray: 3 3; }
.net .edge { fill: none; } .net .p { stroke: var(--over); } .net .n { stroke: var(--under); } .net .s { stroke: var(--soft); }
.net .pf { fill: var(--over); } .net .nf { fill: var(--under); }
.net:has(.unit:hover) .edge { stroke-opacity: .04; } .net .unit:hover .edge { stroke-opacity: 1; } .net .unit:hover .over { stroke: var(--ink); stroke-width: 2; }
.net .dot { stroke: var(--paper); stroke-width: 1; } .net .wrong { stroke: var(--ink); stroke-width: 1.6; }
"""  # noqa: E501


@dataclass(frozen=True)
class DiagramLayout:
    """Positions in the diagram, in pixels."""

    width: int
    height: int
    top: int
    middle: float

    def x(self, stage: int) -> float:
        return LEFT + stage * COLUMN

    def y(self, unit: int, units: int) -> float:
        """Return the vertical centre of a unit's image."""
        return self.middle + (unit - (units - 1) / 2) * PITCH


def network_svg(shown: UnitDiagram) -> Markup:
    """Return the diagram as the text of an SVG file."""
    stages = shown.stages
    columns = len(stages) + (1 if shown.mean_item is not None else 0)
    width = max(NARROWEST, LEFT + max(columns - 1, 0) * COLUMN + NODE + OUT + PANEL + EDGE)
    lines = [
        line for sentence in sentences(shown) for line in textwrap.wrap(sentence, int((width - 40) / LETTER))
    ]
    top = 76 + 19 * (len(lines) + 1)
    most = max((len(stage.units_K) for stage in stages), default=1)
    body = max(most * PITCH, PANEL + 90)
    place = DiagramLayout(width, top + 44 + body + 44, top, top + 44 + body / 2)
    heading = _("Inside the network: {name}").format(name=_short(shown.name, 60))
    parts = [
        verbatim("style", STYLE),
        rectangle(0, 0, width, place.height, fill="var(--paper)"),
        text(20, 34, heading, class_="title"),
        *(text(20, 58 + 19 * k, words, class_="soft") for k, words in enumerate(lines)),
        *_key(58 + 19 * len(lines)),
    ]
    first = int(shown.mean_item is not None)
    parts += _picture_box(shown, place) if first else []
    for k in range(len(stages)):
        parts += _stage(shown, place, k, first)
    parts += _panel(shown, place, columns)
    size: dict[str, Any] = {"width": width, "height": place.height, "class_": "net"}
    inside = Markup("\n").join(["", *parts])
    return svg(width, place.height, inside, alt=heading, xmlns="http://www.w3.org/2000/svg", **size) + "\n"


def sentences(shown: UnitDiagram) -> list[str]:
    """Return what the images show, over which inputs, how units were chosen, and what is omitted."""
    look = shown.sight
    names = [_short(name, 40) for name in look.axis_names]
    if len(names) == 1:
        plane = _("Each small picture: what a unit gives over {x}.").format(x=names[0])
    elif look.view == "components":
        plane = _(
            "Each small picture: what a unit gives on the plane of the inputs' two main directions "
            "({n:,} training rows)."
        ).format(n=look.view_rows)
    elif look.view == "important":
        plane = _(
            "Each small picture: what a unit gives over {x} (across) and {y} (up), the two inputs whose "
            "plane is most like the network ({n:,} {split} rows); the others stay at what is usual in "
            "training rows."
        ).format(x=names[0], y=names[1], n=look.view_rows, split=split_name(look.view_split))
    else:
        plane = _("Each small picture: what a unit gives over {x} (across) and {y} (up).").format(
            x=names[0], y=names[1]
        )
    stages = shown.stages
    cut = [stage.total > len(stage.units_K) for stage in stages]
    inputs = bool(stages) and not stages[0].name
    finite = all(np.isfinite(values).all() for values in (shown.said_RRC, *(s.seen_KRR for s in stages)))
    dead = sum(int(stage.dead_K.sum()) for stage in stages[1:-1])
    said = {
        _("In the first layer the pictures are its weights on the pixels."): any(
            stage.tile_K is not None for stage in stages
        ),
        _("The last layer's show each class's probability in the class's own colour."): bool(
            shown.classes and stages and stages[-1].name and stages[-1].labels
        ),
        _(
            "Of a large layer those units that move the next one most: the deviation of what they give "
            "on {n:,} training rows, times the length of the weights that lead on."
        ): any(cut),
        _("Of the inputs also those that the pictures lie over, for no others change in them."): (
            inputs and look.view != "components" and cut[0]
        ),
        _("No lines where no matrix of weights leads from unit to unit."): any(
            stage.weight_KJ is None for stage in stages[1:]
        ),
        _("Grey: what comes out is not finite there."): not finite,
        _("Dashed: units that give the same on all {n:,} training rows ({dead} shown)."): dead > 0,
    }
    return [plane, *that_hold(said, n=shown.rows, dead=dead), *shown.notes]


def _key(y: int) -> Iterator[Markup]:
    """Yield the key: the meaning of lines and colours."""
    x = 20
    for kind, words in (("p", _("positive")), ("n", _("negative"))):
        yield line((x, y - 4), (x + 26, y - 4), class_=kind, stroke_width=4)
        yield text(x + 33, y, words, class_="soft")
        x += 50 + int(LETTER * len(words)) + 8
    words = _("lines are weights, the thicker the larger (in each layer); the small square is the bias")
    yield text(x, y, words, class_="soft")


def _stage(shown: UnitDiagram, place: DiagramLayout, k: int, first: int) -> Iterator[Markup]:
    """Yield a layer: its heading, and each unit's incoming edges, image and bias."""
    stage, x = shown.stages[k], place.x(k + first)
    units = len(stage.units_K)
    whole = title(stage.name + ": " + stage.what if stage.name else stage.what)
    middle = x + NODE / 2
    counted = (_("{k} of {n}") if stage.total > units else _("{n}")).format(k=units, n=stage.total)
    above = _heading(stage.what, middle, place.top + 14)
    yield tag("g", whole, *above, text(middle, place.top + 31, counted, class_="soft small middle"))
    most = largest(stage.tile_K if stage.tile_K is not None else stage.seen_KRR)
    bias = float(np.abs(stage.bias_K).max() or 1.0) if stage.bias_K is not None else 1.0
    last = k == len(shown.stages) - 1 and bool(stage.name)
    kernel = stage.tile_K is not None and stage.tile_K.shape[-1] < NODE / 2
    look = "seen kernel" if kernel else "seen"
    for u in range(units):
        y = place.y(u, units)
        parts = [
            title(_unit_title(shown, stage, u)),
            image(x, y - NODE / 2, NODE, NODE, _thumbnail(shown, stage, u, most, last), class_=look),
        ]
        frame = "over dead" if stage.dead_K[u] and k + first > 0 and not last else "over"
        parts.append(rectangle(x, y - NODE / 2, NODE, NODE, rx=3, class_=frame))
        if stage.bias_K is not None:
            value = float(stage.bias_K[u])
            opacity = 0.15 + 0.85 * min(1.0, abs(value) / bias) if np.isfinite(value) else 0
            kind = "pf" if value > 0 else "nf"
            parts.append(rectangle(x - 9, y + NODE / 2 - 7, 7, 7, class_=kind, fill_opacity=opacity))
        yield tag("g", *_edges(shown, place, k, first, u), tag("g", *parts), class_="unit")
        if stage.labels and k + first == 0:
            yield _label(x - 14, y + 4, stage.labels[u], 18, "end")
        elif stage.labels and last:
            if shown.classes:
                ink = colour(_class_of(shown, stage, u))
                yield rectangle(x + NODE + 8, y - 5, 10, 10, rx=2, fill=ink)
            yield _label(x + NODE + 23, y + 4, stage.labels[u], 13, None)
    if stage.total > units:
        more = _("+{n} more").format(n=stage.total - units)
        yield text(middle, place.y(units - 1, units) + NODE / 2 + 19, more, class_="soft small middle")


def _heading(what: str, x: float, y: float) -> Iterator[Markup]:
    """Yield the words above a layer, on one or two lines; the last line is at ``y``."""
    lines = textwrap.wrap(_plain(what), HEADING)
    if len(lines) > 2:
        lines = [lines[0], _short(" ".join(lines[1:]), HEADING)]
    for k, words in enumerate(lines):
        yield text(x, y - 17 * (len(lines) - 1 - k), words, class_="head middle")


def _edges(shown: UnitDiagram, place: DiagramLayout, k: int, first: int, unit: int) -> Iterator[Markup]:
    """Yield a unit's incoming edges; from pixel inputs one edge, as thick as the norm of their weights."""
    stage = shown.stages[k]
    x, y = place.x(k + first), place.y(unit, len(stage.units_K))
    if stage.weight_KJ is not None:
        before, most = shown.stages[k - 1], float(np.abs(stage.weight_KJ).max() or 1.0)
        x_from = place.x(k + first - 1) + NODE
        for j, weight in enumerate(stage.weight_KJ[unit].tolist()):
            y_from = place.y(j, len(before.units_K))
            words = f"{_unit_name(before, j)} → {_unit_name(stage, unit)}: {_signed(weight)}"
            yield _edge(x_from, y_from, x, y, "p" if weight > 0 else "n", abs(weight) / most, words)
    elif k == 0 and first and np.isfinite(stage.norm_K).any():
        share = float(stage.norm_K[unit] / (np.nanmax(stage.norm_K) or 1.0))
        words = _("length of all weights to {unit}: {value}").format(
            unit=_unit_name(stage, unit), value=numeral(float(stage.norm_K[unit]))
        )
        yield _edge(LEFT, place.middle, x, y, "s", share, words)


def _edge(x1: float, y1: float, x2: float, y2: float, sign: str, share: float, words: str) -> Markup:
    bend = (x2 - x1) / 2
    share = share if np.isfinite(share) else 0.0
    return tag(
        "path",
        title(words),
        class_=f"edge {sign}",
        stroke_width=0.4 + 4.2 * share,
        stroke_opacity=0.06 + 0.74 * share**1.4,
        d=f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}",
    )


def _thumbnail(shown: UnitDiagram, stage: UnitColumn, unit: int, most: float, last: bool) -> str:
    if stage.tile_K is not None:
        weight_CHW = stage.tile_K[unit]
        pixels = tile(weight_CHW, most) if len(weight_CHW) == 3 else rgba(weight_CHW.mean(axis=0), most)
        return data_uri(pixels)
    if last and shown.classes and stage.labels:
        number_of = _class_of(shown, stage, unit)
        share_RR = shown.said_RRC[:: max(1, len(shown.fine_y_R) // 40), ::3, number_of]
        pixels = np.empty((*share_RR.shape, 4))
        pixels[..., :3], pixels[..., 3] = rgb(colour(number_of)), np.clip(share_RR, 0, 1)
        pixels[~np.isfinite(share_RR)] = (*rgb(FAINT), 1.0)
        return data_uri(pixels, upwards=True)
    return data_uri(rgba(stage.seen_KRR[unit], most), upwards=True)


def _panel(shown: UnitDiagram, place: DiagramLayout, columns: int) -> Iterator[Markup]:
    """Yield the last panel: the network's output over the same inputs, with held-out rows."""
    x = LEFT + max(columns - 1, 0) * COLUMN + NODE + OUT
    flat = len(shown.fine_y_R) == 1
    side, height = PANEL, 70 if flat else PANEL
    y = place.middle - height / 2
    away = shown.said_RRC[..., 0] - shown.target_mean
    pixels = regions(shown.said_RRC) if shown.classes else rgba(away, largest(away))
    yield image(x, y, side, height, data_uri(pixels, upwards=True), class_="seen")
    yield rectangle(x, y, side, height, class_="over")
    yield text(x + side / 2, y - 30, _("what the network says"), class_="head middle")
    points = shown.points[-1] if shown.points else None
    if points is not None:
        drawn = np.linspace(0, len(points) - 1, min(DOTS, len(points))).round().astype(int)
        counted = _("{n:,} {split} rows on it").format(n=len(drawn), split=split_name(points.split))
        yield text(x + side / 2, y - 12, counted, class_="soft small middle")
        low, high = shown.fine_x_R[[0, -1]]
        for i in drawn.tolist():
            across = x + side * (points.at_NK[i, 0] - low) / (high - low)
            up = y + height * (0.2 + 0.6 * ((i * 0.618034) % 1))
            if not flat:
                bottom, top = shown.fine_y_R[[0, -1]]
                up = y + height * (1 - (points.at_NK[i, 1] - bottom) / (top - bottom))
            true, guess = points.true_N[i], points.predicted_N[i]
            ink, wrong = "var(--soft)", False
            words = f"{numeral(float(true))} · {_('said')} {numeral(float(guess))}"
            if shown.classes:
                ink, wrong = colour(int(true)), true != guess
                said = shown.classes[int(guess)] if guess >= 0 else "–"
                words = shown.classes[int(true)] + (f" · {_('said')} {said}" if wrong else "")
            kind, size = ("dot wrong", 4) if wrong else ("dot", 3.4)
            words = _("row {n}: {what}").format(n=int(points.index_N[i]), what=_plain(words))
            yield circle(across, up, size, title(words), class_=kind, fill=ink)
    names = [_short(name, 34) for name in shown.sight.axis_names]
    yield text(x + side / 2, y + height + 20, names[0], class_="soft middle")
    if not flat:
        yield upright_text(x - 10, y + height / 2, names[1], class_="soft")
    if not shown.classes:
        words = _("{target}: blue above its mean {mean}, orange below").format(
            target=_short(shown.target, 12), mean=numeral(shown.target_mean)
        )
        yield text(x + side / 2, y + height + 40, words, class_="soft small middle")


def _picture_box(shown: UnitDiagram, place: DiagramLayout) -> Iterator[Markup]:
    """Yield one box for all pixel inputs, with the mean image of the training rows."""
    assert shown.mean_item is not None
    item = shown.mean_item.reshape(-1, *shown.mean_item.shape[-2:])
    low, high = float(np.nanmin(item)), float(np.nanmax(item))
    pixels = photograph((item - low) / ((high - low) or 1.0))
    side = 104
    shape = " × ".join(str(n) for n in shown.mean_item.shape)
    y = place.middle - side / 2
    yield tag(
        "g",
        title(_("the mean of {n:,} training rows").format(n=shown.rows)),
        image(44, y, side, side, data_uri(pixels), class_="seen"),
        rectangle(44, y, side, side, rx=3, class_="over"),
    )
    if shown.stages and np.isfinite(shown.stages[0].norm_K).any():
        yield line((44 + side, place.middle), (LEFT, place.middle), class_="s")
    pixels_said = _("{n} inputs").format(n=int(np.prod(shown.mean_item.shape)))
    yield text(44 + side / 2, y - 28, pixels_said, class_="head middle")
    yield text(44 + side / 2, y - 11, shape, class_="soft small middle")


def _class_of(shown: UnitDiagram, stage: UnitColumn, unit: int) -> int:
    return len(shown.classes) - 1 if stage.total == 1 else int(stage.units_K[unit])


def _unit_name(stage: UnitColumn, unit: int) -> str:
    if stage.labels:
        return _plain(stage.labels[unit])
    return _("unit {n}").format(n=int(stage.units_K[unit]))


def _signed(value: float) -> str:
    """Format a value with its sign, also a plus."""
    return numeral(value) if value < 0 else f"+{numeral(value)}"


def _unit_title(shown: UnitDiagram, stage: UnitColumn, unit: int) -> str:
    """Return the text shown when the pointer is on a unit."""
    seen, bias, norm = stage.seen_KRR[unit], stage.bias_K, float(stage.norm_K[unit])
    finite = seen[np.isfinite(seen)]
    lines = [_unit_name(stage, unit), _("not finite here")]
    if finite.size:
        low, high = numeral(float(finite.min())), numeral(float(finite.max()))
        lines[1] = _("gives {low} to {high} here").format(low=low, high=high)
    if bias is not None:
        lines.append(_("bias {value}").format(value=_signed(float(bias[unit]))))
    if np.isfinite(norm):
        lines.append(_("length of its weights {value}").format(value=numeral(norm)))
    if (active := float(stage.active_K[unit])) < 1:
        words = _("not 0 on {share} of {n:,} training rows")
        lines.append(words.format(share=percent(active), n=shown.rows))
    return "\n".join(lines)


def _label(x: float, y: float, name: str, most: int, kind: str | None) -> Markup:
    """Return a shortened name whose full text shows when the pointer is on it."""
    short, whole = _short(name, most), _plain(name)
    return text(x, y, short, *([title(whole)] if whole != short else ()), class_=kind)


def _plain(text: str) -> str:
    """Return the text on one line, without characters that a file can't hold."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _short(text: str, most: int) -> str:
    return shortened(_plain(text), most)
