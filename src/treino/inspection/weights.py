"""Weights of the first layer, arranged as pixels or by the table's columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from treino.data.dataset import Data
from treino.errors import TreinoError
from treino.inspection.input_planes import Floats
from treino.inspection.thumbnails import layers_as_they_run
from treino.words import _


@dataclass(frozen=True, eq=False)
class FirstWeights:
    """Units by the norm of their weights, the largest first.

    layer: the module's name and kind. units_U: the units' numbers. weight_UD: ``[U, D]`` their weights.
    tile_U: the weights as images, or a convolution's kernels, ``[U, C, H, W]``; None for a table. inputs: the
    D names (empty for pixels). norm_U: the norms.
    """

    name: str
    layer: str
    units_U: NDArray[np.int64]
    weight_UD: Floats
    tile_U: Floats | None
    inputs: tuple[str, ...]
    norm_U: Floats


def first_weights(net: nn.Module, data: Data, *, item_shape: Sequence[int] | None = None) -> FirstWeights:
    """The weights of the first called layer that has a matrix of weights.

    Raises:
        TreinoError: no layer has weights on the inputs.
    """
    ran, _out, _notes = layers_as_they_run(net, data.train.x[:2], item_shape)
    first = ran[0] if ran else None
    tile = None if first is None else first.tiles(data.item_shape)
    on_inputs = first is not None and first.weight is not None and first.weight.shape[1] == data.inputs
    if first is None or first.kernel is None or (tile is None and not on_inputs):
        raise TreinoError(
            "weights_not_on_inputs",
            _("The first layer of this network, {layer}, has no matrix of weights on the inputs.").format(
                layer=_("which hides its layers") if first is None else f"{first.name} ({first.what})"
            ),
            _("Look at [[what=network]], which shows the layers as they run."),
        )
    flat_UD = first.kernel.reshape(len(first.kernel), -1)
    norm_U = np.linalg.norm(flat_UD, axis=1)
    order_U = np.argsort(-norm_U, kind="stable")
    return FirstWeights(
        data.name,
        f"{first.name} ({first.what.split(',')[0]})",
        order_U,
        flat_UD[order_U],
        None if tile is None else tile[order_U],
        data.preparation.inputs if tile is None else (),
        norm_U[order_U],
    )
