"""The outputs of a convolutional network's channels for one picture, layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from treino.data.dataset import Data
from treino.inspection.input_planes import ALL, Floats, Split, row_of
from treino.inspection.outputs import AnsweredPicture, answered_picture
from treino.inspection.thumbnails import layers_as_they_run

SHOWN = 32  # maximum number of channels or units of a layer
LAYERS = 8  # maximum number of layers; of deeper networks, the first and last are shown


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """A layer's outputs for one picture, as the next layer gets them, but before a pool.

    name, what: as in ``unit_responses.UnitColumn``. total: the number of its channels. units_K: those shown,
    which give most on this picture. map_KHW: ``[K, 1, 1]`` for units without positions.
    """

    name: str
    what: str
    total: int
    units_K: NDArray[np.int64]
    map_KHW: Floats


@dataclass(frozen=True, eq=False)
class PictureChannels:
    """All layers' channels for one picture. left_out: the number of layers not shown."""

    shown: AnsweredPicture
    layers: tuple[LayerMaps, ...]
    left_out: int
    notes: tuple[str, ...]


def channels(
    net: nn.Module,
    data: Data,
    row: int | None = None,
    *,
    splits: Sequence[Split] = ALL,
    item_shape: Sequence[int] | None = None,
) -> PictureChannels:
    """The channels' outputs for the row with this number in the source; default: the first held-out row.

    Raises:
        TreinoError: rows that are no pictures; an unknown row; outputs that are not finite.
    """
    split, rows = row_of(data, row, splits)
    shown = answered_picture(net, data, split, rows, item_shape)
    ran, _out, notes = layers_as_they_run(net, rows.x[:], item_shape, maps=True)
    layers = ran[:-1] if ran and ran[-1].map_NUHW is None else ran  # the last layer's units are the answer
    left_out = max(0, len(layers) - LAYERS)
    if left_out:
        layers = [*layers[: LAYERS // 2], *layers[-(LAYERS // 2) :]]
    made = []
    for layer in layers:
        given_U = layer.given_NU[0]
        map_UHW = given_U[:, None, None] if layer.map_NUHW is None else layer.map_NUHW[0].astype(np.float64)
        most_U = np.nan_to_num(np.abs(map_UHW)).max(axis=(1, 2))
        units_K = np.sort(np.argsort(-most_U, kind="stable")[:SHOWN])
        made.append(LayerMaps(layer.name, layer.what, len(map_UHW), units_K, map_UHW[units_K]))
    return PictureChannels(shown, tuple(made), left_out, tuple(notes))
