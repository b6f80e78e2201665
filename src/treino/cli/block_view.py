"""Blocks on the terminal: sentences, lists and tables; charts and pictures are left out."""

from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table

from treino.base.console import table
from treino.plots.report.blocks import Block, ListBlock, Paragraph, TableBlock, cell_text


def shown(blocks: Iterable[Block]) -> list[RenderableType]:
    """What the terminal shows of the blocks, with an empty line above and below each table."""
    parts, apart = list[RenderableType](), False
    for block in blocks:
        if parts and (apart or isinstance(block, TableBlock)):
            parts.append("")
        apart = isinstance(block, TableBlock)
        if isinstance(block, TableBlock):
            parts += [*filter(None, [block.caption]), _table(block)]
        elif isinstance(block, Paragraph):
            parts.append(block.text)
        elif isinstance(block, ListBlock):
            parts += [f"- {item}" for item in block.items]
    return parts


def _table(block: TableBlock) -> Table:
    """Headings are wrapped, so that their columns are no wider than the cells."""
    rows = [[cell_text(cell) for cell in row] for row in block.rows]
    made = table(block.head, rows, left=block.left, headed=any(block.head))
    for column, heading, *cells in zip(made.columns, block.head, *rows, strict=True):
        column.max_width = max(map(cell_len, [*heading.split(), *cells]), default=0)
    return made
