"""The HTML page about a table or images: columns, or some images of each class, and warnings.

The page loads nothing, escapes all text from data, and follows light and dark mode.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from treino.base.words import _, numeral
from treino.data.summaries.description import ColumnDescription, TableDescription, TableWarning
from treino.data.summaries.image_description import (
    CONTRADICTING,
    EQUAL,
    FLAGS,
    NEAR,
    FlaggedImages,
    ImagesDescription,
    strip,
    strip_html,
)
from treino.data.summaries.measures import NumberHistogram, WordCounts
from treino.plots.page import page
from treino.plots.style import (
    FAINT,
    SOFT,
    WIDTH,
    class_labels,
    header,
    header_inches,
    label,
    look,
    new_figure,
    png,
    tail,
)
from treino.plots.svg import rectangle, svg, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# ---- the HTML page

PAGE_WIDTH, HEIGHT = 168, 36  # a column's picture, in pixels
CLASSES = 30
OPEN = 12  # files that a list shows unfolded

STYLE = """
ul.warnings { list-style: none; padding: 0; } ul.warnings li { background: var(--warn); border-left: 4px solid var(--alarm);
  margin: .4rem 0; padding: .5rem .75rem; border-radius: 0 4px 4px 0; overflow-wrap: anywhere; }
td.name { font-weight: 600; min-width: 7rem; max-width: 16rem; overflow-wrap: anywhere; } tr.target td { background: color-mix(in srgb, var(--bar) 12%, transparent); }
td.wide { width: 100%; overflow-wrap: anywhere; } summary { font-weight: 600; margin-top: 1rem; cursor: pointer; }
tr.out td { color: var(--soft); } svg { display: block; }
"""  # noqa: E501


def data_page(table: TableDescription) -> str:
    """Return the page about the result of ``treino.data.describe``."""
    parts = [
        f"<h1>{escape(table.name)}</h1>",
        f'<p class="soft">{escape(_said_of(table))}</p>',
        *(f'<p class="soft">{escape(note)}</p>' for note in table.notes),
        _warnings(table.warnings),
    ]
    if table.images is not None:
        parts += [f"<h2>{escape(_('Images'))}</h2>", _images(table.images)]
    else:
        parts += [_classes(table), f"<h2>{escape(_('Columns'))}</h2>", _columns(table)]
    return page(table.name, "\n".join(part for part in parts if part), STYLE)


def _said_of(table: TableDescription) -> str:
    sentence = (
        _("{rows:,} rows, {columns:,} columns").format(rows=table.rows, columns=len(table.columns))
        if table.images is None
        else _("{rows:,} images").format(rows=table.rows)
    )
    if table.target.name is None:
        names = ", ".join(table.likely_targets)
        return (
            sentence + "; " + (_("no target yet: {names}?").format(names=names) if names else _("no target"))
        )
    task = _(str(table.target.task))
    return sentence + "; " + _("target {name}: {task}").format(name=table.target.name, task=task)


def _warnings(warnings: Sequence[TableWarning]) -> str:
    if not warnings:
        return f"<h2>{escape(_('Nothing to warn of'))}</h2>"
    items = (f"<li>{escape(w.message)} <span class='soft'>{escape(w.hint)}</span></li>" for w in warnings)
    return f"<h2>{escape(_('To look at'))}</h2><ul class='warnings'>{''.join(items)}</ul>"


def _classes(table: TableDescription) -> str:
    """Return each class's number of rows, with bars."""
    target = table.target
    names, counts = target.classes[:CLASSES], target.class_rows[:CLASSES]
    if not counts:
        return ""
    most, total = max(counts), max(1, sum(target.class_rows))
    rows = "".join(
        f"<tr><td class='name'>{escape(n)}</td><td class='number'>{numeral(c, ',')}</td>"
        f"<td class='number'>{numeral(c / total, '.1%')}</td>"
        f"<td>{_bars(320, 12, [rectangle(0, 0, 320 * c / max(1, most), 12)], str(c))}</td></tr>"
        for n, c in zip(names, counts, strict=True)
    )
    more = len(target.classes) - len(names)
    tail = f"<p class='soft'>{escape(_('and {n} more').format(n=more))}</p>" if more > 0 else ""
    head = escape(_("Classes of {name}").format(name=target.name))
    return f"<h2>{head}</h2><div class='scroll'><table>{rows}</table></div>{tail}"


def _images(images: ImagesDescription) -> str:
    """Return the images' facts, and each class's number of images per split with its first images."""
    facts = "".join(
        f"<tr><td class='name'>{escape(name)}</td><td>{escape(value)}</td></tr>"
        for name, value in images.facts()
    )
    seen = set(map(_, FLAGS.values()))
    head, lines = images.count_table()
    heads = "".join(f"<th{' class=number' if i else ''}>{escape(name)}</th>" for i, name in enumerate(head))
    rows = "".join(
        f"<tr><td class='name'>{escape(cells[0])}</td>"
        + "".join(f"<td class='number'>{escape(cell)}</td>" for cell in cells[1:])
        + f"<td>{'' if first is None else strip_html(first)}</td></tr>"
        for cells, first in lines
    )
    return (
        f"<div class='scroll'><table>{facts}</table></div><div class='scroll'><table>"
        f"<thead><tr>{heads}<th>{escape(_('the first'))}</th></tr></thead><tbody>{rows}</tbody></table></div>"
        + "".join(_flagged(images))
        + "".join(_named(heading, lines, heading not in seen) for heading, lines in images.named())
    )


