"""Blocks on the terminal: sentences, lists and tables; charts and pictures are left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table

from treino.base.console import line
from treino.base.words import _
from treino.plots.report.blocks import (
    Block,
    Drawing,
    Folded,
    ListBlock,
    Note,
    Paragraph,
    TableBlock,
    cell_text,
)

NAMES = 20  # maximum number of a list's files
GAP = 2  # between columns


def shown(blocks: Iterable[Block]) -> list[RenderableType]:
    """What the terminal shows of the blocks, with an empty line above and below each table."""
    parts, apart = list[RenderableType](), False
    for block in blocks:
        if parts and (apart or isinstance(block, TableBlock | Folded)):
            parts.append("")
        apart = isinstance(block, TableBlock | Folded)
        if isinstance(block, Folded):
            parts += [line((block.title, "bold")), *_names(block.table)]
        elif isinstance(block, Note):
            title = block.title if block.title.endswith(".") else f"{block.title}:"
            parts.append(line(("! ", "yellow"), " ".join(filter(None, [title, *block.lines]))))
        elif isinstance(block, TableBlock):
            parts += [*filter(None, [block.caption]), _Table(block)]
        elif isinstance(block, Paragraph):
            parts.append(block.text)
        elif isinstance(block, ListBlock):
            parts += [f"- {item}" for item in block.items]
    return parts


def _names(block: TableBlock) -> Iterator[RenderableType]:
    """The first lines of a list of files; none is wrapped, so that a name can be copied."""
    for row in block.rows[:NAMES]:
        name = line(f"  {cell_text(row[0])}")
        name.no_wrap, name.overflow = True, "ignore"
        yield name
    if (more := len(block.rows) - NAMES) > 0:
        yield _("  and {n:,} more; all of them: --json").format(n=more)


@dataclass(frozen=True)
class _Table:
    """A table without columns of charts. In a narrow terminal headings take more lines, so that no cell is
    cut."""

    block: TableBlock

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        block = self.block
        columns = [
            (block.is_text(number), heading, list(map(cell_text, cells)))
            for number, (heading, *cells) in enumerate(zip(block.head, *block.rows, strict=True))
            if not any(isinstance(cell, Drawing) for cell in cells)
        ]
        least = [max(map(cell_len, [*head.split(), *cells]), default=0) for _text, head, cells in columns]
        whole = [max(cell_len(columns[n][1]), width) for n, width in enumerate(least)]
        wide = sum(whole) + GAP * len(whole) <= options.max_width
        made = Table(box=None, pad_edge=False, show_header=any(block.head))
        for (text, head, _cells), width in zip(columns, whole if wide else least, strict=True):
            made.add_column(head, justify="left" if text else "right", max_width=width)
        for row in zip(*(cells for _text, _head, cells in columns), strict=True):
            made.add_row(*row)
        yield made
