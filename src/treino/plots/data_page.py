"""The HTML page about a table or images: columns, or some images of each class, and warnings.

The page loads nothing, escapes all text from data, and follows light and dark mode.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from treino.data.summaries.description import ColumnDescription, TableDescription, TableWarning
from treino.data.summaries.image_description import ImagesDescription, strip, strip_html
from treino.data.summaries.measures import NumberHistogram, WordCounts
from treino.plots.page import page
from treino.plots.style import SOFT, WIDTH, class_labels, header, header_inches, label, look, new_figure, png
from treino.plots.svg import rectangle, svg, title
from treino.words import _, numeral

# ---- the HTML page

PAGE_WIDTH, HEIGHT = 168, 36  # a column's picture, in pixels
CLASSES = 30

STYLE = """
ul.warnings { list-style: none; padding: 0; } ul.warnings li { background: var(--warn); border-left: 4px solid var(--alarm);
  margin: .4rem 0; padding: .5rem .75rem; border-radius: 0 4px 4px 0; overflow-wrap: anywhere; }
td.name { font-weight: 600; min-width: 7rem; max-width: 16rem; overflow-wrap: anywhere; } tr.target td { background: color-mix(in srgb, var(--bar) 12%, transparent); }
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
    )


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

ACROSS = 2  # classes per line
MARGIN, WORDS, TALLEST = 0.2, 0.3, 1.0  # inches: around a class, above it, and its images at most


def contact_sheet(name: str, images: ImagesDescription) -> bytes:
    """Return a description's examples as PNG. name: the data's name."""
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
    strips = [strip(one.pixels) for one in shown]
    wide = (WIDTH - (ACROSS + 1) * MARGIN) / ACROSS
    longest = max((len(one.pixels) * one.pixels.shape[2] for one in shown), default=1)
    inch = min(wide / (longest * 1.06), TALLEST / max((s.shape[0] for s in strips), default=1))  # of a pixel
    tall = max((s.shape[0] for s in strips), default=0) * inch
    down = math.ceil(len(shown) / ACROSS)
    with look():
        figure = new_figure(header_inches(sentences) + down * (WORDS + tall) + MARGIN)
        height = figure.get_figheight()
        top = header(figure, _("Images: {name}").format(name=label(name, 40)), sentences) * height
        names = class_labels([one.label for one in shown], 32) if images.classes else [""]
        for at, (one, pixels) in enumerate(zip(shown, strips, strict=True)):
            row, column = divmod(at, ACROSS)
            x = MARGIN + column * (wide + MARGIN)
            y = top - row * (WORDS + tall)
            figure.text(x / WIDTH, (y - 0.2) / height, names[at], fontsize=10, weight="bold", va="baseline")
            figure.text(
                (x + wide) / WIDTH,
                (y - 0.2) / height,
                numeral(one.rows, ","),
                fontsize=9,
                color=SOFT,
                va="baseline",
                ha="right",
            )
            size = (pixels.shape[1] * inch / WIDTH, pixels.shape[0] * inch / height)
            axes = figure.add_axes((x / WIDTH, (y - WORDS) / height - size[1], *size))
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
            axes.set_axis_off()
    return png(figure)
