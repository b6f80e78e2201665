"""What a report says and shows of images."""

from treino.data.summaries.image_description import ImagesDescription
from treino.plots.contact_sheet import contact_sheet
from treino.plots.report.blocks import Block, ListBlock, Picture, TableBlock
from treino.words import _


def image_blocks(name: str, images: ImagesDescription, sheet: bool) -> list[Block]:
    """What images are like, how many there are of each class, and, where a sheet is asked for, the first."""
    head, lines = images.count_table()
    blocks: list[Block] = [
        TableBlock(("", ""), tuple(images.facts()), _("The images"), numbers=False),
        TableBlock(tuple(head), tuple(tuple(cells) for cells, _first in lines)),
    ]
    if said := [f"{message} {hint}" for _rule, message, hint, _row in images.warnings()]:
        blocks.append(ListBlock(tuple(said)))
    if sheet:
        blocks.append(Picture("images.png", contact_sheet(name, images), _("The first images of each class")))
    return blocks
