"""A contact sheet: many pictures in groups, each with a few words, as one image or as an HTML page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from treino.base.text import tail
from treino.base.words import numeral
from treino.plots.page import html_page
from treino.plots.pixels import data_uri
from treino.plots.style import ALARM, INK, SOFT, WIDTH, header, header_inches, label, look, new_figure, png
from treino_doctor.base.markup import tag

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS = 8
MARGIN, GAP = 0.16, 0.12  # inches at the edge, and between pictures
LINE, HEADING = 0.125, 0.34  # heights of a line and of a heading, in inches
LETTER = 0.05  # width in inches of a letter below a picture
STYLE = """
.sheet { display: flex; flex-wrap: wrap; gap: .75rem; } .sheet figure { margin: 0; width: 104px; font-size: 12px; line-height: 1.3; }
.sheet img { width: 96px; height: 96px; object-fit: contain; image-rendering: pixelated; display: block; border: 4px solid transparent; }
.sheet .wrong img { border-color: var(--alarm); } .sheet .wrong b { color: var(--alarm); }
.sheet figcaption { overflow-wrap: anywhere; padding-left: 4px; } h2 .soft { font-weight: 400; }
"""  # noqa: E501


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture on a sheet. pixels: ``[H, W]`` or ``[H, W, 3]``, 0 to 255. words: the lines below it. alarm:
    a warning below them in a striking colour, with a frame around the picture; "" for none."""

    pixels: NDArray[np.uint8]
    words: tuple[str, ...]
    alarm: str = ""

    @property
    def rgb(self) -> NDArray[np.floating]:
        """Return the pixels ``[H, W, 3]`` from 0 to 1."""
        pixels = self.pixels[..., None] if self.pixels.ndim == 2 else self.pixels
        return np.broadcast_to(pixels, (*pixels.shape[:2], 3)) / 255


@dataclass(frozen=True, eq=False)
class TileGroup:
    """Pictures under one heading, ``across`` per line; ``of`` counts all of the group, shown or not."""

    heading: str
    of: int
    tiles: Sequence[Tile]
    across: int = ACROSS

    @property
    def side(self) -> float:
        """Return the length of a picture's longer side in inches."""
        return (WIDTH - 2 * MARGIN) / self.across - GAP

    @property
    def tall(self) -> float:
        """Return the height of the tallest picture in inches."""
        shapes = [tile.pixels.shape for tile in self.tiles]
        return self.side * max((shape[0] / max(shape[:2]) for shape in shapes), default=1.0)

    @property
    def down(self) -> float:
        """Return the distance from one line to the next in inches."""
        return self.tall + 0.1 + LINE * max((len(t.words) + bool(t.alarm) for t in self.tiles), default=0)

    @property
    def inches(self) -> float:
        return HEADING * bool(self.heading) + self.down * math.ceil(len(self.tiles) / self.across)


def sheet_page(title: str, sentences: Sequence[str], groups: Sequence[TileGroup]) -> Markup:
    """Return the sheet as an HTML page."""
    parts = [tag("h1", title), *(tag("p", each, class_="soft") for each in sentences)]
    for group in groups:
        count = tag("span", numeral(group.of, ","), class_="soft")
        parts.append(tag("h2", group.heading, " ", count))
        parts.append(tag("div", *map(_figure, group.tiles), class_="sheet"))
    return html_page(title, *parts, style=STYLE)


def _figure(tile: Tile) -> Markup:
    lines: list[str] = [*tile.words]
    lines += [tag("b", tile.alarm)] if tile.alarm else []
    caption = tag("figcaption", tag("br").join(lines))
    picture = tag("img", src=data_uri(tile.rgb), alt="")
    return tag("figure", picture, caption, class_="wrong" if tile.alarm else None)


def sheet_png(title: str, sentences: Sequence[str], groups: Sequence[TileGroup]) -> bytes:
    """Return the sheet as a PNG."""
    with look():
        figure = new_figure(header_inches(sentences) + sum(group.inches for group in groups) + MARGIN)
        height = figure.get_figheight()
        top = header(figure, label(title, 70), sentences) * height
        axes = figure.add_axes((0, 0, 1, 1))
        for group in groups:
            _draw(axes, group, top)
            top -= group.inches
        axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="auto")
        axes.set_axis_off()
    return png(figure)


def _draw(axes: "Axes", group: TileGroup, top: float) -> None:
    """Draw a group below ``top``. axes: cover the whole figure, with coordinates in inches."""
    if group.heading:
        axes.text(MARGIN, top - 0.2, label(group.heading, 60), fontsize=11, weight="bold")
        axes.text(WIDTH - MARGIN, top - 0.2, numeral(group.of, ","), fontsize=10, color=SOFT, ha="right")
        top -= HEADING
    letters = round(group.side / LETTER)
    for at, tile in enumerate(group.tiles):
        row, column = divmod(at, group.across)
        x, y = MARGIN + column * (group.side + GAP), top - row * group.down
        pixels = tile.rgb
        inch = group.side / max(pixels.shape[:2])
        wide, high = pixels.shape[1] * inch, pixels.shape[0] * inch
        axes.imshow(pixels, extent=(x, x + wide, y - high, y), interpolation="nearest")
        words = [*((word, SOFT if i else INK) for i, word in enumerate(tile.words))]
        words += [(tile.alarm, ALARM)] if tile.alarm else []
        for line, (word, ink) in enumerate(words, 1):
            below = y - group.tall - line * LINE
            axes.text(x, below, label(tail(word, letters), letters), fontsize=7, color=ink)
        if tile.alarm:
            axes.plot([x, x + wide, x + wide, x, x], [y, y, y - high, y - high, y], color=ALARM, lw=2)
