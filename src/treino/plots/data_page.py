"""The HTML page about a table or images: columns, or some images of each class, and warnings."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from treino.base.text import cell_words, that_hold
from treino.base.words import _, numeral
from treino.data.summaries.description import ColumnDescription, TableDescription
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
from treino.plots.contact_sheet import Tile, TileGroup, sheet_png
from treino.plots.report.blocks import Block, Drawing, Folded, Note, Paragraph, Section, TableBlock
from treino.plots.report.html import html
from treino.plots.svg import rectangle, svg, title

PAGE_WIDTH, HEIGHT = 168, 36  # a column's picture, in pixels
CLASSES = 30
FEW, SOME = 20, 48  # up to this many classes, two or three classes stand side by side on a sheet, else six


def data_page(table: TableDescription) -> Markup:
    """Return the page about the result of ``treino.data.describe``."""
    return html(table.name, said_of(table), data_sections(table))


def data_sections(table: TableDescription, drawn: bool = True) -> list[Section]:
    """Return what the page shows: what to look at first. drawn: with pictures of images."""
    notes = (Paragraph(note, "soft") for note in table.notes)
    found = (Note(warning.message, (warning.hint,)) for warning in table.warnings)
    heading = _("To look at") if table.warnings else _("Nothing to warn of")
    sections = [Section(heading, (*notes, *found))]
    if table.images is not None:
        sections.append(Section(_("Images"), tuple(image_blocks(table.images, drawn))))
        sections += _flagged(table.images, drawn)
    else:
        sections += [*_classes(table), Section(_("Columns"), (_columns(table),))]
    return sections


def said_of(table: TableDescription) -> str:
    """Return how many rows there are and what the target is, in a sentence."""
    sentence = (
        _("{rows:,} rows, {columns:,} columns").format(rows=table.rows, columns=len(table.columns))
        if table.images is None
        else _("{rows:,} images").format(rows=table.rows)
    )
    if table.target.name is None:
        names = ", ".join(table.likely_targets)
        which = _("no target yet: [[target]] with one of {names}?").format(names=names)
        return sentence + "; " + (which if names else _("no target"))
    task = _(str(table.target.task))
    return sentence + "; " + _("target {name}: {task}").format(name=table.target.name, task=task)


def _classes(table: TableDescription) -> Iterator[Section]:
    """Yield each class's number of rows, with bars."""
    target = table.target
    names, counts = target.classes[:CLASSES], target.class_rows[:CLASSES]
    if not counts:
        return
    most, total = max(1, *counts), max(1, sum(target.class_rows))
    rows: list[tuple[str | Drawing, ...]] = [
        (name, numeral(n, ","), numeral(n / total, ".1%"), Drawing(_bar(n / most, str(n))))
        for name, n in zip(names, counts, strict=True)
    ]
    more = len(target.classes) - len(names)
    blocks = [TableBlock(("", _("rows"), _("share"), ""), tuple(rows))]
    after = [Paragraph(_("and {n} more").format(n=more), "soft")] if more > 0 else []
    yield Section(_("Classes of {name}").format(name=target.name), (*blocks, *after))


def _bar(share: float, alt: str) -> Markup:
    return _bars(320, 12, [rectangle(0, 0, 320 * share, 12)], alt)


def image_blocks(images: ImagesDescription, drawn: bool = True) -> list[Block]:
    """Return the images' facts, and each class's number of images per split. drawn: with its first images."""
    head, lines = images.count_table()
    rows = [tuple(cells) for cells, _first in lines]
    if not drawn:
        return [_facts(images), TableBlock(tuple(head), tuple(rows))]
    first = [Drawing(Markup() if examples is None else strip_html(examples)) for _cells, examples in lines]
    shown: list[tuple[str | Drawing, ...]] = [(*row, each) for row, each in zip(rows, first, strict=True)]
    return [_facts(images), TableBlock((*head, _("the first")), tuple(shown))]


def _facts(images: ImagesDescription) -> TableBlock:
    return TableBlock(("", ""), tuple(images.facts()), _("The images"), left=None)