def _flags(images: ImagesDescription) -> Iterator[tuple[str, str, list[FlaggedImages]]]:
    """Yield each kind of images to be looked at, its heading, and the images; none is of two kinds."""
    against = [one.places for one in images.flagged[CONTRADICTING]]
    for flag, heading in FLAGS.items():
        yield flag, _(heading), [o for o in images.flagged[flag] if flag != EQUAL or o.places not in against]


def _flagged(images: ImagesDescription) -> Iterator[str]:
    """Yield a table of the images of each kind that are to be looked at, with their places."""
    for flag, heading, flagged in _flags(images):
        rows = "".join(
            f"<tr><td>{strip_html(one)}</td>"
            f"<td class='number'>{numeral(one.correlation, '.3f') if flag == NEAR else ''}</td>"
            f"<td class='wide'>{'<br>'.join(map(escape, one.places))}</td></tr>"
            for one in flagged
        )
        if rows:
            yield f"<h2>{escape(heading)}</h2><div class='scroll'><table>{rows}</table></div>"


def _named(heading: str, lines: Sequence[str], unfolded: bool) -> str:
    """Return a list of files, folded if it is long or its images are shown already."""
    items = "".join(f"<li>{escape(text)}</li>" for text in lines)
    opened = " open" if unfolded and len(lines) <= OPEN else ""
    title = f"{escape(heading)} ({numeral(len(lines), ',')})"
    return f"<details{opened}><summary>{title}</summary><ul>{items}</ul></details>"


def _columns(table: TableDescription) -> str:
    headings = (
        _("column"), _("kind"), _("values"), _("missing"), _("distinct"), _("from"), _("to"), _("outliers"),
        _("with the target"),
    )  # fmt: skip
    head = "".join(
        f"<th{' class=number' if i > 2 else ''}>{escape(heading)}</th>" for i, heading in enumerate(headings)
    )
    rows = "".join(_row(column, table) for column in table.columns)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _row(column: ColumnDescription, table: TableDescription) -> str:
    out = column.way == "out"
    kind = column.kind + (_(" (left out)") if out else "")
    mark = "target" if column.name == table.target.name else "out" if out else ""
    share = column.missing / max(1, table.rows)
    missing = f"{numeral(column.missing, ',')} ({numeral(share, '.1%')})" if column.missing else ""
    related = column.correlation
    cells = [
        f"<td class='name'>{escape(column.name)}</td>",
        f"<td>{escape(kind)}</td>",
        f"<td>{'' if column.kind in ('identifier', 'text') else picture(column.name, column.shape)}</td>",
        f"<td class='number'>{missing}</td>",
        f"<td class='number'>{numeral(column.unique, ',')}</td>",
        f"<td class='number'>{_value(column.minimum)}</td>",
        f"<td class='number'>{_value(column.maximum)}</td>",
        f"<td class='number'>{column.outliers or ''}</td>",
        f"<td class='number'>{'' if related is None else numeral(related, '.2f')}</td>",
    ]
    return f"<tr class='{mark}'>{''.join(cells)}</tr>"


def _value(value: float | str | None) -> str:
    return "" if value is None else escape(value) if isinstance(value, str) else numeral(value, ".6g")


def picture(name: str, shape: NumberHistogram | WordCounts | None) -> str:
    """Return a column's values as a small SVG: a histogram of numbers or dates, or bars of common words."""
    if shape is None:
        return ""
    counts = [*shape.counts]
    if isinstance(shape, WordCounts) and shape.others:
        counts.append(shape.others)
    most = max([*counts, 1])
    step = PAGE_WIDTH / len(counts)
    bars = []
    for i, count in enumerate(counts):
        height = max(HEIGHT * count / most, 1.0 if count else 0.0)
        tooltip = f"{_name(shape, i)}: {numeral(count, ',')}"
        place = i * step + 0.5, HEIGHT - height, max(step - 1, 0.5)
        bars.append(rectangle(*place, height, title(tooltip)))
    return _bars(PAGE_WIDTH, HEIGHT, bars, _("values of {name}").format(name=name))


def _bars(width: int, height: int, bars: Sequence[str], alt: str) -> str:
    return svg(width, height, *bars, alt=alt, width=width, height=height, fill="var(--bar)")


def _name(shape: NumberHistogram | WordCounts, i: int) -> str:
    if isinstance(shape, WordCounts):
        return shape.values[i] if i < len(shape.values) else _("others")
    low, high = shape.edges[i], shape.edges[i + 1]
    if shape.unit == "dates":
        return f"{_day(low)} – {_day(high)}"
    if shape.unit == "times":
        return f"{_clock(low)} – {_clock(high)}"
    return f"{numeral(low)} – {numeral(high)}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}"


def _day(seconds: float) -> str:
    return str(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))[:10]


