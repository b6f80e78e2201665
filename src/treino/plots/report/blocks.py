"""The blocks of a report: sections, tables, charts and notes, as plain text and numbers.

One report has two readers: ``html`` and ``markdown``. Texts are escaped there and nowhere before, so nothing
that comes from data can be forgotten.
"""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["", "soft", "alarm", "good", "strong"]


@dataclass(frozen=True)
class Paragraph:
    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Note:
    """A box with a heading: a finding, or something to know before one reads on."""

    title: str
    lines: tuple[str, ...]
    tone: Tone = "alarm"


@dataclass(frozen=True)
class TableCell:
    """A table's cell. shade: from 0 to 1, how dark it is (None: not at all)."""

    text: str
    shade: float | None = None


@dataclass(frozen=True)
class TableBlock:
    """Rows under headings; the first cell of each row names it. numbers: the columns that hold numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str | TableCell, ...], ...]
    caption: str = ""
    numbers: bool = True


@dataclass(frozen=True)
class ListBlock:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    text: str
    language: str = "sh"


@dataclass(frozen=True)
class Drawing:
    """An SVG or a piece of a page that treino itself made, whose texts are escaped already."""

    html: str
    wide: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture's file. alt: what is seen, for who does not see it."""

    name: str
    content: bytes
    alt: str
    caption: str = ""


Block = Paragraph | Note | TableBlock | ListBlock | Code | Drawing | Picture


@dataclass(frozen=True)
class Section:
    """``parts`` are sections one level below."""

    title: str
    blocks: tuple[Block, ...]
    parts: tuple["Section", ...] = ()
