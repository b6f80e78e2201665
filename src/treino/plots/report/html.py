"""A report as one HTML page that loads nothing, escapes all data, and can be printed."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from treino.base.words import _
from treino.plots.page import page
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


def html(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return the whole page: title, table of contents, sections."""
    links = "".join(
        f"<li><a href='#s{i}'>{escape(section.title)}</a></li>" for i, section in enumerate(sections)
    )
    nav = f"<nav aria-label='{escape(_('contents'), quote=True)}'><ul>{links}</ul></nav>"
    parts = [f"<section id='s{i}'>{_section(s, 2)}</section>" for i, s in enumerate(sections)]
    head = f"<header><h1>{escape(title)}</h1><p class='soft'>{escape(subtitle)}</p></header>"
    return page(
        title, "\n".join([head, nav if len(sections) > 1 else "", "<main>", *parts, "</main>"]), STYLE
    )


def _section(section: Section, level: int) -> str:
    parts, charts = [f"<h{level}>{escape(section.title)}</h{level}>"], []
    for block in section.blocks:
        if isinstance(block, Drawing) and not block.wide:
            charts.append(f"<div>{block.html}</div>")
            continue
        parts += [_chart_row(charts), _block(block)]
        charts = []
    parts.append(_chart_row(charts))
    parts += [f"<section>{_section(part, min(level + 1, 6))}</section>" for part in section.parts]
    return "\n".join(part for part in parts if part)


def _chart_row(charts: list[str]) -> str:
    """Place consecutive charts side by side if there is room."""
    return f"<div class='charts'>{''.join(charts)}</div>" if charts else ""


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p class='{block.tone}'>{escape(block.text)}</p>"
    if isinstance(block, Note):
        lines = "".join(f"<p>{escape(line)}</p>" for line in block.lines)
        return f"<div class='note {block.tone}'><p class='strong'>{escape(block.title)}</p>{lines}</div>"
    if isinstance(block, ListBlock):
        return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</ul>"
    if isinstance(block, Code):
        return f"<pre><code>{escape(block.text)}</code></pre>"
    if isinstance(block, TableBlock):
        return _table(block)
    if isinstance(block, Picture):
        return _picture(block)
    if isinstance(block, Folded):
        return f"<details><summary>{escape(block.title)}</summary>{_table(block.table)}</details>"
    return f"<div>{block.html}</div>"


def _table(table: TableBlock) -> str:
    number = " class='number'" if table.numbers else ""
    head = "".join(
        f"<th scope='col'{number if i else ''}>{escape(name)}</th>" for i, name in enumerate(table.head)
    )
    first = (f"<th scope='row'>{escape(cell_text(row[0]))}</th>" for row in table.rows)
    others = ("".join(_cell(c, number) for c in row[1:]) for row in table.rows)
    rows = "".join(f"<tr>{name}{cells}</tr>" for name, cells in zip(first, others, strict=True))
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    thead = f"<thead><tr>{head}</tr></thead>" if any(table.head) else ""
    return f"<div class='scroll'><table>{caption}{thead}<tbody>{rows}</tbody></table></div>"


def _cell(cell: str | TableCell | Drawing, look: str) -> str:
    if isinstance(cell, Drawing):
        return f"<td>{cell.html}</td>"
    if isinstance(cell, TableCell) and cell.shade is not None:
        return f"<td class='shaded' style='--p:{round(70 * cell.shade)}%'>{escape(cell.text)}</td>"
    if isinstance(cell, TableCell) and cell.picture:
        return f"<td><img class='thumb' src='{cell.picture}' alt=\"{escape(cell.text, quote=True)}\"></td>"
    text = cell_text(cell)
    short = " class='short'" if len(text) <= SHORT else ""
    return f"<td{look or short}>{escape(text)}</td>"


def _picture(picture: Picture) -> str:
    kind = KINDS[picture.name[picture.name.rindex(".") :]]
    data = b64encode(picture.content).decode()
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    look = "" if kind == "image/svg+xml" else "paper" if picture.pixels else "drawn"  # an SVG has its own
    full = f"<label class='full'><input type='checkbox'/> {escape(_('full size'))}</label>"
    alt = escape(picture.alt, quote=True)
    source = f"data:{kind};base64,{data}"
    return (
        f"<figure class='picture'>{full}<img class='{look}' src='{source}' alt=\"{alt}\">{caption}</figure>"
    )
