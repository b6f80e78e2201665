"""What a network does with a picture: which places its prediction depends on, and its channels' outputs.

Occlusion: Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901. The check, covering the most important
places first: Samek, Binder, Montavon, Lapuschkin & Müller 2017, https://arxiv.org/abs/1509.06321.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treino.data.dataset import Data
from treino.data.rows import Rows
from treino.engine.metrics import probabilities
from treino.inspection.input_planes import ALL, Floats, Split, draw, held_out, most_rows, planes, row_of
from treino.inspection.outputs import AnsweredPicture, answered_picture, mistakes, outputs, predicted_classes
from treino.inspection.thumbnails import layers_as_they_run

CELLS = 14  # places along a picture's longer side, whatever its size
PATCH = 3  # places along the side of the covering patch
PARTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)  # of the places, covered one after another
ORDERS = 19  # random orders: by chance, the map's own is the best of 20 in one picture of twenty
RIGHT, WRONG = 2, 2  # rows chosen: correctly predicted ones, and the worst mistakes
SEARCHED = 512  # held-out rows searched for correctly predicted ones
BYTES = 1 << 26  # covered pictures in memory at a time
LEAST = 0.01  # least change that counts: in probability, or relative to the targets' standard deviation
DRAWN = 1000  # maximum number of training rows that the covering mean colour is computed from


@dataclass(frozen=True, eq=False)
class Occlusion:
    """The change of the prediction for a picture as its places are covered by the training rows' mean colour.

    cell, patch: sides in pixels of a place and of the patch, which is moved from place to place. effect_AB:
    for each place, the decrease of the predicted class's probability (for regression, of the predicted
    number), as a mean over the patches that cover the place. part_S: the shares of places covered, from 0
    to 1. ordered_S: the probability (or number) with the places of the largest effect covered first.
    random_RS: the same for R random orders. least: the least change that counts: 0.01 in probability, or of
    the targets' standard deviation.
    """

    shown: AnsweredPicture
    cell: int
    patch: int
    effect_AB: Floats
    part_S: Floats
    ordered_S: Floats
    random_RS: Floats
    least: float

    @property
    def flat(self) -> bool:
        """Whether the prediction stays almost the same, whatever is covered."""
        return bool(np.abs(self.ordered_S - self.ordered_S[0]).max() < self.least)

    @property
    def holds(self) -> bool:
        """Whether the map's order changes the prediction faster than every random order."""
        return bool(self._change(self.ordered_S) > self._change(self.random_RS).max())

    def _change(self, value_S: Floats) -> Floats:
        fall_S = self.ordered_S[0] - value_S
        return np.asarray((fall_S if self.shown.classes else np.abs(fall_S)).mean(axis=-1))


def occlusions(
    net: nn.Module,
    data: Data,
    row: int | None = None,
    *,
    splits: Sequence[Split] = ALL,
    item_shape: Sequence[int] | None = None,
) -> list[Occlusion]:
    """The occlusion of the row with this number in the source; default: of a few rows: correctly predicted
    ones, of different classes, and the worst mistakes.

    Raises:
        TreinoError: rows that are no pictures; an unknown row; outputs that are not finite.
    """
    rows = [row] if row is not None or data.kind != "image" else _rows(net, data, splits, item_shape)
    return [_occlusion(net, data, *row_of(data, number, splits), item_shape) for number in rows]


def _rows(
    net: nn.Module, data: Data, splits: Sequence[Split], item_shape: Sequence[int] | None
) -> list[int | None]:
    """The numbers of rows to show; None for the first held-out row if no other can be chosen."""
    worst = mistakes(net, data, most=WRONG, splits=splits, item_shape=item_shape).index_K.tolist()
    _split, rows = held_out(data, splits)
    first = rows[:SEARCHED]
    if not data.classes:
        others = [n for n in first.index.tolist() if n not in worst]
        return [*others[:RIGHT], *worst] or [None]
    right_N = predicted_classes(outputs(net, first.x, item_shape=item_shape), data.threshold) == first.y
    by_class: dict[int, int] = {}
    for number, true in zip(first.index[right_N].tolist(), first.y[right_N].tolist(), strict=True):
        by_class.setdefault(true, number)
    return [*list(by_class.values())[:RIGHT], *worst] or [None]