def _flags(images: ImagesDescription) -> Iterator[tuple[str, str, list[FlaggedImages]]]:
    """Yield each kind of image to look at, its heading, and its images; no image is of two kinds."""
    against = [one.places for one in images.flagged[CONTRADICTING]]
    for flag, heading in FLAGS.items():
        yield flag, _(heading), [o for o in images.flagged[flag] if flag != EQUAL or o.places not in against]


def _flagged(images: ImagesDescription, drawn: bool) -> Iterator[Section]:
    """Yield sections with the images to look at, by kind, and with folded lists of files."""
    named = {heading: _list(heading, lines) for heading, lines in images.named()}
    for flag, heading, flagged in _flags(images) if drawn else ():
        rows = tuple((", ".join(one.places), _alike(flag, one), Drawing(strip_html(one))) for one in flagged)
        if rows:
            lists = [named.pop(heading)] if heading in named else []
            yield Section(heading, (TableBlock(("", "", ""), rows), *lists))
    if named:
        yield Section(_("files").capitalize(), tuple(named.values()))


def _alike(flag: str, one: FlaggedImages) -> str:
    return numeral(one.correlation, ".3f") if flag == NEAR else ""


def _list(heading: str, lines: Sequence[str]) -> Folded:
    title = f"{heading} ({numeral(len(lines), ',')})"
    return Folded(title, TableBlock(("",), tuple((line,) for line in lines)))


def _columns(table: TableDescription) -> TableBlock:
    head = [_("column"), _("kind"), _("values"), _("missing"), _("distinct"), _("from"), _("to")]
    head += [_("outliers"), _("with the target")]
    return TableBlock(tuple(head), tuple(_row(column, table) for column in table.columns), left=(0, 1, 2))


def _row(column: ColumnDescription, table: TableDescription) -> tuple[str | Drawing, ...]:
    kind = _("{kind} (left out)").format(kind=column.kind) if column.way == "out" else column.kind
    share = column.missing / max(1, table.rows)
    related = column.correlation
    return (
        column.name,
        kind,
        Drawing(Markup() if column.kind in ("identifier", "text") else picture(column.name, column.shape)),
        f"{numeral(column.missing, ',')} ({numeral(share, '.1%')})" if column.missing else "",
        numeral(column.unique, ","),
        cell_words(column.minimum),
        cell_words(column.maximum),
        str(column.outliers or ""),
        "" if related is None else numeral(related, ".2f"),
    )


def picture(name: str, shape: NumberHistogram | WordCounts | None) -> Markup:
    """Return a column's values as a small SVG: a histogram of numbers or dates, or bars of common words."""
    if shape is None:
        return Markup()
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


def _bars(width: int, height: int, bars: Sequence[Markup], alt: str) -> Markup:
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


def contact_sheet(name: str, images: ImagesDescription) -> bytes:
    """Return a description's examples and the images to look at, as PNG. name: the data's
    name."""
    shown = images.examples
    n = max((len(one.pixels) for one in shown), default=0)
    sentence = _("The first {n} images in the data's order.")
    if images.classes and "train" in images.rows:
        sentence = _(
            "The first {n} training images of each class in the data's order, and how many there are."
        )
    elif images.classes:
        sentence = _("The first {n} images of each class in the data's order, and how many there are.")
    some, total = _("{n:,} of {total:,} classes are shown."), len(images.classes)
    sentences = [sentence.format(n=n), *that_hold({some: total > len(shown)}, n=len(shown), total=total)]
    across = 2 if len(shown) <= FEW else 3 if len(shown) <= SOME else 6
    classes = [Tile(strip(one.pixels), (one.label, numeral(one.rows, ","))) for one in shown]
    groups = [TileGroup("", len(shown), classes, across)]
    for _flag, heading, flagged in _flags(images):
        if flagged:
            groups.append(TileGroup(heading, len(flagged), list(map(_tile, flagged)), 4))
    return sheet_png(_("Images: {name}").format(name=name), sentences, groups)


def _tile(one: FlaggedImages) -> Tile:
    named = zip(one.places, one.labels, strict=True)
    words = [f"{place}: {name}" if name else place for place, name in named]
    return Tile(strip(one.pixels), tuple(words))
