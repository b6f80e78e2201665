"""Frames of a film as pictures, with their captions, and several of them on a sheet."""

import io
import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treino.base.text import listed
from treino.base.words import _, numeral
from treino.data import split_name
from treino.inspection import Boundary, Fit, InputLine, Plane
from treino.inspection.outputs import AnsweredPicture
from treino.plots import (
    axis_names,
    boundaries_grid,
    class_key,
    draw_boundary,
    grid_figure,
    limits_of,
    row_key,
    score_text,
    style,
    wrong_key,
)
from treino.plots.pixels import TINTS, on_white, photograph, tile
from treino_film.frames import FilterView, Frame, Shown

if TYPE_CHECKING:
    from PIL.Image import Image


# ---- frames as pictures

PIXELS = 100  # dots per inch, for 800 pixels of width
GIF_WIDTH = 640
ENTRIES = 255  # palette colours of a picture on a page or in a GIF; one of 256 is left for unchanged pixels
NEAR = 6  # maximum distance of a pixel's colour from a palette entry that belongs to a class
LISTED = 12  # maximum number of class names listed
SHOWN_MS, LONG_MS = 140, 1400  # duration of a frame, and of the first and the last one


@dataclass(frozen=True, eq=False)
class FilmPicture:
    """A frame with its picture (800 × 600 pixels) and its caption."""

    frame: Frame
    image: "Image"
    caption: str


def film_pictures(frames: Iterable[Frame], last: int) -> Iterator[FilmPicture]:
    """Yield each frame's picture. last: the run's last step."""
    from PIL import Image

    stage: _Stage | None = None
    before: int | None = None
    for frame in frames:
        with style.look():
            stage = stage or _Stage.of(frame)
            sentences = place_sentence(frame, last), change_sentence(frame, before), absent_sentence(frame)
            pixels = stage.pixels(frame.shown, sentences)
        before = frame.step
        yield FilmPicture(
            frame, Image.fromarray(pixels), " ".join(filter(None, sentences)).replace(r"\$", "$")
        )