def _occlusion(
    net: nn.Module, data: Data, split: Split, rows: Rows, item_shape: Sequence[int] | None
) -> Occlusion:
    shown = answered_picture(net, data, split, rows, item_shape)
    x_D, shape = rows.x[0], shown.picture_CHW.shape[1:]
    cell = math.ceil(max(shape) / CELLS)
    down, across = (math.ceil(side / cell) for side in shape)
    place_HW = np.arange(shape[0])[:, None] // cell * across + np.arange(shape[1]) // cell
    place_D = _by_input(place_HW, data)
    drawn = draw(data.train, most_rows(data, DRAWN)).x.double().numpy()
    colour_C = planes(drawn, data.item_shape).mean(axis=(0, 2, 3))
    colour_D = torch.from_numpy(_by_input(colour_C[:, None, None], data)).to(x_D.dtype)

    def values(covered_MK: NDArray[np.bool_]) -> Floats:
        """``[M]``: the probability of the predicted class, or the number, with these places covered."""
        out = torch.cat(
            [
                outputs(
                    net,
                    torch.where(torch.from_numpy(part_BK[:, place_D]), colour_D, x_D),
                    item_shape=item_shape,
                )
                for part_BK in np.array_split(covered_MK, math.ceil(4 * len(x_D) * len(covered_MK) / BYTES))
            ]
        ).double()
        if data.classes:
            return np.asarray(probabilities(out)[:, int(shown.answer)].numpy())
        return np.asarray(data.preparation.predictions(out)[:, 0].numpy())

    nothing = values(np.zeros((1, down * across), bool))[0]
    patch_MK = _patches(down, across)
    effect_M = nothing - values(patch_MK)
    effect_K = (effect_M @ patch_MK) / patch_MK.sum(axis=0)
    order_K = np.argsort(-effect_K if data.classes else -np.abs(effect_K), kind="stable")
    part_S = np.array(PARTS)
    random = np.random.RandomState(0)
    orders = [order_K, *(random.permutation(len(order_K)) for _order in range(ORDERS))]
    covered = np.zeros((len(orders), len(part_S), len(order_K)), bool)
    for r, order in enumerate(orders):
        for s, part in enumerate(part_S):
            covered[r, s, order[: round(part * len(order))]] = True
    value_RS = values(covered.reshape(-1, len(order_K))).reshape(len(orders), -1)
    return Occlusion(
        shown,
        cell,
        PATCH * cell,
        effect_K.reshape(down, across),
        part_S,
        value_RS[0],
        value_RS[1:],
        LEAST * (1.0 if data.classes else data.target_scale),
    )


def _by_input(value_CHW: NDArray[Any], data: Data) -> NDArray[Any]:
    """``[D]``: each input's value, from values by channel, row and column."""
    number_CHW = planes(np.arange(math.prod(data.item_shape))[None], data.item_shape)[0]
    value_D = np.empty(number_CHW.size, value_CHW.dtype)
    value_D[number_CHW.ravel()] = np.broadcast_to(value_CHW, number_CHW.shape).ravel()
    return value_D


def _patches(down: int, across: int) -> NDArray[np.bool_]:
    """``[M, K]``: the places that each patch covers. Patches reach over the border, so that each place is
    covered by equally many."""
    place_2K = np.indices((down, across)).reshape(2, -1)
    corner_2M = np.indices((down + PATCH - 1, across + PATCH - 1)).reshape(2, -1) - (PATCH - 1)
    away_2MK = place_2K[:, None, :] - corner_2M[:, :, None]
    return np.asarray(((away_2MK >= 0) & (away_2MK < PATCH)).all(axis=0))


# ---- each channel's outputs

SHOWN = 32  # maximum number of channels or units of a layer
LAYERS = 8  # maximum number of layers; for deeper networks, the first and last are shown


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """A layer's outputs for one picture, as the next layer gets them, but before any pooling.

    name, what: as in ``unit_responses.UnitColumn``. total: the number of its channels. units_K: the channels
    shown, with the largest outputs for this picture. map_KHW: ``[K, 1, 1]`` for units without positions.
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
    layers = ran[:-1] if ran and ran[-1].map_NUHW is None else ran  # the last layer's units are the output
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
