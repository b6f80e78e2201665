"""What is told of a training as blocks of plain text and numbers, and reports as Markdown.

``html``, ``markdown``, the terminal's `treino.cli.block_view`, a notebook's card and the studio's page, which
gets ``plain_blocks``, each render blocks, and only they escape texts, so that no text from data is missed.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from markupsafe import Markup

from treino_doctor.base.escaping import escape

# ---- the blocks of a report

Tone = Literal["", "soft", "alarm", "good", "strong"]


@dataclass(frozen=True)
class Paragraph:
    """A sentence or more. key: the name of one that a page adds something of its own to. step: that it speaks
    of, which a page of the training may show."""

    text: str
    tone: Tone = ""
    key: str = ""
    step: int | None = None


@dataclass(frozen=True)
class Note:
    """A box with a heading: a finding, or something to know beforehand."""

    title: str
    lines: tuple[str, ...]
    tone: Tone = "alarm"


@dataclass(frozen=True)
class TableCell:
    """A table's cell. shade: darkness from 0 to 1, or None. picture: a data URI, which ``text`` describes.
    value: a number or setting that it is sorted by; None: by its text."""

    text: str
    shade: float | None = None
    picture: str = ""
    value: Any = None


@dataclass(frozen=True)
class TableBlock:
    """Rows under headings; the first cell names the row. left: which columns hold texts; None: all. The
    others hold numbers. keys: the names of the columns of a table that a page lets its reader sort."""

    head: tuple[str, ...]
    rows: tuple[tuple["str | TableCell | Drawing", ...], ...]
    caption: str = ""
    left: Container[int] | None = (0,)
    keys: tuple[str, ...] = ()

    def is_text(self, column: int) -> bool:
        return self.left is None or column in self.left


@dataclass(frozen=True)
class ListBlock:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    text: str
    language: str = "sh"


@dataclass(frozen=True)
class Drawing:
    """A fragment of SVG or HTML."""

    html: Markup
    wide: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture's file. alt: a description for screen readers. pixels: it shows pictures of the data, whose
    colours dark mode must not change."""

    name: str
    content: bytes
    alt: str
    caption: str = ""
    pixels: bool = False


@dataclass(frozen=True)
class Folded:
    """A table that is shown when its title is clicked."""

    title: str
    table: TableBlock


Block = Paragraph | Note | TableBlock | ListBlock | Code | Drawing | Picture | Folded


Parts = Mapping[str, Sequence[Block]]
"""What is told of a training in parts, by their names."""


def blocks_of(parts: Parts, *, without: Container[str] = ()) -> list[Block]:
    """Return the blocks of all parts. without: parts that a page shows in another way."""
    return [block for name, part in parts.items() if name not in without for block in part]


def sentences(blocks: Iterable[Block]) -> list[str]:
    """Return the texts of the paragraphs among the blocks."""
    return [block.text for block in blocks if isinstance(block, Paragraph)]


@dataclass(frozen=True)
class Section:
    """A section; ``parts`` are its subsections."""

    title: str
    blocks: tuple[Block, ...]
    parts: tuple["Section", ...] = ()


# ---- blocks as JSON, for the studio


def plain_blocks(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Return sentences, lists and tables as JSON; what is drawn is left out."""
    plain = list[dict[str, Any]]()
    for block in blocks:
        if isinstance(block, Paragraph | ListBlock):
            plain.append(asdict(block))
        elif isinstance(block, TableBlock):
            cells = [[_cell(cell) for cell in row] for row in block.rows]
            table = {"caption": block.caption, "head": list(block.head), "keys": list(block.keys)}
            values = [[cell.value for cell in row] for row in cells] if block.keys else []
            plain.append(table | {"rows": [[cell.text for cell in row] for row in cells], "values": values})
    return plain


# ---- Markdown, for a pull request

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&@])")


def markdown(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return GitHub's Markdown, with all texts escaped so that data makes no markup and mentions nobody."""
    parts = [f"# {_plain(title)}", _plain(subtitle)]
    for section in sections:
        parts += _section(section, 2)
    return "\n\n".join(parts) + "\n"


def _section(section: Section, level: int) -> list[str]:
    blocks = [text for block in section.blocks if (text := _block(block))]
    below = [part for each in section.parts for part in _section(each, level + 1)]
    return [f"{'#' * min(level, 6)} {_plain(section.title)}", *blocks, *below] if blocks or below else []


def _plain(text: str) -> str:
    """Escape Markdown's special characters with backslashes, and break mentions and links."""
    line = _SPECIAL.sub(r"\\\1", escape(text.strip())).replace("://", ":\u200b//")
    return line.replace("\\@", "@\u200b")


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        text = _plain(block.text)
        return f"**{text}**" if block.tone in ("alarm", "good", "strong") and text else text
    if isinstance(block, Note):
        lines = [f"**{_plain(block.title)}**", *map(_plain, block.lines)]
        return "\n".join(f"> {line}  " for line in lines).rstrip()
    if isinstance(block, ListBlock):
        return "\n".join(f"- {_plain(item)}" for item in block.items)
    if isinstance(block, Code):
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", block.text)), default=0))
        code = escape(block.text, exceptions="\n\t")
        return f"{fence}{block.language}\n{code}\n{fence}"
    if isinstance(block, TableBlock):
        return _table(block)
    return ""


def cell_text(cell: str | TableCell | Drawing) -> str:
    return cell if isinstance(cell, str) else cell.text if isinstance(cell, TableCell) else ""


def _cell(cell: str | TableCell | Drawing) -> TableCell:
    return cell if isinstance(cell, TableCell) else TableCell(cell_text(cell))


def _table(table: TableBlock) -> str:
    align = ["---" if table.is_text(n) else "---:" for n in range(len(table.head))]
    rows = [[_plain(cell_text(cell)) for cell in row] for row in table.rows]
    lines = [[_plain(name) for name in table.head], align, *rows]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{_plain(table.caption)}\n\n{text}" if table.caption else text