def image_png(image: "Image") -> bytes:
    """Return PNG bytes, reproducibly."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def few_colours(picture: FilmPicture, width: int | None = None) -> "Image":
    """Reduce a frame to a palette, and a fraction of its bytes. width: in pixels, to shrink it.

    The colours of the classes, and the paler ones of their regions, have entries of their own. A palette
    that is computed from the pixels alone gives two classes the same colour if one of them has few pixels.
    """
    import pandas as pd
    from PIL import Image
    from scipy.spatial import cKDTree

    image, shown = picture.image, picture.frame.shown
    if width is not None:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    inks = tuple(map(style.colour, range(min(len(shown.classes), len(style.PALETTE)))))
    own_K3 = _own_colours(inks or tuple(style.INKS.values()))
    pixel_N3 = np.asarray(image).reshape(-1, 3)
    at_N, code_U = pd.factorize(pixel_N3.astype(np.int32) @ (1 << 16, 1 << 8, 1))
    colour_U3 = np.stack([code_U >> 16, code_U >> 8 & 255, code_U & 255], axis=1)
    far_U, nearest_U = cKDTree(own_K3).query(colour_U3)
    index_N = nearest_U.astype(np.uint8)[at_N]
    others_N = (far_U > NEAR)[at_N]
    palette = own_K3.tobytes()
    if others_N.any():
        others = Image.fromarray(pixel_N3[others_N][None]).quantize(
            ENTRIES - len(own_K3), dither=Image.Dither.NONE
        )
        index_N[others_N] = np.asarray(others)[0] + len(own_K3)
        palette += bytes(others.getpalette() or ())
    reduced = Image.fromarray(index_N.reshape(image.height, image.width), "P")
    reduced.putpalette(palette)
    return reduced


@cache
def _own_colours(inks: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return ``[K, 3]``: these colours, their tints in regions, and their mixtures with white."""
    share_S = np.r_[0, 0.6, 0.7, 0.8, 0.9, 1, np.linspace(*TINTS, min(40, 200 // len(inks) - 5))]
    ink_K3 = np.array([style.rgb(ink) for ink in inks])
    tints_N3 = 255 * (1 + share_S[:, None, None] * (ink_K3 - 1)).reshape(-1, 3)
    return np.unique(np.rint(tints_N3).astype(np.uint8), axis=0)


def gif(images: list["Image"]) -> bytes:
    """Return an endless animation; the first and the last frame stay longer."""
    times = [SHOWN_MS] * len(images)
    times[0] = times[-1] = LONG_MS
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0)
    return file.getvalue()


def limits(shown: Shown) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the x and y limits that all frames share."""
    if isinstance(shown, FilterView):
        return (0.0, PICTURE + GAP + _across(shown) * STEP), (0.0, _down(shown) * PAIR)
    return limits_of(shown)


@dataclass(frozen=True, eq=False)
class _Stage:
    """What all frames have in common: the figure with its title, axes and key, drawn once.

    texts: the three sentences, which change. borders: the axes' lines, which lie over what changes. constant:
    the pixels of the rest.
    """

    axes: "style.Axes"
    texts: list[Any]
    borders: list[Any]
    canvas: Any
    constant: Any

    @classmethod
    def of(cls, frame: Frame) -> "_Stage":
        figure, axes, texts = _constant_parts(frame.shown)
        figure.set_dpi(PIXELS)
        canvas: Any = figure.canvas
        borders = [line for line in axes.spines.values() if line.get_visible()] if axes.axison else []
        for border in borders:
            border.set_visible(False)
        canvas.draw()
        for border in borders:
            border.set_visible(True)
        return cls(axes, texts, borders, canvas, canvas.copy_from_bbox(figure.bbox))

    def pixels(self, shown: Shown, sentences: Sequence[str]) -> NDArray[np.uint8]:
        """Return ``[height, width, 3]``: the frame of what is shown, with its sentences."""
        axes = self.axes
        for artist in _changing(axes):
            artist.remove()
        bounds = axes.get_xlim(), axes.get_ylim()
        draw_shown(axes, shown)
        axes.set_xlim(bounds[0])
        axes.set_ylim(bounds[1])
        for text, sentence in zip(self.texts, sentences, strict=True):
            text.set_text(sentence)
        self.canvas.restore_region(self.constant)
        in_order = sorted([*_changing(axes), *self.borders], key=lambda artist: float(artist.get_zorder()))
        for artist in [*in_order, *self.texts]:
            artist.draw(self.canvas.get_renderer())
        return np.asarray(self.canvas.buffer_rgba())[..., :3].copy()


def _changing(axes: "style.Axes") -> list[Any]:
    return [*axes.images, *axes.collections, *axes.lines, *axes.patches, *axes.texts]


def _constant_parts(shown: Shown) -> tuple["style.Figure", "style.Axes", list[Any]]:
    """Return the figure with its constant parts (title, axes, key), and the three texts that change."""
    figure = style.new_figure()
    inches = figure.get_figheight()
    figure.text(0.02, 1 - 0.18 / inches, film_title(shown), fontsize=14, weight="bold", va="top")
    places = [(0.50, style.INK), (0.72, style.SOFT), (0.94, style.ALARM)]
    texts = [
        figure.text(0.02, 1 - down / inches, "", fontsize=10, color=ink, va="top") for down, ink in places
    ]
    axes = figure.add_axes((0.95 / 8, 0.62 / inches, 0.98 - 0.95 / 8, 1 - (1.28 + 0.62) / inches))
    (x0, x1), (y0, y1) = limits(shown)
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)
    if isinstance(shown, FilterView):
        axes.set_position((0.02, 0.5 / inches, 0.96, 1 - (1.28 + 0.5) / inches))
        axes.set_axis_off()
        words = textwrap.fill(filters_sentence(shown), style.LETTERS)
        figure.text(0.02, 0.1 / inches, words, fontsize=9.5, color=style.SOFT, va="bottom")
        return figure, axes, texts
    x_name, y_name = axis_names(shown)
    axes.set(xlabel=x_name, ylabel=y_name)
    handles, labels = _key(shown)
    style.legend_at_right(axes, handles, labels)
    if not isinstance(shown, Plane):
        axes.grid(True)
    style.localise_ticks(figure)
    style.thin_ticks(figure)
    style.fit_left(figure)
    return figure, axes, texts


def _key(shown: Boundary) -> tuple[list[Any], list[str]]:
    classes = shown.classes
    handles, labels = class_key(style.class_labels(classes), 10)
    own: dict[str, Any] = {}
    if isinstance(shown, InputLine) and not classes:
        own = {_("network"): style.stroke(color=style.INK, linewidth=2.4)}
    if isinstance(shown, Fit):
        dashed = style.stroke(color=style.SOFT, linewidth=1.2, linestyle=(0, (5, 3)))
        own = {_("predicted = true"): dashed}
    rows, row_labels = row_key(shown.points, None if classes else style.INKS)
    ring, wrong = wrong_key()
    handles += [*own.values(), *rows, *([ring] if classes else [])]
    return handles, [*labels, *own, *row_labels, *([wrong] if classes else [])]


def draw_shown(axes: "style.Axes", shown: Shown) -> None:
    """Draw a boundary, or filters."""
    if isinstance(shown, FilterView):
        _draw_filters(axes, shown)
    else:
        draw_boundary(axes, shown)


PICTURE, GAP, STEP, PAIR, NAME = 2.0, 0.4, 1.1, 2.5, 0.35  # in widths of a filter


def _across(shown: FilterView) -> int:
    return 4 if len(shown.kernel_UCHW) <= 8 else 8


def _down(shown: FilterView) -> int:
    return math.ceil(len(shown.kernel_UCHW) / _across(shown))


def _draw_filters(axes: "style.Axes", shown: FilterView) -> None:
    """Draw the picture with the network's answer, and each filter above its output for the picture."""
    top = _down(shown) * PAIR
    if shown.picture is not None:
        _tile(axes, photograph(shown.picture.picture_CHW), 0.0, top - PICTURE - NAME, PICTURE)
        axes.text(
            PICTURE / 2, top - PICTURE - NAME - 0.1, _answer(shown.picture), ha="center", va="top", fontsize=9
        )
    for k, (kernel_CHW, map_HW) in enumerate(zip(shown.kernel_UCHW, shown.map_UHW, strict=True)):
        row, column = divmod(k, _across(shown))
        x, y = PICTURE + GAP + column * STEP, top - row * PAIR - NAME
        _tile(axes, tile(kernel_CHW, shown.sight.most_kernel), x, y - 1, 1.0)
        _tile(axes, on_white(map_HW, shown.sight.most_map), x, y - 2.04, 1.0)
        name = f"{shown.sight.units_U[k]}"
        axes.text(x + 0.5, y + 0.02, name, ha="center", va="bottom", fontsize=8, color=style.SOFT)


def _tile(axes: "style.Axes", pixels: NDArray[Any], x: float, y: float, side: float) -> None:
    """Draw pixels in the upper middle of a square with this lower left corner."""
    from matplotlib.patches import Rectangle

    height, width = (side * n / max(pixels.shape[:2]) for n in pixels.shape[:2])
    left, low = x + (side - width) / 2, y + side - height
    axes.imshow(pixels, extent=(left, left + width, low, low + height))
    axes.add_patch(Rectangle((left, low), width, height, fill=False, edgecolor=style.SOFT, linewidth=0.5))


def _answer(picture: AnsweredPicture) -> str:
    if not picture.classes:
        return _("says {said}").format(said=numeral(picture.answer))
    names = style.class_labels(picture.classes, 12)
    said = f"{names[int(picture.answer)]} ({style.percent(picture.share)})"
    return _("says {said}").format(said=said) + "\n" + _("is {true}").format(true=names[int(picture.true)])


def filters_sentence(shown: FilterView) -> str:
    """Return a sentence on what a picture of filters shows."""
    if shown.kernel_UCHW.shape[1] == 3:
        return _(
            "Above: a filter of the first layer, its weights on red, green and blue as colours around grey. "
            "Below: what it gives for the picture, blue above 0, orange below."
        )
    return _(
        "Above: a filter of the first layer. Below: what it gives for the picture. "
        "Blue is above 0, orange below."
    )


def place_sentence(frame: Frame, last: int) -> str:
    """Return the frame's step, epoch, loss and score in one line."""
    if not frame.step:
        clauses = [_("Step 0 of {last:,}: the untrained network").format(last=last)]
    else:
        clauses = [_("Step {step:,} of {last:,}").format(step=frame.step, last=last)]
        clauses.append(_("epoch {epoch}").format(epoch=numeral(frame.epoch)))
    if frame.loss is not None:
        clauses.append(_("loss {loss}").format(loss=numeral(frame.loss)))
    return " · ".join(filter(None, [*clauses, score_text(frame.shown.score)]))


def change_sentence(frame: Frame, before: int | None) -> str:
    """Describe what changed since the previous frame, at step ``before``."""
    moved, change = frame.moved, frame.change
    if before is None or (moved is None and change is None):
        return _("Nothing is learnt yet: this is how the random numbers fell.") if not frame.step else ""
    if change is None:
        return _("Since step {step:,}: the network's answers are not finite.").format(step=before)
    facts = {"step": before, "change": share(change), "moved": share(moved or 0.0)}
    if isinstance(frame.shown, FilterView):
        sentence = _(
            "Since step {step:,}: filters changed by {change} of their length; "
            "class changed on {moved} of {split} rows."
        )
        if moved is None:
            sentence = _("Since step {step:,}: filters changed by {change} of their length.")
        return sentence.format(split=split_name(frame.shown.score.split), **facts)
    if moved is None:
        sentence = _("Since step {step:,}: predictions moved by {change} on average.")
        return sentence.format(step=before, change=numeral(change))
    sentence = _("Since step {step:,}: {moved} of the view changed class; probability moved by {change}.")
    return sentence.format(**facts)


def absent_sentence(frame: Frame) -> str:
    """Name the classes that win nowhere in view; "" if each wins somewhere."""
    names = style.class_labels(frame.shown.classes)
    absent = listed([names[c] for c in frame.shown.absent], LISTED)
    return _("Wins nowhere in this view: {names}.").format(names=absent) if absent else ""


def share(value: float) -> str:
    """Return a share in per cent with two significant digits, however small: 0.00031 %."""
    return _("{value} %").format(value=numeral(float(f"{100 * value:.2g}")))


def film_title(shown: Shown) -> str:
    name = style.label(shown.name, 44)
    return _("{name}, while it learns").format(name=name)


def sheet_figure(
    shown: Sequence[Any], captions: Sequence[str], title: str, sentences: Sequence[str] = ()
) -> "style.Figure":
    """Draw frames, or networks, side by side, with a caption above each."""
    if not isinstance(shown[0], FilterView):
        return boundaries_grid(shown, captions, title, sentences)
    return grid_figure(shown, captions, title, [*sentences, filters_sentence(shown[0])], _small_filters)


def _small_filters(axes: "style.Axes", shown: FilterView) -> None:
    across, up = limits(shown)
    _draw_filters(axes, shown)
    axes.set_axis_off()
    axes.set(xlim=across, ylim=up)
    for text in axes.texts:
        text.set_fontsize(6)
