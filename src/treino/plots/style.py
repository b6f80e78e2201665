"""The style of all pictures: colours, fonts, header, legend, and PNG output.

Figures are plain ``matplotlib.figure.Figure`` objects: no pyplot, no global state, no display needed.
"""

import io
import math
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING, Any

from treino.base.text import shortened
from treino.base.words import _, localised, numeral

if TYPE_CHECKING:  # the types of all pictures
    from matplotlib.artist import Artist as Artist
    from matplotlib.axes import Axes as Axes
    from matplotlib.colors import Normalize as Normalize
    from matplotlib.figure import Figure as Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D as Line2D
    from matplotlib.transforms import Bbox


Box = tuple[float, float, float, float]  # left, bottom, width and height, as shares of a figure

# Distinguishable with every kind of colour blindness: Okabe & Ito (2008), "Color Universal Design",
# ordered so that the first few differ most; from the eighth on, Paul Tol's "muted" scheme (2021).
# Regions also show class names, because twelve colours are hard to tell apart.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#D8C80A")
MUTED = ("#332288", "#882255", "#999933", "#44AA99", "#661100")
PALETTE = OKABE_ITO + MUTED
TRAIN, VALIDATION, TEST = PALETTE[0], PALETTE[5], PALETTE[2]
INKS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
INK, SOFT, FAINT, PAPER, ALARM = "#1b2733", "#52616f", "#dfe5ea", "#ffffff", "#b3261e"

WIDTH = 8.0  # inches; every picture must be readable at 800 pixels (100 dots per inch)
DPI = 150
GROUPED = 10_000  # thousands are separated from this number on
BACKEND = "MPLBACKEND"  # environment variable with matplotlib's backend