# ---- the contact sheet

LONGEST = 54  # letters of a file's name
MARGIN, TALLEST = 0.2, 2.0  # inches: around a tile; the most of an image, times the tiles beside each other
LINE = 0.17  # inches from line to line of small text
FEW, SOME = 20, 48  # up to so many classes two or three stand beside each other, else four


@dataclass(frozen=True, eq=False)
class _Tile:
    """Images side by side under their name or names; beside it a number."""

    names: tuple[str, ...]
    number: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Grid:
    """Tiles under a heading, so many across; all images in one scale. size: of the names' letters."""

    heading: str
    tiles: Sequence[_Tile]
    across: int
    size: float

    @property
    def wide(self) -> float:
        return (WIDTH - (self.across + 1) * MARGIN) / self.across

    @property
    def inch(self) -> float:
        """The inches of a pixel."""
        widest = max((tile.pixels.shape[1] for tile in self.tiles), default=1)
        tallest = max((tile.pixels.shape[0] for tile in self.tiles), default=1)
        return min(self.wide / widest, TALLEST / self.across / tallest)

    @property
    def words(self) -> float:
        return LINE * max((len(tile.names) for tile in self.tiles), default=0) + 0.13

    @property
    def tall(self) -> float:
        """The height of a line of tiles."""
        return self.words + max((t.pixels.shape[0] for t in self.tiles), default=0) * self.inch

    @property
    def height(self) -> float:
        return (0.45 if self.heading else 0) + math.ceil(len(self.tiles) / self.across) * self.tall

    def draw(self, axes: "Axes", top: float) -> None:
        """axes: of the whole figure, in inches. top: where it begins."""
        from matplotlib.patches import Rectangle

        if self.heading:
            axes.text(MARGIN, top - 0.35, self.heading, fontsize=11, weight="bold")
            top -= 0.45
        for at, tile in enumerate(self.tiles):
            row, column = divmod(at, self.across)
            x, y = MARGIN + column * (self.wide + MARGIN), top - row * self.tall
            for number, text in enumerate(tile.names):
                weight = "normal" if self.heading else "bold"
                axes.text(x, y - LINE * (number + 1) - 0.03, text, fontsize=self.size, weight=weight)
            x_right = x + self.wide
            axes.text(x_right, y - LINE - 0.03, tile.number, fontsize=self.size - 1, color=SOFT, ha="right")
            wide, tall = tile.pixels.shape[1] * self.inch, tile.pixels.shape[0] * self.inch
            bottom = y - self.words - tall
            axes.imshow(
                tile.pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto",
                extent=(x, x + wide, bottom, bottom + tall),
            )  # fmt: skip
            frame = Rectangle((x, bottom), wide, tall, fill=False, edgecolor=FAINT, linewidth=0.5)
            axes.add_patch(frame)  # or a white image would not be seen


def contact_sheet(name: str, images: ImagesDescription) -> bytes:
    """Return a description's examples, and the images that are to be looked at, as PNG. name: the data's
    name."""
    shown = images.examples
    n = max((len(one.pixels) for one in shown), default=0)
    sentence = _("The first {n} images in the data's order.").format(n=n)
    if images.classes:
        sentence = _(
            "The first {n} images of each class in the data's order, and how many there are."
        ).format(n=n)
        if "train" in images.rows:
            sentence = _(
                "The first {n} training images of each class in the data's order, and how many there are."
            ).format(n=n)
    sentences = [sentence]
    if len(images.classes) > len(shown):
        sentences.append(
            _("{n:,} of {total:,} classes are shown.").format(n=len(shown), total=len(images.classes))
        )
    across = 2 if len(shown) <= FEW else 3 if len(shown) <= SOME else 4
    names = class_labels([one.label for one in shown], 76 // across) if images.classes else [""]
    grids = [
        _Grid("", [_Tile((label,), numeral(one.rows, ","), strip(one.pixels))
                   for label, one in zip(names, shown, strict=True)], across, 10 if across == 2 else 9)
    ]  # fmt: skip
    grids += [_Grid(heading, tiles, 2, 8) for heading, tiles in _flagged_tiles(images) if tiles]
    with look():
        figure = new_figure(header_inches(sentences) + sum(grid.height for grid in grids) + MARGIN)
        height = figure.get_figheight()
        top = header(figure, _("Images: {name}").format(name=label(name, 40)), sentences) * height
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for grid in grids:
            grid.draw(axes, top)
            top -= grid.height
        axes.set(xlim=(0, WIDTH), ylim=(0, height))
    return png(figure)


def _flagged_tiles(images: ImagesDescription) -> Iterator[tuple[str, list[_Tile]]]:
    for flag, heading, flagged in _flags(images):
        tiles = []
        for one in flagged:
            places = [
                f"{place}: {name}" if flag == CONTRADICTING and name else place
                for place, name in zip(one.places, one.labels, strict=True)
            ]
            number = numeral(one.correlation, ".3f") if flag == NEAR else ""
            tiles.append(
                _Tile(tuple(label(tail(place, LONGEST), 64) for place in places), number, strip(one.pixels))
            )
        yield heading, tiles
