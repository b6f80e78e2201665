"""SVG elements of all pictures on a page.

Elements take their colour from the surrounding page, so that they follow light and dark mode.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from treino.base.text import shortened
from treino.plots.style import PALETTE
from treino_doctor.base.markup import tag

Point = tuple[float, float]

LETTER = 7.4  # approximate units per character at a font size of 14 units


def svg(width: float, height: float, /, *inside: str, alt: str, **attributes: str | float | None) -> Markup:
    """Return a whole picture. alt: a description for screen readers."""
    return tag("svg", *inside, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=alt, **attributes)


def fluid_svg(width: float, height: float, *inside: str, alt: str) -> Markup:
    """Return a picture that fills the available width, in the page's text colour, with font size 14 units."""
    style = f"width:100%;height:auto;max-width:{width * 1.2:g}px"
    font: dict[str, str | float | None] = {"font_family": "system-ui,sans-serif", "font_size": 14}
    return svg(width, height, *inside, alt=alt, style=style, **font, fill="currentColor")


def text(x: float, y: float, words: str, *inside: str, **attributes: str | float | None) -> Markup:
    """Return a text element. inside: further content, such as ``title``."""
    return tag("text", words, *inside, x=x, y=y, **attributes)


def upright_text(x: float, y: float, words: str, **attributes: str | float | None) -> Markup:
    """Return text that runs upwards, centred on the point."""
    where = f"translate({x:g} {y:.1f}) rotate(-90)"
    return tag("text", words, transform=where, text_anchor="middle", **attributes)


def title(words: str) -> Markup:
    """Return a title element: the hover text of the element that contains it."""
    return tag("title", words)


def path(points: Iterable[Point], *, closed: bool = False, **attributes: str | float | None) -> Markup:
    """Return straight lines through the points."""
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")
    return tag("path", d=d, **({} if closed else {"fill": "none"}), **attributes)


def line(start: Point, end: Point, **attributes: str | float | None) -> Markup:
    """Return a straight line between two points."""
    return tag("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], **attributes)


def circle(x: float, y: float, r: float, *inside: str, **attributes: str | float | None) -> Markup:
    return tag("circle", *inside, cx=x, cy=y, r=r, **attributes)


def rectangle(
    x: float, y: float, width: float, height: float, *inside: str, **attributes: str | float | None
) -> Markup:
    """Return a rectangle; x, y: its upper left corner."""
    return tag("rect", *inside, x=x, y=y, width=width, height=height, **attributes)


def image(
    x: float, y: float, width: float, height: float, uri: str, **attributes: str | float | None
) -> Markup:
    """Return an image stretched to the size. uri: from ``pixels.data_uri``."""
    place = {"x": x, "y": y, "width": width, "height": height}
    return tag("image", **place, preserveAspectRatio="none", href=uri, **attributes)


def colour(number: int) -> str:
    """Return a series' colour as CSS: the page's (``page.py``) if it defines one, else the palette's."""
    number %= len(PALETTE)
    return f"var(--s{number},{PALETTE[number]})"


def key(entries: Sequence[tuple[str, Markup]], width: float) -> tuple[Markup, float]:
    """Return (a legend's SVG, its height), with as many entries per line as fit.

    entries: (name, sample); a sample consists of elements from (0, 0) to 18 units to the right.
    """
    x, y, parts = 8.0, 14.0, []
    for name, sample in entries:
        words = shortened(name, 64)
        room = 26 + LETTER * len(words) + 14
        if x + room > width and x > 8:
            x, y = 8.0, y + 18
        parts.append(tag("g", sample, transform=f"translate({x:g} {y - 4:g})") + text(x + 24, y, words))
        x += room
    return Markup().join(parts), y + 8 if entries else 6.0
