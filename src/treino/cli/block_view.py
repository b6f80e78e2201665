"""Blocks on the terminal: sentences, lists and tables; charts and pictures are left out."""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import RenderableType
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
            parts.append(line(("! ", "yellow"), " ".join(filter(None, [block.title, *block.lines]))))
        elif isinstance(block, TableBlock):
            parts += [*filter(None, [block.caption]), _table(block)]
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


def _table(block: TableBlock) -> Table:
    """Without columns of charts. Headings take up to two lines, so that their columns stay narrow."""
    made, columns = Table(box=None, pad_edge=False, show_header=any(block.head)), list[list[str]]()
    for number, (heading, *cells) in enumerate(zip(block.head, *block.rows, strict=True)):
        if not any(isinstance(cell, Drawing) for cell in cells):
            texts = list(map(cell_text, cells))
            widest = max(cell_len(heading) // 2 + 1, *map(cell_len, [*heading.split(), *texts]), 0)
            made.add_column(heading, justify="left" if block.is_text(number) else "right", max_width=widest)
            columns.append(texts)
    for row in zip(*columns, strict=True):
        made.add_row(*row)
    return made
