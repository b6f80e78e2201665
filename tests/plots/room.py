"""Words in a figure that are cut at its edge or overlap."""

from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from treino.plots.style import png


def texts(figure: Figure) -> str:
    """All that is written in it."""
    return "\n".join(t.get_text() for t in figure.findobj(Text))


def words(figure: Figure) -> list[tuple[str, Bbox, bool]]:
    """Every text that is drawn, its box in pixels, whether it slants; the figure ends as its PNG does."""
    found: list[tuple[str, Bbox, bool]] = []
    draw = Text.draw

    def drawn(text: Text, renderer: object, *rest: object, **more: object) -> None:
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent(renderer)
            found.append((text.get_text(), box, text.get_rotation() % 90 != 0))
        draw(text, renderer, *rest, **more)

    Text.draw = drawn
    try:
        png(figure, int(figure.dpi))
    finally:
        Text.draw = draw
    return found


def outside(figure: Figure) -> list[str]:
    """What is cut, at least partly."""
    edge = figure.bbox
    return [
        text
        for text, box, _slanted in words(figure)
        if box.x0 < edge.x0 - 1 or box.y0 < edge.y0 - 1 or box.x1 > edge.x1 + 1 or box.y1 > edge.y1 + 1
    ]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """What stands on each other, by more than a pixel; of slanted words the box says nothing."""
    found = [(text, box.padded(-1)) for text, box, slanted in words(figure) if not slanted]
    return [(a, b) for (a, one), (b, other) in combinations(found, 2) if one.overlaps(other)]
