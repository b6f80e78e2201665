"""The diagram of a network as SVG: each unit's response over the inputs, joined by weights.

One file, nothing loaded, in light and dark; each part says its numbers when the pointer is on it.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

from treino.inspection.unit_responses import UnitColumn, UnitDiagram
from treino.plots.signed_colours import data_uri, largest, rgba, tile
from treino.plots.style import FAINT, colour, percent, rgb, split_name
from treino.words import _, numeral

NARROWEST = 860
NODE, PITCH, COLUMN = 38, 47, 146  # pixels: a unit's picture, from unit to unit, from layer to layer
LEFT, OUT, PANEL, EDGE = 172, 142, 250, 28
DOTS = 150  # rows drawn on the last picture
LETTER = 6.9  # pixels that a letter takes in running text

STYLE = """
.net { max-width: 100%; height: auto; --ink: #1b2733; --soft: #52616f; --faint: #dfe5ea; --paper: #ffffff; --over: #0072b2; --under: #e69f00;
  --alarm: #b3261e; font-family: system-ui, -apple-system, "Segoe UI", sans-serif; }
@media (prefers-color-scheme: dark) { .net { --ink: #e6edf3; --soft: #9fb0bf; --faint: #2b3947; --paper: #10171e;
  --over: #56b4e9; --under: #e69f00; --alarm: #ff8a80; } .net image.seen { filter: brightness(1.15); } }
.net text { fill: var(--ink); font-size: 13px; } .net .soft { fill: var(--soft); } .net .small { font-size: 11.5px; }
.net .title { font-size: 18px; font-weight: 700; } .net .head { font-weight: 600; } .net .alarm { fill: var(--alarm); }
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
    """Where things stand, in pixels."""

    width: int
    height: int
    top: int
    middle: float

    def x(self, stage: int) -> float:
        return LEFT + stage * COLUMN

    def y(self, unit: int, units: int) -> float:
        """The middle of a unit's picture."""
        return self.middle + (unit - (units - 1) / 2) * PITCH


def network_svg(shown: UnitDiagram) -> str:
    """The whole diagram as the text of an SVG file."""
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
    title = _("Inside the network: {name}").format(name=_short(shown.name, 60))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="net" width="{width}" height="{place.height}" '
        f'viewBox="0 0 {width} {place.height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{place.height}" fill="var(--paper)"/>',
        f'<text class="title" x="20" y="34">{escape(title)}</text>',
        *(f'<text class="soft" x="20" y="{58 + 19 * k}">{escape(t)}</text>' for k, t in enumerate(lines)),
        *_key(58 + 19 * len(lines)),
    ]
    first = 0
    if shown.mean_item is not None:
        parts += _picture_box(shown, place)
        first = 1
    for k in range(len(stages)):
        parts += _stage(shown, place, k, first)
    parts += _panel(shown, place, columns)
    return "\n".join([*parts, "</svg>\n"])


def sentences(shown: UnitDiagram) -> list[str]:
    """What is seen, along which inputs, by which rule units were chosen, and what is left out."""
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
            "Each small picture: what a unit gives over {x} (across) and {y} (up), the two inputs that "
            "matter most ({n:,} {split} rows shuffled); the others stay at what is usual in training rows."
        ).format(x=names[0], y=names[1], n=look.view_rows, split=split_name(look.view_split))
    else:
        plane = _("Each small picture: what a unit gives over {x} (across) and {y} (up).").format(
            x=names[0], y=names[1]
        )
    said = [plane]
    if any(stage.tile_K is not None for stage in shown.stages):
        said.append(_("In the first layer the pictures are its weights on the pixels."))
    if shown.classes and shown.stages and shown.stages[-1].name and shown.stages[-1].labels:
        said.append(_("The last layer's show each class's probability in the class's own colour."))
    if any(stage.total > len(stage.units_K) for stage in shown.stages):
        said.append(
            _(
                "Of a large layer those units that move the next one most: the deviation of what they give "
                "on {n:,} training rows, times the length of the weights that lead on."
            ).format(n=shown.rows)
        )
    inputs = shown.stages[0] if shown.stages and not shown.stages[0].name else None
    if inputs is not None and look.view != "components" and inputs.total > len(inputs.units_K):
        said.append(_("Of the inputs also those that the pictures lie over, for no others change in them."))
    if any(stage.weight_KJ is None for stage in shown.stages[1:]):
        said.append(_("No lines where no matrix of weights leads from unit to unit."))
    if not all(np.isfinite(values).all() for values in (shown.said_RRC, *(s.seen_KRR for s in shown.stages))):
        said.append(_("Grey: what comes out is not finite there."))
    dead = sum(int(stage.dead_K.sum()) for stage in shown.stages[1:-1])
    if dead:
        said.append(
            _("Dashed: units that give the same on all {n:,} training rows ({dead} shown).").format(
                n=shown.rows, dead=dead
            )
        )
    return [*said, *shown.notes]


def _key(y: int) -> Iterator[str]:
    """What lines and colours mean."""
    x = 20
    for name, text in (("p", _("positive")), ("n", _("negative"))):
        yield f'<line class="{name}" x1="{x}" x2="{x + 26}" y1="{y - 4}" y2="{y - 4}" stroke-width="4"/>'
        yield f'<text class="soft" x="{x + 33}" y="{y}">{escape(text)}</text>'
        x += 50 + int(LETTER * len(text)) + 8
    text = _("lines are weights, the thicker the larger (in each layer); the small square is the bias")
    yield f'<text class="soft" x="{x}" y="{y}">{escape(text)}</text>'


def _stage(shown: UnitDiagram, place: DiagramLayout, k: int, first: int) -> Iterator[str]:
    """A layer: its heading, and for each unit the lines that lead to it, its picture and its bias."""
    stage, x = shown.stages[k], place.x(k + first)
    units = len(stage.units_K)
    heading = _short(stage.what, 21)
    yield f"<g><title>{escape(stage.name + ': ' + stage.what if stage.name else stage.what)}</title>"
    yield _text(x + NODE / 2, place.top + 14, heading, "head middle")
    counted = (
        _("{k} of {n}").format(k=units, n=stage.total)
        if stage.total > units
        else _("{n}").format(n=stage.total)
    )
    yield _text(x + NODE / 2, place.top + 31, counted, "soft small middle") + "</g>"
    most = largest(stage.tile_K if stage.tile_K is not None else stage.seen_KRR)
    bias = float(np.abs(stage.bias_K).max() or 1.0) if stage.bias_K is not None else 1.0
    last = k == len(shown.stages) - 1 and bool(stage.name)
    for u in range(units):
        y = place.y(u, units)
        yield '<g class="unit">'
        yield from _edges(shown, place, k, first, u)
        yield f"<g><title>{escape(_unit_title(shown, stage, u))}</title>"
        yield _image(x, y - NODE / 2, NODE, NODE, _thumbnail(shown, stage, u, most, last))
        frame = "over dead" if stage.dead_K[u] and k + first > 0 and not last else "over"
        yield f'<rect class="{frame}" x="{x:g}" y="{y - NODE / 2:g}" width="{NODE}" height="{NODE}" rx="3"/>'
        if stage.bias_K is not None:
            value = float(stage.bias_K[u])
            opacity = 0.15 + 0.85 * min(1.0, abs(value) / bias) if np.isfinite(value) else 0
            yield (
                f'<rect class="{"pf" if value > 0 else "nf"}" x="{x - 9:g}" y="{y + NODE / 2 - 7:g}" '
                f'width="7" height="7" fill-opacity="{opacity:.2f}"/>'
            )
        yield "</g></g>"
        if stage.labels and k + first == 0:
            yield _text(x - 14, y + 4, _short(stage.labels[u], 18), "end", _plain(stage.labels[u]))
        elif stage.labels and last:
            if shown.classes:
                ink = colour(_class_of(shown, stage, u))
                yield f'<rect x="{x + NODE + 8:g}" y="{y - 5:g}" width="10" height="10" rx="2" fill="{ink}"/>'
            yield _text(x + NODE + 23, y + 4, _short(stage.labels[u], 13), "", _plain(stage.labels[u]))
    if stage.total > units:
        more = _("+{n} more").format(n=stage.total - units)
        yield _text(x + NODE / 2, place.y(units - 1, units) + NODE / 2 + 19, more, "soft small middle")


def _edges(shown: UnitDiagram, place: DiagramLayout, k: int, first: int, unit: int) -> Iterator[str]:
    """The lines that lead to a unit; of pixels one, as thick as all their weights are long."""
    stage = shown.stages[k]
    x, y = place.x(k + first), place.y(unit, len(stage.units_K))
    if stage.weight_KJ is not None:
        before, most = shown.stages[k - 1], float(np.abs(stage.weight_KJ).max() or 1.0)
        x_from = place.x(k + first - 1) + NODE
        for j, weight in enumerate(stage.weight_KJ[unit].tolist()):
            y_from = place.y(j, len(before.units_K))
            text = f"{_unit_name(before, j)} → {_unit_name(stage, unit)}: {_signed(weight)}"
            yield _line(x_from, y_from, x, y, "p" if weight > 0 else "n", abs(weight) / most, text)
    elif k == 0 and first and np.isfinite(stage.norm_K).any():
        share = float(stage.norm_K[unit] / (np.nanmax(stage.norm_K) or 1.0))
        text = _("length of all weights to {unit}: {value}").format(
            unit=_unit_name(stage, unit), value=numeral(float(stage.norm_K[unit]))
        )
        yield _line(LEFT, place.middle, x, y, "s", share, text)


def _line(x1: float, y1: float, x2: float, y2: float, sign: str, share: float, text: str) -> str:
    bend = (x2 - x1) / 2
    share = share if np.isfinite(share) else 0.0
    return (
        f'<path class="edge {sign}" stroke-width="{0.4 + 4.2 * share:.2f}" '
        f'stroke-opacity="{0.06 + 0.74 * share**1.4:.2f}" '
        f'd="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}">'
        f"<title>{escape(text)}</title></path>"
    )


def _thumbnail(shown: UnitDiagram, stage: UnitColumn, unit: int, most: float, last: bool) -> str:
    if stage.tile_K is not None:
        weight_CHW = stage.tile_K[unit]
        return data_uri(
            tile(weight_CHW, most) if len(weight_CHW) == 3 else rgba(weight_CHW.mean(axis=0), most)
        )
    if last and shown.classes and stage.labels:
        number_of = _class_of(shown, stage, unit)
        share_RR = shown.said_RRC[:: max(1, len(shown.fine_y_R) // 40), ::3, number_of]
        pixels = np.empty((*share_RR.shape, 4))
        pixels[..., :3], pixels[..., 3] = rgb(colour(number_of)), np.clip(share_RR, 0, 1)
        pixels[~np.isfinite(share_RR)] = (*rgb(FAINT), 1.0)
        return data_uri(pixels, upwards=True)
    return data_uri(rgba(stage.seen_KRR[unit], most), upwards=True)


def _panel(shown: UnitDiagram, place: DiagramLayout, columns: int) -> Iterator[str]:
    """The last picture: what the network says over the same inputs, with rows it was not trained on."""
    x = LEFT + max(columns - 1, 0) * COLUMN + NODE + OUT
    flat = len(shown.fine_y_R) == 1
    side = PANEL
    height = 70 if flat else PANEL
    y = place.middle - height / 2
    said, count = shown.said_RRC, len(shown.classes)
    if shown.classes:
        finite = np.asarray(np.isfinite(said).all(axis=2))
        share = np.where(finite[..., None], said, 0.0)
        best, winner = share.max(axis=2), share.argmax(axis=2)
        sure = (best - 1 / count) / (1 - 1 / count) if count > 1 else np.ones_like(best)
        pixels = np.empty((*best.shape, 4))
        pixels[..., :3] = np.array([rgb(colour(c)) for c in range(count)])[winner]
        pixels[..., 3] = 0.12 + 0.5 * np.clip(sure, 0, 1)
        pixels[~finite] = (*rgb(FAINT), 1.0)
    else:
        away = said[..., 0] - shown.target_mean
        pixels = rgba(away, largest(away))
    yield _image(x, y, side, height, data_uri(pixels, upwards=True))
    yield f'<rect class="over" x="{x:g}" y="{y:g}" width="{side}" height="{height}"/>'
    yield _text(x + side / 2, y - 30, _("what the network says"), "head middle")
    points = shown.points[-1] if shown.points else None
    if points is not None:
        drawn = np.linspace(0, len(points) - 1, min(DOTS, len(points))).round().astype(int)
        counted = _("{n:,} {split} rows on it").format(n=len(drawn), split=split_name(points.split))
        yield _text(x + side / 2, y - 12, counted, "soft small middle")
        low, high = shown.fine_x_R[[0, -1]]
        for i in drawn.tolist():
            across = x + side * (points.at_NK[i, 0] - low) / (high - low)
            up = y + height * (0.2 + 0.6 * ((i * 0.618034) % 1))
            if not flat:
                bottom, top = shown.fine_y_R[[0, -1]]
                up = y + height * (1 - (points.at_NK[i, 1] - bottom) / (top - bottom))
            true, guess = points.true_N[i], points.predicted_N[i]
            ink, wrong = "var(--soft)", False
            title = f"{numeral(float(true))} · {_('said')} {numeral(float(guess))}"
            if shown.classes:
                ink, wrong = colour(int(true)), true != guess
                title = shown.classes[int(true)] + (
                    f" · {_('said')} {shown.classes[int(guess)] if guess >= 0 else '–'}" if wrong else ""
                )
            kind, size = ("dot wrong", 4) if wrong else ("dot", 3.4)
            title = _("row {n}: {what}").format(n=int(points.index_N[i]), what=_plain(title))
            yield (
                f'<circle class="{kind}" cx="{across:.1f}" cy="{up:.1f}" r="{size}" fill="{ink}">'
                f"<title>{escape(title)}</title></circle>"
            )
    yield _text(x + side / 2, y + height + 20, _short(shown.sight.axis_names[0], 34), "soft middle")
    if not flat:
        yield (
            f'<text class="soft middle" transform="translate({x - 10:g} {y + height / 2:g}) rotate(-90)">'
            f"{escape(_short(shown.sight.axis_names[1], 34))}</text>"
        )
    if not shown.classes:
        text = _("{target}: blue above its mean {mean}, orange below").format(
            target=_short(shown.target, 12), mean=numeral(shown.target_mean)
        )
        yield _text(x + side / 2, y + height + 40, text, "soft small middle")


def _picture_box(shown: UnitDiagram, place: DiagramLayout) -> Iterator[str]:
    """The pixels: one box with the mean picture of the training rows."""
    assert shown.mean_item is not None
    item = shown.mean_item.reshape(-1, *shown.mean_item.shape[-2:])
    low, high = float(np.nanmin(item)), float(np.nanmax(item))
    grey = (item - low) / ((high - low) or 1.0)
    pixels = (
        np.moveaxis(grey, 0, -1) if len(item) == 3 else np.repeat(grey.mean(axis=0)[..., None], 3, axis=2)
    )
    side = 104
    shape = " × ".join(str(n) for n in shown.mean_item.shape)
    y = place.middle - side / 2
    yield f"<g><title>{escape(_('the mean of {n:,} training rows').format(n=shown.rows))}</title>"
    yield _image(44, y, side, side, data_uri(np.nan_to_num(pixels)))
    yield f'<rect class="over" x="44" y="{y:g}" width="{side}" height="{side}" rx="3"/></g>'
    if shown.stages and np.isfinite(shown.stages[0].norm_K).any():
        yield f'<line class="s" x1="{44 + side}" x2="{LEFT}" y1="{place.middle:g}" y2="{place.middle:g}"/>'
    pixels_said = _("{n} inputs").format(n=int(np.prod(shown.mean_item.shape)))
    yield _text(44 + side / 2, y - 28, pixels_said, "head middle") + _text(
        44 + side / 2, y - 11, shape, "soft small middle"
    )


def _class_of(shown: UnitDiagram, stage: UnitColumn, unit: int) -> int:
    return len(shown.classes) - 1 if stage.total == 1 else int(stage.units_K[unit])


def _unit_name(stage: UnitColumn, unit: int) -> str:
    if stage.labels:
        return _plain(stage.labels[unit])
    return _("unit {n}").format(n=int(stage.units_K[unit]))


def _signed(value: float) -> str:
    """With its sign, also where it is positive."""
    return numeral(value) if value < 0 else f"+{numeral(value)}"


def _unit_title(shown: UnitDiagram, stage: UnitColumn, unit: int) -> str:
    """What is said of a unit when the pointer is on it."""
    seen = stage.seen_KRR[unit]
    finite = seen[np.isfinite(seen)]
    said = [_unit_name(stage, unit)]
    if finite.size:
        said.append(
            _("gives {low} to {high} here").format(
                low=numeral(float(finite.min())), high=numeral(float(finite.max()))
            )
        )
    else:
        said.append(_("not finite here"))
    if stage.bias_K is not None:
        said.append(_("bias {value}").format(value=_signed(float(stage.bias_K[unit]))))
    if np.isfinite(stage.norm_K[unit]):
        said.append(_("length of its weights {value}").format(value=numeral(float(stage.norm_K[unit]))))
    if stage.active_K[unit] < 1:
        said.append(
            _("not 0 on {share} of {n:,} training rows").format(
                share=percent(float(stage.active_K[unit])), n=shown.rows
            )
        )
    return "\n".join(said)


def _image(x: float, y: float, width: float, height: float, uri: str) -> str:
    return (
        f'<image class="seen" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        f'preserveAspectRatio="none" href="{uri}"/>'
    )


def _text(x: float, y: float, text: str, kind: str, title: str = "") -> str:
    title_tag = f"<title>{escape(title)}</title>" if title and title != text else ""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}{title_tag}</text>'


def _plain(text: str) -> str:
    """One line without letters that a file can't hold."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _short(text: str, most: int) -> str:
    line = _plain(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
