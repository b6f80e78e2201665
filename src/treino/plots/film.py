"""Frames of a film as PNG: one figure, of which only the changing parts are drawn again."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treino.inspection.film import Frame
from treino.inspection.input_planes import Boundary, Fit, InputLine, Plane, Points
from treino.plots.boundary import draw_regions
from treino.plots.film_words import (
    absent_sentence,
    axis_names,
    change_sentence,
    film_title,
    place_sentence,
)
from treino.plots.points import draw_rows, marks, row_key, wrong_key
from treino.plots.regression import INKS
from treino.plots.style import (
    ALARM,
    INK,
    PAPER,
    SOFT,
    class_labels,
    colour,
    fit_left,
    legend_at_right,
    localise_ticks,
    look,
    new_figure,
    thin_ticks,
)
from treino.words import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

PIXELS = 100  # dots per inch: 800 pixels wide
GIF_WIDTH = 640
GIF_FRAMES = 150  # beyond, the GIF takes every second frame, or fewer
SHOWN_MS, LONG_MS = 140, 1400  # how long a frame stands, and the first and the last


def film_images(frames: Iterable[Frame], last: int) -> Iterator[tuple[Frame, "Image"]]:
    """Each frame with its picture, 800 × 600 pixels; last: the run's last step."""
    from PIL import Image

    figure = axes = None
    texts: list[Any] = []
    before: int | None = None
    for frame in frames:
        with look():
            if figure is None or axes is None:
                figure, axes, texts = _stage(frame)
            said = place_sentence(frame, last), change_sentence(frame, before), absent_sentence(frame)
            for text, sentence in zip(texts, said, strict=True):
                text.set_text(sentence)
            _act(axes, frame.shown)
            figure.set_dpi(PIXELS)
            figure.canvas.draw()
            pixels: NDArray[np.uint8] = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()  # type: ignore[attr-defined]
        before = frame.step
        yield frame, Image.fromarray(pixels)


