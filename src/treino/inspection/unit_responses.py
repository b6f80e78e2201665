"""Responses of a network's units over its inputs, and the weights between units, for a diagram."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treino.base.words import _
from treino.data.dataset import Data
from treino.engine.metrics import probabilities
from treino.inspection.boundary import grid, placed, sight
from treino.inspection.input_planes import ALL, Floats, InputAxes, Points, Split, draw, most_rows
from treino.inspection.outputs import outputs
from treino.inspection.thumbnails import LayerCall, layers_as_they_run

SHOWN = 16  # maximum number of units of a layer
LAYERS = 8  # maximum number of layers; for deeper networks, the first and last are shown
GRID = 40  # resolution of a unit's thumbnail
FINE = 120  # resolution of the last picture, the network's output
ROWS = 1000  # training rows on which units are compared


@dataclass(frozen=True, eq=False)
class UnitColumn:
    """One column of the diagram: K of a layer's ``total`` units.

    name: the module's name in the network, "" for the inputs. what: the classes of the module and of the
    modules that follow, such as "Linear, ReLU". units_K: indices of the units that contribute most to the
    next column, by the deviation of their outputs on training rows times the norm of their outgoing weights.
    labels: names of inputs and outputs, else empty. seen_KRR: ``[K, R (y), R (x)]``: the units' outputs over
    the grid, as inputs of the next column; channels are averaged over positions. bias_K: None without biases.
    weight_KJ: the weights from the previous column's J units; None without such a matrix. norm_K: the norm of
    all incoming weights of a unit, NaN without weights. tile_K: the weights as images over pixels, ``[K, C,
    H, W]``, else None. dead_K: whether the unit's output is the same on every training row. active_K: the
    share of rows with a nonzero output.
    """

    name: str
    what: str
    total: int
    units_K: NDArray[np.int64]
    labels: tuple[str, ...]
    seen_KRR: Floats
    bias_K: Floats | None
    weight_KJ: Floats | None
    norm_K: Floats
    tile_K: Floats | None
    dead_K: NDArray[np.bool_]
    active_K: Floats


@dataclass(frozen=True, eq=False)
class UnitDiagram:
    """A network's units and weights, from its inputs to its outputs.

    sight: the plane or line of all thumbnails. x_R, y_R: the thumbnails' grid; y_R has one value for a line.
    fine_x_R, fine_y_R: the grid of ``said_RRC``, the network's probabilities ``[R, R, C]``, or its predicted
    target ``[R, R, 1]`` in its own units. points: the rows shown. mean_item: for images the mean training
    item ``[C, H, W]``, else None. rows: training rows on which units are compared. left_out: the number of
    layers not shown. notes: what the picture can't show, one sentence each.
    """

    name: str
    classes: tuple[str, ...]
    target: str
    target_mean: float
    sight: InputAxes
    x_R: Floats
    y_R: Floats
    stages: tuple[UnitColumn, ...]
    fine_x_R: Floats
    fine_y_R: Floats
    said_RRC: Floats
    points: tuple[Points, ...]
    mean_item: Floats | None
    rows: int
    left_out: int
    notes: tuple[str, ...]


def insides(
    net: nn.Module,
    data: Data,
    *,
    resolution: int = GRID,
    item_shape: Sequence[int] | None = None,
    splits: Sequence[Split] = ALL,
    seen: InputAxes | None = None,
) -> UnitDiagram:
    """The data for a network's diagram, over the same input plane as the picture of its decision boundary.

    Outputs of units are read by forward hooks, so any network is allowed; if it isn't a chain of layers,
    notes say what is left out. resolution: the thumbnails'. seen: the plane, if it is already known.
    """
    look = seen or sight(net, data, item_shape=item_shape)
    points = tuple(
        p
        for p in placed(lambda x: outputs(net, x, item_shape=item_shape), data, look.place)
        if p.split in splits
    )
    at_NK = np.concatenate([p.at_NK for p in points])
    plane = at_NK.shape[1] == 2

    def axis(k: int, count: int) -> Floats:
        return grid(at_NK[:, k], count) if k == 0 or plane else np.zeros(1)

    def rows_of(x_R: Floats, y_R: Floats) -> torch.Tensor:
        at = np.stack(np.meshgrid(x_R, y_R), axis=-1).reshape(-1, 2)
        return look.rows(at if plane else at[:, :1])

    resolution, fine_resolution = (
        math.isqrt(most_rows(data, n**2)) if data.kind == "image" else n for n in (resolution, FINE)
    )
    x_R, y_R, fine_x_R, fine_y_R = (axis(k, n) for n in (resolution, fine_resolution) for k in (0, 1))
    ran, _out, notes = layers_as_they_run(net, rows_of(x_R, y_R), item_shape)
    measured, _same, _more = layers_as_they_run(net, draw(data.train, most_rows(data, ROWS)).x, item_shape)
    # line by line, because 14,400 rows of 10,000 inputs take a gigabyte
    fine = torch.cat(
        [outputs(net, rows_of(fine_x_R, y), item_shape=item_shape) for y in np.split(fine_y_R, len(fine_y_R))]
    )
    left_out = max(0, len(ran) - LAYERS)
    if left_out:
        keep = [*range(LAYERS // 2), *range(len(ran) - LAYERS // 2, len(ran))]
        after = keep[LAYERS // 2]
        ran = [replace(ran[i], weight=None) if i == after else ran[i] for i in keep]
        measured = [measured[i] for i in keep]
        notes = [*notes, _("Layers in the middle that are not shown: {n}.").format(n=left_out)]
    with np.errstate(all="ignore"):  # outputs of a diverged network's units may overflow
        stages = _stages(data, look, ran, measured, rows_of(x_R, y_R), (len(y_R), len(x_R)))
    if data.classes:
        answers = probabilities(fine).double().numpy()
    else:
        answers = data.preparation.predictions(fine.double())[:, :1].numpy()
    image = data.kind == "image"
    return UnitDiagram(
        data.name,
        data.classes,
        data.target,
        float(data.preparation.values(0.0 if data.preparation.link.form.centred else 1.0)),
        look,
        x_R,
        y_R,
        tuple(stages),
        fine_x_R,
        fine_y_R,
        answers.reshape(len(fine_y_R), len(fine_x_R), -1),
        points,
        data.preparation.inverse(draw(data.train, most_rows(data, ROWS)).x.mean(dim=0)[None]).reshape(
            data.item_shape
        )
        if image
        else None,
        min(len(data.train), most_rows(data, ROWS)),
        left_out,
        tuple(notes),
    )


def _stages(
    data: Data,
    look: InputAxes,
    ran: Sequence[LayerCall],
    measured: Sequence[LayerCall],
    grid_ND: torch.Tensor,
    shape: tuple[int, int],
) -> list[UnitColumn]:
    """A column for the inputs, unless they are pixels, and for each layer, with the most important units. The
    inputs shown always include the pictures' axes."""
    if data.kind != "image":
        own_ND = draw(data.train, most_rows(data, ROWS)).x.double().numpy()
        ran = [LayerCall("", _("inputs"), grid_ND.double().numpy(), None, None, None), *ran]
        measured = [LayerCall("", "", own_ND, None, None, None), *measured]
    onward = [*(layer.weight for layer in ran[1:]), None]
    units_by_stage = most_moving(data, look, [layer.given_NU for layer in measured], onward, SHOWN)
    stages = []
    for k, (layer, units_K) in enumerate(zip(ran, units_by_stage, strict=True)):
        weight, total = layer.weight, layer.given_NU.shape[1]
        weight_KJ = bias_K = tile_K = None
        norm_K = np.full(len(units_K), np.nan)
        if weight is not None and k > 0 and weight.shape == (total, ran[k - 1].given_NU.shape[1]):
            weight_KJ = weight[np.ix_(units_K, units_by_stage[k - 1])]
        if layer.kernel is not None and len(layer.kernel) == total:
            norm_K = np.linalg.norm(layer.kernel.reshape(total, -1), axis=1)[units_K]
            bias_K = None if layer.bias is None else layer.bias[units_K]
            tile_U = layer.tiles(data.item_shape) if k == 0 else None
            tile_K = None if tile_U is None else tile_U[units_K]
        rows_NK = measured[k].given_NU[:, units_K]
        stages.append(
            UnitColumn(
                layer.name,
                layer.what,
                total,
                units_K,
                unit_labels(data, k, len(units_by_stage), total, units_K),
                np.ascontiguousarray(layer.given_NU[:, units_K].T).reshape(len(units_K), *shape),
                bias_K,
                weight_KJ,
                norm_K,
                tile_K,
                np.asarray(np.ptp(rows_NK, axis=0) == 0),
                np.asarray((rows_NK != 0).mean(axis=0)),
            )
        )
    return stages


