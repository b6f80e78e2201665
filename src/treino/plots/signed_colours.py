"""Colours of signed numbers: blue above zero, orange below, transparent at zero."""

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treino.plots.style import FAINT, PALETTE, PAPER, load_matplotlib, rgb

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

POSITIVE, NEGATIVE = PALETTE[0], PALETTE[1]
Pixels = NDArray[np.floating]


def rgba(value_RR: Pixels, most: float) -> Pixels:
    """``[..., 4]``: the sign's colour, as opaque as the value is near ``most``; grey where not finite."""
    finite = np.isfinite(value_RR)
    strength = np.clip(np.abs(np.where(finite, value_RR, 0.0)) / (most or 1.0), 0, 1)
    found = np.empty((*np.shape(value_RR), 4))
    found[..., :3] = np.where((value_RR > 0)[..., None], rgb(POSITIVE), rgb(NEGATIVE))
    found[..., 3] = strength
    found[~finite] = (*rgb(FAINT), 1.0)
    return found


def signed_map() -> "Colormap":
    """The same on white, as matplotlib's map from -1 to 1."""
    from matplotlib.colors import LinearSegmentedColormap

    plain = LinearSegmentedColormap.from_list("signed", [NEGATIVE, PAPER, POSITIVE])
    return plain.with_extremes(bad=FAINT)


def on_white(value_RR: Pixels, most: float) -> Pixels:
    """The same over white, ``[..., 3]``."""
    found = rgba(value_RR, most)
    return np.asarray(1 - found[..., 3:] * (1 - found[..., :3]))


def largest(values: Pixels) -> float:
    """The end of a symmetric scale: the largest size, without the outermost hundredth; 1 where all is 0."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, 0.99) or finite.max() or 1.0) if finite.size else 1.0


def tile(weight_CHW: Pixels, most: float) -> Pixels:
    """Weights on pixels as a picture: one channel signed, three as red, green and blue around grey, of others
    the mean of the channels."""
    if len(weight_CHW) == 3:
        return np.asarray(np.clip(0.5 + np.moveaxis(weight_CHW, 0, -1) / (2 * most), 0, 1))
    return on_white(weight_CHW.mean(axis=0), most)


def data_uri(pixels: Pixels, upwards: bool = False) -> str:
    """Pixels ``[H, W, 3 or 4]`` in 0 to 1 as a PNG inside a text; upwards: the first line is the lowest."""
    load_matplotlib()
    from matplotlib.image import imsave

    file = io.BytesIO()
    nobody: dict[str, Any] = {"Software": None}  # the same pixels give the same bytes
    shown = np.ascontiguousarray(pixels[::-1] if upwards else pixels)
    imsave(file, np.round(shown * 255).astype(np.uint8), format="png", metadata=nobody)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