def image_png(image: "Image") -> bytes:
    """PNG bytes; the same picture gives the same bytes."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def small(image: "Image") -> "Image":
    """The picture as a frame of the GIF: smaller, 128 colours."""
    from PIL import Image

    height = round(image.height * GIF_WIDTH / image.width)
    return image.resize((GIF_WIDTH, height), Image.Resampling.LANCZOS).quantize(128, dither=Image.Dither.NONE)


def gif_steps(steps: Sequence[int]) -> set[int]:
    """Which of these the GIF shows."""
    return {*steps[:: -(-len(steps) // GIF_FRAMES)], steps[-1]}


def gif(images: list["Image"]) -> bytes:
    """An animation without an end; the first and the last frame stand longer."""
    times = [SHOWN_MS] * len(images)
    times[0] = times[-1] = LONG_MS
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0)
    return file.getvalue()


def limits(shown: Boundary) -> tuple[tuple[float, float], tuple[float, float]]:
    """The x and the y range that all frames share."""
    if isinstance(shown, Plane):
        return (shown.x_R[0], shown.x_R[-1]), (shown.y_R[0], shown.y_R[-1])
    if isinstance(shown, InputLine) and shown.classes:
        return (shown.x_R[0], shown.x_R[-1]), (0.0, 1.02)
    true_N = np.concatenate([p.true_N for p in shown.points])
    low, high = float(true_N.min()), float(true_N.max())
    margin = 0.12 * (high - low) or 0.5 * max(1.0, abs(high))
    across = (low - margin, high + margin)
    return ((shown.x_R[0], shown.x_R[-1]) if isinstance(shown, InputLine) else across), across


def _stage(frame: Frame) -> tuple["Figure", "Axes", list[Any]]:
    """The figure with all that stays: title, axes, key; and the three texts that change."""
    shown = frame.shown
    figure = new_figure()
    inches = figure.get_figheight()
    figure.text(0.02, 1 - 0.18 / inches, film_title(shown), fontsize=14, weight="bold", va="top")
    places = [(0.50, INK), (0.72, SOFT), (0.94, ALARM)]
    texts = [
        figure.text(0.02, 1 - down / inches, "", fontsize=10, color=ink, va="top") for down, ink in places
    ]
    axes = figure.add_axes((0.95 / 8, 0.62 / inches, 0.98 - 0.95 / 8, 1 - (1.28 + 0.62) / inches))
    (x0, x1), (y0, y1) = limits(shown)
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)
    x_name, y_name = axis_names(shown)
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    handles, labels = _key(shown)
    legend_at_right(axes, handles, labels)
    if not isinstance(shown, Plane):
        axes.grid(True)
    localise_ticks(figure)
    thin_ticks(figure)
    fit_left(figure)
    return figure, axes, texts


def _key(shown: Boundary) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D

    classes = () if isinstance(shown, Fit) else shown.classes
    names = class_labels(classes)[:10]
    handles: list[Any] = [
        Line2D([], [], linestyle="none", marker="s", markersize=11, color=colour(c))
        for c in range(len(names))
    ]
    labels = list(names)
    if len(classes) > len(names):
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(_("… {n} more").format(n=len(classes) - len(names)))
    if isinstance(shown, InputLine) and not classes:
        handles.append(Line2D([], [], color=INK, linewidth=2.4))
        labels.append(_("network"))
    if isinstance(shown, Fit):
        handles.append(Line2D([], [], color=SOFT, linewidth=1.2, linestyle=(0, (5, 3))))
        labels.append(_("predicted = true"))
    rows, said = row_key(shown.points, None if classes else INKS)
    handles, labels = handles + rows, labels + said
    if classes:
        ring, text = wrong_key()
        handles.append(ring)
        labels.append(text)
    return handles, labels


def _act(axes: "Axes", shown: Boundary) -> None:
    """Draw what this frame says in the place of what the last one said."""
    for artist in [*axes.images, *axes.collections, *axes.lines]:
        artist.remove()
    bounds = axes.get_xlim(), axes.get_ylim()
    draw_shown(axes, shown)
    axes.set_xlim(bounds[0])
    axes.set_ylim(bounds[1])


def draw_shown(axes: "Axes", shown: Boundary) -> None:
    """Regions and rows, a curve and rows, or predictions against what is true."""
    if isinstance(shown, Plane):
        draw_regions(axes, shown)
        draw_rows(axes, shown.points, len(shown.classes))
    elif isinstance(shown, InputLine) and shown.classes:
        for c in range(len(shown.classes)):
            axes.plot(shown.x_R, shown.value_RC[:, c], color=colour(c))
        draw_rows(axes, tuple(_on_floor(p, len(shown.classes)) for p in shown.points), len(shown.classes))
    elif isinstance(shown, InputLine):
        _scatter(axes, shown.points, [p.at_NK[:, 0] for p in shown.points], [p.true_N for p in shown.points])
        axes.plot(shown.x_R, shown.value_RC[:, 0], color=INK, linewidth=2.4, zorder=7)
    else:
        low, high = limits(shown)[0]
        axes.plot([low, high], [low, high], color=SOFT, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)
        predicted = [np.clip(p.predicted_N, low, high) for p in shown.points]
        _scatter(axes, shown.points, [p.true_N for p in shown.points], predicted)


def _on_floor(points: Points, classes: int) -> Points:
    """Rows of one input in lanes at the bottom, one for each class."""
    lane_N = 0.02 + 0.025 * points.true_N if classes <= 12 else np.full(len(points), 0.03)
    at_N2 = np.column_stack([points.at_NK[:, 0], lane_N])
    return Points(points.split, at_N2, points.true_N, points.predicted_N, points.index_N, points.total)


def _scatter(axes: "Axes", points: tuple[Points, ...], x_N: list[Any], y_N: list[Any]) -> None:
    size = float(np.interp(sum(len(p) for p in points), (200, 1500), (1.0, 0.5)))
    for p, x, y in zip(points, x_N, y_N, strict=True):
        marker, area, edge, width, order = marks(p.split)
        axes.scatter(
            x, y, area * size, c=INKS[p.split], marker=marker, edgecolors=edge or PAPER, linewidths=width,
            alpha=0.6 if p.split == "train" else 0.9, zorder=order,
        )  # fmt: skip