def most_moving(
    data: Data,
    look: InputAxes,
    given: Sequence[NDArray[np.floating]],
    onward: Sequence[Floats | None],
    most: int,
) -> list[NDArray[np.int64]]:
    """For each stage, the units with the largest effect on the next one: standard deviation times norm of the
    outgoing weights. Inputs that are the pictures' axes come first.

    given: each stage's outputs on rows, ``[N, U]``. onward: the weights of the stage that follows each.
    """
    units_by_stage = []
    for k, (given_NU, weight) in enumerate(zip(given, onward, strict=True)):
        joined = weight is not None and weight.shape[1] == given_NU.shape[1]
        length_U = np.linalg.norm(weight, axis=0) if joined and weight is not None else 1.0
        move_U = np.nan_to_num(given_NU.std(axis=0, dtype=np.float64) * length_U, nan=0.0, posinf=np.inf)
        if k == 0 and data.kind != "image" and look.view != "components":
            inputs = data.preparation.inputs
            move_U[[inputs.index(name) for name in look.axis_names if name in inputs]] = np.inf
        units_by_stage.append(np.sort(np.argsort(-move_U, kind="stable")[:most]))
    return units_by_stage


def unit_labels(
    data: Data, stage: int, stages: int, total: int, units_K: NDArray[np.int64]
) -> tuple[str, ...]:
    """The names of inputs and outputs among a stage's units; none of those between."""
    if stage == 0 and data.kind != "image":
        return tuple(data.preparation.inputs[u] for u in units_K)
    if stage < stages - 1:
        return ()
    if not data.classes:
        return (data.target,) * len(units_K) if total == 1 else ()
    if total == 1:
        return (data.classes[-1],)
    return tuple(data.classes[u] for u in units_K) if total == len(data.classes) else ()
