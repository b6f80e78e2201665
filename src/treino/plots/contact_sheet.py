"""A contact sheet: many pictures in groups, each with a few words, as one image or as an HTML page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from treino.base.words import numeral
from treino.plots.page import page
from treino.plots.pixels import data_uri
from treino.plots.style import (
    ALARM,
    INK,
    SOFT,
    WIDTH,
    header,
    header_inches,
    label,
    look,
    new_figure,
    png,
)

ACROSS = 8
MARGIN, SIDE, LINE, HEADING = 0.16, 0.84, 0.125, 0.34  # inches: at the edge; of a picture, a line, a heading
LETTERS = 17  # in a line below a picture
STYLE = """
.sheet { display: flex; flex-wrap: wrap; gap: .75rem; } .sheet figure { margin: 0; width: 104px; font-size: 12px; line-height: 1.3; }
.sheet img { width: 96px; height: 96px; object-fit: contain; image-rendering: pixelated; display: block; border: 4px solid transparent; }
.sheet .wrong img { border-color: var(--alarm); } .sheet .wrong b { color: var(--alarm); }
.sheet figcaption { overflow-wrap: anywhere; padding-left: 4px; } h2 .soft { font-weight: 400; }
"""  # noqa: E501


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture on a sheet. pixels: ``[C, H, W]`` from 0 to 1, C 1 or 3. words: the lines below it. alarm:
    a line in an alarming colour below them, and a frame; "": neither."""

    pixels: NDArray[np.floating]
    words: tuple[str, ...]
    alarm: str = ""

    @property
    def rgb(self) -> NDArray[np.floating]:
        """``[H, W, 3]``"""
        return np.broadcast_to(np.moveaxis(self.pixels, 0, -1), (*self.pixels.shape[1:], 3))


@dataclass(frozen=True, eq=False)
class TileGroup:
    """Pictures under one heading; ``of`` is the number of all that belong to it, shown or not."""

    heading: str
    of: int
    tiles: Sequence[Tile]


def sheet_page(title: str, sentences: Sequence[str], groups: Sequence[TileGroup]) -> str:
    """The sheet as an HTML page."""
    parts = [f"<h1>{escape(title)}</h1>", *(f'<p class="soft">{escape(each)}</p>' for each in sentences)]
    for group in groups:
        count = f"<span class='soft'>{numeral(group.of, ',')}</span>"
        figures = "".join(map(_figure, group.tiles))
        parts.append(f"<h2>{escape(group.heading)} {count}</h2><div class='sheet'>{figures}</div>")
    return page(title, "\n".join(parts), STYLE)


def _figure(tile: Tile) -> str:
    lines = [escape(word) for word in tile.words]
    lines += [f"<b>{escape(tile.alarm)}</b>"] if tile.alarm else []
    return (
        f"<figure{' class=wrong' if tile.alarm else ''}><img src='{data_uri(tile.rgb)}' alt=''>"
        f"<figcaption>{'<br>'.join(lines)}</figcaption></figure>"
    )


def sheet_png(title: str, sentences: Sequence[str], groups: Sequence[TileGroup]) -> bytes:
    """The sheet as an image."""
    lines = max((len(t.words) + bool(t.alarm) for group in groups for t in group.tiles), default=0)
    pitch, down = (WIDTH - 2 * MARGIN) / ACROSS, SIDE + LINE * lines + 0.1
    tall = sum(HEADING + down * math.ceil(len(group.tiles) / ACROSS) for group in groups)
    with look():
        figure = new_figure(header_inches(sentences) + tall + MARGIN)
        height = figure.get_figheight()
        top = header(figure, label(title, 70), sentences) * height
        axes = figure.add_axes((0, 0, 1, 1))
        for group in groups:
            axes.text(MARGIN, top - 0.2, label(group.heading, 60), fontsize=11, weight="bold")
            axes.text(WIDTH - MARGIN, top - 0.2, numeral(group.of, ","), fontsize=10, color=SOFT, ha="right")
            top -= HEADING
            for at, tile in enumerate(group.tiles):
                row, column = divmod(at, ACROSS)
                x, y = MARGIN + column * pitch, top - row * down
                pixels = tile.rgb
                inch = SIDE / max(pixels.shape[:2])
                wide, high = pixels.shape[1] * inch, pixels.shape[0] * inch
                axes.imshow(pixels, extent=(x, x + wide, y - high, y), interpolation="nearest")
                words = [*((word, SOFT if i else INK) for i, word in enumerate(tile.words))]
                words += [(tile.alarm, ALARM)] if tile.alarm else []
                for line, (word, ink) in enumerate(words, 1):
                    axes.text(x, y - SIDE - line * LINE, label(_end(word), LETTERS), fontsize=7, color=ink)
                if tile.alarm:
                    axes.plot([x, x + wide, x + wide, x, x], [y, y, y - high, y - high, y], color=ALARM, lw=2)
            top -= down * math.ceil(len(group.tiles) / ACROSS)
        axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="auto")
        axes.set_axis_off()
    return png(figure)


def _end(word: str) -> str:
    """The end of a long word, which tells files apart."""
    return word if len(word) <= LETTERS else f"…{word[1 - LETTERS :]}"