# Tried in this order for characters that DejaVu Sans (which comes with matplotlib) lacks.
LATIN, CHINESE = ("DejaVu Sans",), ("Noto Sans CJK SC", "WenQuanYi Zen Hei", "Microsoft YaHei")
OTHERS = ("Noto Sans CJK JP", "Hiragino Sans", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Emoji")
FAMILIES = (*LATIN, *CHINESE, "Arial Unicode MS", *OTHERS)


def load_matplotlib() -> ModuleType:
    """Import matplotlib, even if ``MPLBACKEND`` names a backend that this machine lacks.

    Such a name makes matplotlib's import fail. Writing files needs no backend, so the import runs without the
    name; it is then set as the import would have set it, so that the user's own windows open as before.
    """
    if "matplotlib" in sys.modules:
        return sys.modules["matplotlib"]
    backend = os.environ.pop(BACKEND, None)
    try:
        matplotlib = import_module("matplotlib")
    finally:
        if backend is not None:
            os.environ[BACKEND] = backend
    if backend:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
    return matplotlib


def rgb(hexadecimal: str) -> tuple[float, float, float]:
    """Return ``#0072b2`` as shares of red, green and blue."""
    red, green, blue = bytes.fromhex(hexadecimal.removeprefix("#"))
    return red / 255, green / 255, blue / 255


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Return those fonts of ``FAMILIES`` that are installed."""
    load_matplotlib()
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in FAMILIES if name in installed)


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset().union(*(get_font(findfont(name)).get_charmap() for name in families()))


@contextmanager
def look() -> Iterator[None]:
    """Apply treino's style over matplotlib's defaults, ignoring the user's matplotlibrc."""
    matplotlib = load_matplotlib()
    keep = {"backend", "backend_fallback", "interactive", "toolbar", "timezone", "date.epoch"}
    plain: dict[Any, Any] = {
        k: v for k, v in matplotlib.rcParamsDefault.items() if k not in keep and not k.startswith("_")
    }
    own: dict[Any, Any] = {
        "font.family": list(families()),
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.labelsize": 11,
        "axes.edgecolor": SOFT,
        "axes.linewidth": 0.8,
        "axes.axisbelow": True,
        "axes.formatter.useoffset": False,
        "axes.formatter.limits": (-4, 9),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
        "grid.color": FAINT,
        "grid.linewidth": 0.8,
        "lines.linewidth": 2.0,
        "lines.solid_capstyle": "round",
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
        "path.simplify": True,
        "agg.path.chunksize": 20000,  # one path can't hold a line through a million losses
    }
    with matplotlib.rc_context(plain | own):
        yield


def new_figure(height: float = 6.0) -> "Figure":
    """Return an empty figure of the common width; ``height`` in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=DPI)
    FigureCanvasAgg(figure)  # measures text as the PNG writer draws it
    return figure


def png(figure: "Figure", dpi: int = DPI) -> bytes:
    """Return the figure as PNG bytes, reproducibly: without time or software name."""
    file = io.BytesIO()
    with look():
        localise_ticks(figure)
        thin_ticks(figure)
        fit_left(figure)
        figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()


def label(text: str, most: int = 24) -> str:
    """Return ``text`` from data so that matplotlib shows it literally: no formulas, one line, shortened.

    Characters that no font here has become U+FFFD; a leading underscore would hide the text from legends.
    """
    line = " ".join(text.split())
    line = shortened("".join(c if ord(c) in _letters() else "\ufffd" for c in line if c.isprintable()), most)
    if line.startswith("_"):
        line = " " + line
    return line.replace("$", r"\$")


def class_labels(classes: Sequence[str], most: int = 24) -> list[str]:
    """Return class names for a picture; a name that looks like another or lost characters gets its number."""
    names = [label(name, most) for name in classes]
    return [
        name
        if names.count(name) == 1 and name.strip() and "\ufffd" not in name
        else f"{number}: {label(classes[number], most - 4)}".rstrip()
        for number, name in enumerate(names)
    ]


def colour(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def setting_name(name: str) -> str:
    """Return a setting's name for a picture: ``weight decay``."""
    return label(name.replace("_", " "), 24)


def few_letters(value: float) -> str:
    """Return a short number for an axis label: 1e6 instead of 1000000."""
    if abs(value) < 1e5:
        return numeral(value)
    return numeral(value, ".0e").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def percent(share: float) -> str:
    """Return a share in per cent; 100 % and 0 % only if exact."""
    value = 100 * share
    if 0 < value < 0.5 or 99.5 <= value < 100:
        return _("{value} %").format(value=numeral(max(0.1, math.floor(value * 10) / 10), ".1f"))
    return _("{value} %").format(value=numeral(value, ".0f"))


def localise_ticks(figure: "Figure") -> None:
    """Format all tick labels in the reader's language; call before the figure is drawn."""
    from matplotlib.ticker import ScalarFormatter

    class LocalFormatter(ScalarFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            plain = super().__call__(x, pos)
            large = abs(x) >= GROUPED and x == round(x) and not self.get_offset()
            return localised(f"{x:,.0f}".replace("-", "−") if large else plain)

    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if type(axis.get_major_formatter()) is ScalarFormatter:
            axis.set_major_formatter(LocalFormatter())


def thin_ticks(figure: "Figure") -> None:
    """Show fewer tick labels on x axes where they would overlap."""
    from matplotlib.ticker import AutoLocator, MaxNLocator

    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]

    def crowded(axes: "Axes") -> bool:
        low, high = sorted(axes.get_xlim())
        texts = [t for t in axes.xaxis.get_majorticklabels() if t.get_text() and t.get_visible()]
        boxes = [t.get_window_extent(renderer) for t in texts if low <= t.get_position()[0] <= high]
        return any(a.x1 + 0.06 * figure.dpi > b.x0 for a, b in pairwise(sorted(boxes, key=lambda b: b.x0)))

    for axes in figure.axes:
        for most in (6, 4, 3, 2):
            if type(axes.xaxis.get_major_locator()) not in (AutoLocator, MaxNLocator) or not crowded(axes):
                break
            axes.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))


def fit_left(figure: "Figure") -> None:
    """Narrow the axes at the left edge until their labels fit in the figure."""
    renderer, inside = figure.canvas.get_renderer(), 0.06 * figure.dpi  # type: ignore[attr-defined]
    lefts: dict[float, list[Axes]] = {}
    for axes in figure.axes:
        if axes.axison and axes.name == "rectilinear":
            lefts.setdefault(round(axes.get_position().x0, 3), []).append(axes)
    for column in lefts.values():
        boxes = [box for axes in column if (box := axes.yaxis.get_tightbbox(renderer)) is not None]
        short = inside - min((box.x0 for box in boxes), default=inside)
        for axes in column if short > 0.5 else ():
            box, more = axes.get_position(), short / figure.bbox.width
            axes.set_position((box.x0 + more, box.y0, box.width - more, box.height))


