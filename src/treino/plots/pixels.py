"""Numbers as pixels: signed values, blue above zero and orange below; class regions; PNG as text."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from treino.plots.style import FAINT, PALETTE, PAPER, colour, rgb

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

POSITIVE, NEGATIVE = PALETTE[0], PALETTE[1]
Pixels = NDArray[np.floating]


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
    pixels[..., 3] = 0.10 + 0.42 * np.clip(sure, 0, 1)
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


def data_uri(pixels: Pixels, upwards: bool = False) -> str:
    """Return pixels ``[H, W, 3 or 4]`` in 0 to 1 as a PNG data URI. upwards: the first line is the lowest."""
    from PIL import Image

    file = io.BytesIO()
    shown = np.round((pixels[::-1] if upwards else pixels) * 255).astype(np.uint8)
    Image.fromarray(shown).save(file, "PNG", compress_level=3)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
