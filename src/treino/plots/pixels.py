"""Numbers as pixels: pictures, signed values (blue above zero, orange below), class regions; PNG as text."""

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from treino.plots.style import FAINT, PALETTE, PAPER, SOFT, axes_at, colour, rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

POSITIVE, NEGATIVE = PALETTE[0], PALETTE[1]
TINTS = 0.10, 0.52  # opacity of a class's colour in its region: at lowest and at full confidence
Pixels = NDArray[np.floating]


def photograph(picture_CHW: Pixels) -> Pixels:
    """Return a picture from 0 to 1 as ``[H, W, 3]``: in colour if it has three channels, else their mean."""
    known_CHW = np.nan_to_num(picture_CHW)
    grey = np.broadcast_to(known_CHW.mean(axis=0), (3, *known_CHW.shape[1:]))
    return np.moveaxis(known_CHW if len(known_CHW) == 3 else grey, 0, -1)


def framed(axes: "Axes", pixels: Pixels, width: float = 0.8) -> None:
    """Draw pixels ``[H, W, 3]`` in a thin frame. Large images are averaged, small ones keep square pixels."""
    axes.imshow(pixels, aspect="equal")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=SOFT, linewidth=width)


def line_inches(shape: Sequence[int], pitch: float) -> float:
    """Return the inches from line to line of ``tile_lines``. shape: a tile's ``(..., H, W)``."""
    return (pitch - 0.1) * min(1.0, shape[-2] / shape[-1]) + 0.28


def tile_lines(
    figure: "Figure",
    left: float,
    top: float,
    tiles: Sequence[Pixels],
    labels: Sequence[str],
    across: int,
    pitch: float,
) -> None:
    """Draw tiles ``[H, W, 3]`` in lines, each with its label above; all in inches.

    left, top: where the first line begins. across: tiles per line. pitch: distance from tile to tile.
    """
    for k, (pixels, name) in enumerate(zip(tiles, labels, strict=True)):
        row, column = divmod(k, across)
        down = line_inches(pixels.shape[:2], pitch)
        x, y, side = left + column * pitch, top - (row + 1) * down, pitch - 0.1
        axes = axes_at(figure, x, y, side, down - 0.28)
        framed(axes, pixels, 0.5)
        axes.set_title(name, fontsize=8, color=SOFT, pad=2)


def mosaic(tile_RCHW3: Pixels) -> Pixels:
    """Return tiles ``[R, C, H, W, 3]`` as one picture, R by C, separated by grey lines one pixel wide."""
    rows, columns, height, width = tile_RCHW3.shape[:4]
    whole = np.broadcast_to(rgb(SOFT), (rows, height + 1, columns, width + 1, 3)).copy()
    whole[:, :height, :, :width] = np.moveaxis(tile_RCHW3, 1, 2)
    return whole.reshape(rows * (height + 1), columns * (width + 1), 3)[:-1, :-1]


def rgba(value_RR: Pixels, most: float) -> Pixels:
    """Return ``[..., 4]``: the sign's colour, opaque from ``most`` on; grey if not finite."""
    finite = np.isfinite(value_RR)
    strength = np.clip(np.abs(np.where(finite, value_RR, 0.0)) / (most or 1.0), 0, 1)
    pixels = np.empty((*np.shape(value_RR), 4))
    pixels[..., :3] = np.where((value_RR > 0)[..., None], rgb(POSITIVE), rgb(NEGATIVE))
    pixels[..., 3] = strength
    pixels[~finite] = (*rgb(FAINT), 1.0)
    return pixels


def regions(probability_C: Pixels) -> Pixels:
    """Return ``[..., 4]`` for probabilities ``[..., C]``: the winning class's colour, paler for lower
    confidence; grey if not finite.
    """
    count = probability_C.shape[-1]
    finite = np.asarray(np.isfinite(probability_C).all(axis=-1))
    known_C = np.where(finite[..., None], probability_C, 0.0)
    pixels = np.empty((*finite.shape, 4))
    pixels[..., :3] = np.array([rgb(colour(c)) for c in range(count)])[known_C.argmax(axis=-1)]
    sure = (known_C.max(axis=-1) - 1 / count) / (1 - 1 / count) if count > 1 else 1.0
    pixels[..., 3] = TINTS[0] + (TINTS[1] - TINTS[0]) * np.clip(sure, 0, 1)
    pixels[~finite] = (*rgb(FAINT), 1.0)
    return pixels


def signed_map() -> "Colormap":
    """Return the colours of ``rgba`` on white, as matplotlib's map from -1 to 1."""
    from matplotlib.colors import LinearSegmentedColormap

    plain = LinearSegmentedColormap.from_list("signed", [NEGATIVE, PAPER, POSITIVE])
    return plain.with_extremes(bad=FAINT)


def on_white(value_RR: Pixels, most: float) -> Pixels:
    """Return the colours of ``rgba`` on white, ``[..., 3]``."""
    pixels = rgba(value_RR, most)
    return np.asarray(1 - pixels[..., 3:] * (1 - pixels[..., :3]))


def largest(values: Pixels) -> float:
    """Return the limit of a symmetric scale: the 0.99 quantile of absolute values; 1 if all are 0."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, 0.99) or finite.max() or 1.0) if finite.size else 1.0


def tile(weight_CHW: Pixels, most: float) -> Pixels:
    """Return weights on pixels as an image: three channels as red, green and blue around grey; otherwise the
    signed mean of the channels.
    """
    if len(weight_CHW) == 3:
        return np.asarray(np.clip(0.5 + np.moveaxis(weight_CHW, 0, -1) / (2 * most), 0, 1))
    return on_white(weight_CHW.mean(axis=0), most)


def data_uri(pixels: Pixels, upwards: bool = False, side: int | None = None) -> str:
    """Return pixels ``[H, W, 3 or 4]`` in 0 to 1 as a PNG data URI. upwards: the first line is the lowest.
    side: pixels to which larger pictures are shrunk."""
    from PIL import Image

    file = io.BytesIO()
    shown = np.round((pixels[::-1] if upwards else pixels) * 255).astype(np.uint8)
    image = Image.fromarray(shown)
    if side is not None:
        image.thumbnail((side, side))
    image.save(file, "PNG", compress_level=3)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
