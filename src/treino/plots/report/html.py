"""A report as one HTML page that loads nothing and can be printed."""

from base64 import b64encode
from collections.abc import Sequence

from markupsafe import Markup

from treino.base.words import _
from treino.plots.page import html_page
from treino.plots.report.blocks import (
    Block,
    Code,
    Drawing,
    Folded,
    ListBlock,
    Note,
    Paragraph,
    Picture,
    Section,
    TableBlock,
    TableCell,
    cell_text,
)
from treino_doctor.base.markup import tag

KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml", ".gif": "image/gif"}

SHORT = 18  # cells up to this many characters are not wrapped

STYLE = """
:root { --good: #00735a; --code: #f3f6f8; }
@media (prefers-color-scheme: dark) { :root { --good: #45c9a5; --code: #1a242e; } }
h2 { border-top: 1px solid var(--faint); padding-top: 1.1rem; margin-top: 1.8rem; font-size: 1.25rem; }
h3 { font-size: 1rem; margin: 1.3rem 0 .4rem; } p { max-width: 46rem; } p.lead { font-size: 1.1rem; margin: .5rem 0; }
h2, h3, p, li { overflow-wrap: anywhere; } td, th[scope=row] { overflow-wrap: break-word; max-width: 28rem; min-width: 3.2rem; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; } a { color: var(--bar); }
.strong { font-weight: 600; } .alarm { color: var(--alarm); } .good { color: var(--good); }
.note { border-left: 4px solid var(--soft); background: var(--code); padding: .6rem .9rem; margin: .6rem 0; border-radius: 0 6px 6px 0; }
.note.alarm { color: inherit; border-color: var(--alarm); background: var(--warn); } .note.good { color: inherit; border-color: var(--good); }
table { width: auto; min-width: min(100%, 24rem); } th[scope=row] { color: var(--ink); white-space: normal; font-weight: 500; min-width: 6rem; }
td.short { white-space: nowrap; } caption { text-align: left; color: var(--soft); padding: .2rem 0 .4rem; }
table:has(td.shaded) th.number { text-align: center; } td.shaded { background: color-mix(in srgb, var(--bar) var(--p), transparent); text-align: center; }
pre { background: var(--code); padding: .7rem .9rem; border-radius: 6px; overflow-x: auto; font-size: .85rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: .8rem 1.6rem; margin: .6rem 0; }
.charts > div { overflow-x: auto; } .charts svg { min-width: 20rem; display: block; }
figure { margin: .8rem 0; } figure img { max-width: min(100%, 50rem); height: auto; border-radius: 8px; } img.paper, img.drawn { background: #fff; }
label.full { display: none; color: var(--soft); font-size: .9rem; }
@media (max-width: 40rem) { label.full { display: block; position: sticky; left: 0; } figure.picture { overflow-x: auto; }
  figure.picture:has(input:checked) img { max-width: none; width: 50rem; } }
summary { cursor: pointer; padding: .15rem 0; } img.thumb { height: 56px; image-rendering: pixelated; }
figcaption { color: var(--soft); font-size: .9rem; }
@media print { :root { color-scheme: light; } body { max-width: none; padding: 0; font-size: 11px; } nav { display: none; }
  .charts { grid-template-columns: 1fr 1fr; } .charts svg { min-width: 0; }
  h2 { break-after: avoid; } .note, figure, table, .charts > div { break-inside: avoid; } a { color: inherit; } }
"""  # noqa: E501


def html(title: str, subtitle: str, sections: Sequence[Section]) -> Markup:
    """Return the whole page: title, table of contents, sections."""
    links = (tag("li", tag("a", section.title, href=f"#s{i}")) for i, section in enumerate(sections))
    nav = tag("nav", tag("ul", *links), aria_label=_("contents")) if len(sections) > 1 else Markup()
    parts = (tag("section", _section(section, 2), id=f"s{i}") for i, section in enumerate(sections))
    head = tag("header", tag("h1", title), tag("p", subtitle, class_="soft"))
    main = tag("main", "\n", Markup("\n").join(parts), "\n")
    return html_page(title, head, nav, main, style=STYLE)


def _section(section: Section, level: int) -> Markup:
    parts, charts = [tag(f"h{level}", section.title)], list[Markup]()
    for block in section.blocks:
        if isinstance(block, Drawing) and not block.wide:
            charts.append(tag("div", block.html))
            continue
        parts += [_chart_row(charts), _block(block)]
        charts = []
    parts.append(_chart_row(charts))
    parts += [tag("section", _section(part, min(level + 1, 6))) for part in section.parts]
    return Markup("\n").join(part for part in parts if part)


def _chart_row(charts: list[Markup]) -> Markup:
    """Place consecutive charts side by side if there is room."""
    return tag("div", *charts, class_="charts") if charts else Markup()


def _block(block: Block) -> Markup:
    if isinstance(block, Paragraph):
        return tag("p", block.text, class_=block.tone)
    if isinstance(block, Note):
        lines = (tag("p", line) for line in block.lines)
        return tag("div", tag("p", block.title, class_="strong"), *lines, class_=f"note {block.tone}")
    if isinstance(block, ListBlock):
        return tag("ul", *(tag("li", item) for item in block.items))
    if isinstance(block, Code):
        return tag("pre", tag("code", block.text))
    if isinstance(block, TableBlock):
        return _table(block)
    if isinstance(block, Picture):
        return _picture(block)
    if isinstance(block, Folded):
        return tag("details", tag("summary", block.title), _table(block.table))
    return tag("div", block.html)


def _table(table: TableBlock) -> Markup:
    looks = [None if table.is_text(n) else "number" for n in range(len(table.head))]
    parts = [tag("caption", table.caption)] if table.caption else []
    if any(table.head):
        named = zip(table.head, looks, strict=True)
        heads = (tag("th", name, scope="col", class_=look) for name, look in named)
        parts.append(tag("thead", tag("tr", *heads)))
    rows = (
        tag("tr", tag("th", cell_text(first), scope="row"), *map(_cell, others, looks[1:]))
        for first, *others in table.rows
    )
    return tag("div", tag("table", *parts, tag("tbody", *rows)), class_="scroll")


def _cell(cell: str | TableCell | Drawing, look: str | None) -> Markup:
    if isinstance(cell, Drawing):
        return tag("td", cell.html)
    if isinstance(cell, TableCell) and cell.shade is not None:
        return tag("td", cell.text, class_="shaded", style=f"--p:{round(70 * cell.shade)}%")
    if isinstance(cell, TableCell) and cell.picture:
        return tag("td", tag("img", class_="thumb", src=cell.picture, alt=cell.text))
    text = cell_text(cell)
    return tag("td", text, class_=look or ("short" if len(text) <= SHORT else None))


def _picture(picture: Picture) -> Markup:
    kind = KINDS[picture.name[picture.name.rindex(".") :]]
    look = "" if kind == "image/svg+xml" else "paper" if picture.pixels else "drawn"  # an SVG has its own
    source = f"data:{kind};base64,{b64encode(picture.content).decode()}"
    parts = [
        tag("label", tag("input", type="checkbox"), " ", _("full size"), class_="full"),
        tag("img", class_=look, src=source, alt=picture.alt),
    ]
    parts += [tag("figcaption", picture.caption)] if picture.caption else []
    return tag("figure", *parts, class_="picture")