LETTERS = 106  # per header line
LINE = 0.205  # inches per header line


def header_inches(sentences: Iterable[str], warnings: Iterable[str] = ()) -> float:
    """Return the height of ``header`` with these lines, in inches."""
    return 0.62 + LINE * sum(len(textwrap.wrap(text, LETTERS)) for text in [*sentences, *warnings])


def header(figure: "Figure", title: str, sentences: Iterable[str], warnings: Iterable[str] = ()) -> float:
    """Draw title and sentences at the top left. Return the y, from 0 to 1, below which there is room."""
    inches = figure.get_figheight()
    y = inches - 0.18
    figure.text(0.02, y / inches, title, fontsize=14, weight="bold", va="top")
    y -= 0.32
    for text, ink in [*((s, SOFT) for s in sentences), *((w, ALARM) for w in warnings)]:
        for line in textwrap.wrap(text, LETTERS):
            figure.text(0.02, y / inches, line, fontsize=10, color=ink, va="top")
            y -= LINE
    return (y - 0.12) / inches


def titled(
    title: str,
    name: str,
    sentences: Sequence[str],
    warnings: Sequence[str] = (),
    *,
    below: float | None = None,
    height: float = 6.0,
) -> "tuple[Figure, float, float]":
    """Return a new figure with a header, the y, from 0 to 1, below which there is room, and its height.

    title: has ``{name}``, which comes from data. below: inches of that room; default: what ``height`` leaves.
    """
    height = height if below is None else header_inches(sentences, warnings) + below
    figure = new_figure(height)
    return figure, header(figure, title.format(name=label(name, 44)), sentences, warnings), height


def legend(axes: "Axes", handles: Sequence[Any], labels: Sequence[str], **where: Any) -> "Legend":
    """Draw a legend of only these entries, in this order, on an opaque background that hides lines below."""
    paper: dict[str, Any] = {"frameon": True, "facecolor": PAPER, "edgecolor": "none", "framealpha": 0.85}
    apart: dict[str, Any] = {"borderaxespad": 0.3, "handletextpad": 0.6}
    shown: Legend = axes.legend(list(handles), list(labels), **apart, **paper, **where)
    shown.set_zorder(7)
    return shown


def legend_in_lines(
    figure: "Figure", handles: Sequence[Any], labels: Sequence[str], box: Box, ncols: int, **look: Any
) -> None:
    """Draw a legend alone in a box of the figure, with ``ncols`` entries per line."""
    corner = figure.add_axes(box)
    corner.set_axis_off()
    legend(corner, handles, labels, loc="center left", ncols=ncols, **look)


def strokes(inks: Iterable[Any], width: float = 2.5) -> list[Any]:
    """Return legend handles: a piece of a line in each colour."""
    return [stroke(color=ink, linewidth=width) for ink in inks]


def stroke(**look: Any) -> "Line2D":
    """Return a legend handle: a piece of a line, or a marker, with this look."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **look)


def spot(marker: str, size: float, **look: Any) -> "Line2D":
    """Return a legend handle: a marker alone."""
    return stroke(linestyle="none", marker=marker, markersize=size, **look)


def axes_at(figure: "Figure", left: float, bottom: float, width: float, height: float) -> "Axes":
    """Return new axes at a place in inches."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((left / wide, bottom / high, width / wide, height / high))


def legend_at_right(axes: "Axes", handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Draw the legend beside the axes, narrowing them by the width of its longest line."""
    shown = legend(axes, handles, labels, loc="upper left", bbox_to_anchor=(1.03, 1.0), handlelength=1.6)
    inches = extent(shown).width / DPI
    box = axes.get_position()
    right = 1 - (inches + 0.25) / WIDTH
    axes.set_position((box.x0, box.y0, right - box.x0, box.height))


def beside(axes: "Axes", words: str, at: Any, offset: tuple[float, float], **look_of: Any) -> Any:
    """Write words beside a point of the data. offset: distance from that point, in points."""
    return axes.annotate(words, at, offset, textcoords="offset points", **look_of)


def extent(artist: Any) -> "Bbox":
    """Return the bounding box of an artist of a ``new_figure``, in pixels."""
    box: Bbox = artist.get_window_extent(artist.get_figure().canvas.get_renderer())
    return box
