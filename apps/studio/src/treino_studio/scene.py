"""The scene that a page draws of a network at one step: its outputs over the inputs, its units and weights.

A ``Sight`` fixes the rows and units that all frames show; it is made again only if the axes or the network's
layers change. ``scene`` computes one frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.base.encoding import compact_json
from treino.base.words import _
from treino.data import Data, Rows
from treino.engine import Loss, measure, probabilities, torch_threads
from treino.inspection import (
    SHOWN,
    InputAxes,
    LayerCall,
    Split,
    columns_with_an_axis,
    draw,
    grid,
    layers_as_they_run,
    most_moving,
    predicted_classes,
    sight,
    unit_labels,
)
from treino.inspection.outputs import outputs
from treino.training import FanBoundaries
from treino_studio.image_scene import (
    MAP_SIDE,
    DrawnLayer,
    Part,
    PixelScale,
    as_colours,
    examples_of,
    mistake_parts,
    shrunk,
    signed_bytes,
)
from treino_studio.run_state import finite

# ---- scene

PLANE = 96  # maximum number of cells along each axis
LINE = 200  # points along the only axis of a line
UNIT = 32  # cells along each axis of a unit's small picture
UNITS = 12  # maximum number of drawn units of a layer
LAYERS = 6  # maximum number of drawn layers: the first and the last ones
NUMBERS = 4_000_000  # maximum number of input values of all cells of a plane
WORK = 600_000_000  # approximate limit of multiplications for a plane
PICTURES = {"train": 200, "validation": 500, "test": 500}  # image rows measured per split
PIXELS = 20_000_000  # maximum number of values in these rows of a split
SEEN_ROWS = 128  # training rows of pictures on which units are compared
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(eq=False)
class Sight:
    """All frames of a scene share this: inputs over the picture's grid, drawn rows of the data, units.

    shows: plane, surface, line, images, or fit (a regression with several columns: predicted against true).
    x_R, y_R: the coordinates of the grid. grid_ND, small_ND: prepared inputs of the fine and the coarse grid.
    rows_by_split: the drawn rows, with their coordinates ``[N, K]``. units_by_layer: the units to draw; empty
    until the first frame. scale: the pixels of pictures, which have no axes and no grid; None for a table.
    place_N: where the rows on which mistakes are counted lie in their split. drawn_layers: for images, the
    layers of the newest frame.
    """

    shows: str
    axes: InputAxes
    resolution: int
    x_R: NDArray[np.float64]
    y_R: NDArray[np.float64]
    grid_ND: Tensor
    small_ND: Tensor
    rows_by_split: dict[Split, tuple[Rows, NDArray[np.float64]]]
    units_by_layer: list[NDArray[np.int64]] = field(default_factory=list)
    scale: PixelScale | None = None
    place_N: Tensor = field(default_factory=lambda: torch.arange(0))
    drawn_layers: list[DrawnLayer] = field(default_factory=list)


def sight_of(
    net: nn.Module,
    data: Data,
    names: Sequence[str] | None,
    item_shape: Sequence[int] | None,
    trained: bool = True,
    kept: Sequence[int] = (),
) -> Sight:
    """Make a sight. names: the two columns to use as axes; None: those that ``treino plot`` chooses, or for a
    network that isn't trained yet, those that separate best. kept: as in ``sight``.

    Raises:
        TreinoError: the names are not two different columns, or these columns can't be axes.
    """
    if data.kind == "image":
        return _sight_of_pictures(data)
    with torch_threads(1):
        axes = sight(net, data, axes=names, item_shape=item_shape, trained=trained, kept=kept)
    drawn = {s: draw(data.splits[s], SHOWN[s]) for s in SPLITS if len(data.splits[s])}
    placed = {split: (rows, axes.place(rows.x)) for split, rows in drawn.items()}
    at_NK = np.concatenate([place for _rows, place in placed.values()])
    line = len(data.features) == 1 and bool(columns_with_an_axis(data))
    parameters = sum(p.numel() for p in net.parameters())
    cells = min(PLANE**2, NUMBERS / data.inputs, WORK / max(parameters, 1))
    resolution = LINE if line else max(16, int(cells**0.5))
    x_R = grid(at_NK[:, 0], resolution)
    y_R = np.zeros(1) if line else grid(at_NK[:, 1], resolution)
    small = min(UNIT, resolution)
    of_table = "plane" if data.classes else "surface" if data.inputs == 2 else "fit"
    return Sight(
        "line" if line else of_table,
        axes,
        resolution,
        x_R,
        y_R,
        axes.grid_rows(x_R, y_R).float(),
        axes.grid_rows(grid(at_NK[:, 0], small), np.zeros(1) if line else grid(at_NK[:, 1], small)).float(),
        placed,
    )


NO_AXES = InputAxes(
    "all", "train", 0, (), lambda x_ND: np.zeros((len(x_ND), 0)), lambda _at: torch.zeros(0, 0)
)  # of pictures


def _sight_of_pictures(data: Data) -> Sight:
    most = max(SEEN_ROWS, PIXELS // data.inputs)
    rows = {split: draw(data.splits[split], min(PICTURES[split], most)) for split in SPLITS}
    placed = {split: (drawn, NO_AXES.place(drawn.x)) for split, drawn in rows.items() if len(drawn)}
    none, zero_R = torch.zeros(0, 0), np.zeros(1)
    sight = Sight("images", NO_AXES, 1, zero_R, zero_R, none, none, placed)
    sight.scale = PixelScale.of(data, rows["train"])
    measured = measured_split(data)
    sight.place_N = torch.isin(data.splits[measured].index, rows[measured].index).nonzero().flatten()
    return sight


def measured_split(data: Data) -> Split:
    """The split whose mistakes are shown."""
    return "validation" if len(data.validation) else "train"


def small_grid(seen: Sight) -> tuple[Tensor, tuple[int, ...]]:
    """The prepared inputs of the coarse grid, and its shape: ``(R, R)``, or ``(R,)`` for a line."""
    high = _height(seen)
    wide = len(seen.small_ND) // high
    return seen.small_ND, (wide,) if seen.shows == "line" else (high, wide)


def scene(
    net: nn.Module,
    data: Data,
    seen: Sight,
    loss: Loss,
    item_shape: Sequence[int] | None = None,
    unit: tuple[int, int] | None = None,
    over: bool = False,
    member: nn.Module | None = None,
) -> tuple[dict[str, Any], list[Part]]:
    """Compute the header entries and the arrays of a frame; ``docs/studio-protocol.md`` describes them.

    loss: the training loss. unit: (layer, unit) to draw at full size. over: whether the run has ended; until
    then metrics on test rows are left out, so that no setting is chosen by them. member: the network whose
    units are drawn, if ``net`` is an ensemble.
    """
    one = net if member is None else member
    with torch_threads(1), np.errstate(all="ignore"):  # outputs of a diverged network may overflow
        train_ND = seen.rows_by_split["train"][0].x
        if item_shape is not None:  # a user's network may fail: ``outputs`` raises a clear error
            outputs(net, train_ND[:1], item_shape=item_shape)
        seen_ND = train_ND if seen.scale is None else train_ND[:SEEN_ROWS]
        on_train, train_NC, _notes = layers_as_they_run(one, seen_ND, item_shape)
        if one is not net or len(seen_ND) < len(train_ND):
            train_NC = outputs(net, train_ND, item_shape=item_shape)
        out_by_split = {"train": train_NC}
        header, parts = _answers(net, data, seen, loss, item_shape, over, out_by_split)
        layers, more = _layers(one, data, seen, item_shape, unit, on_train)
        if seen.scale is not None:
            split = measured_split(data)
            drawn, out_NC = seen.rows_by_split[split][0], out_by_split[split]
            more += mistake_parts(data, seen.scale, drawn, seen.place_N, out_NC)
        return header | {"layers": layers}, [*parts, *more]


# ---- outputs


def _answers(
    net: nn.Module,
    data: Data,
    seen: Sight,
    loss: Loss,
    item_shape: Sequence[int] | None,
    over: bool,
    out_by_split: dict[str, Tensor],
) -> tuple[dict[str, Any], list[Part]]:
    """The header entries and arrays of the outputs, which it adds to ``out_by_split``."""
    parts: list[Part] = []
    evaluation: dict[str, Any] = {}
    rows: dict[str, list[int]] = {}
    header: dict[str, Any] = {"shows": seen.shows, "evaluation": evaluation, "rows": rows}
    if seen.shows in ("plane", "surface", "line"):
        parts += _picture(outputs(net, seen.grid_ND, item_shape=item_shape), data, seen)
    same = compared = 0
    right: dict[str, dict[str, int]] = {}
    for split, (drawn, place_NK) in seen.rows_by_split.items():
        if split == "test" and not over:
            continue
        if split not in out_by_split:
            out_by_split[split] = outputs(net, drawn.x, item_shape=item_shape)
        out = out_by_split[split]
        p = data.preparation
        answer_N = predicted_classes(out, data.threshold) if data.classes else p.predictions(out)[:, 0]
        if seen.scale is None:
            parts.append((f"predicted.{split}", answer_N.float().numpy()))
        evaluation[split] = figures(out, drawn, data, loss)
        rows[split] = [len(drawn), len(data.splits[split])]
        if data.classes:
            right[split] = {
                "rows": len(drawn),
                "right": int((answer_N == drawn.y.reshape(-1)).sum()),
                "unanswered": int((answer_N < 0).sum()),
            }
            if seen.axes.view != "all" and seen.shows == "plane":
                there = outputs(net, seen.axes.rows(place_NK).float(), item_shape=item_shape)
                same += int((predicted_classes(there, data.threshold) == answer_N)[answer_N >= 0].sum())
                compared += int((answer_N >= 0).sum())
    if data.classes:
        sums = {name: sum(each[name] for each in right.values()) for name in ("rows", "right")}
        header["right"] = {**sums, "splits": right}
    if compared:
        header["agreement"] = {"share": same / compared, "rows": compared}
    return header, parts


def figures(out_NC: Tensor, rows: Rows, data: Data, loss: Loss) -> dict[str, float | None]:
    """The metrics of outputs on these rows."""
    measured = measure(out_NC[None], rows.y, loss, data.scale, rows.weight, threshold=data.threshold)
    return {name: finite(float(value_R[0])) for name, value_R in measured.items()}


def training_figures(
    net: nn.Module, data: Data, seen: Sight, loss: Loss, item_shape: Sequence[int] | None
) -> dict[str, float | None]:
    """The metrics on the training rows, as in ``scene``."""
    with torch_threads(1), np.errstate(all="ignore"):
        rows = seen.rows_by_split["train"][0]
        return figures(outputs(net, rows.x, item_shape=item_shape), rows, data, loss)


def picture(net: nn.Module, data: Data, seen: Sight, item_shape: Sequence[int] | None = None) -> list[Part]:
    """The arrays of the network's outputs over the picture's grid, as in ``scene``."""
    with torch_threads(1), np.errstate(all="ignore"):
        return _picture(outputs(net, seen.grid_ND, item_shape=item_shape), data, seen)


def _picture(out_NC: Tensor, data: Data, seen: Sight) -> list[Part]:
    if seen.shows == "plane":
        shape = len(seen.y_R), len(seen.x_R)
        return plane_parts(out_NC, len(data.classes), shape, data.threshold)
    if data.classes:
        return [("value", probabilities(out_NC).numpy()), ("x", seen.x_R.astype(np.float32))]
    value = data.preparation.predictions(out_NC)[:, :1].numpy().astype(np.float32)
    if seen.shows == "line":
        return [("value", value), ("x", seen.x_R.astype(np.float32))]
    return [("value", value.reshape(len(seen.y_R), len(seen.x_R)))]


def plane_parts(
    out_NC: Tensor, classes: int, shape: tuple[int, ...], threshold: float | None = None
) -> list[Part]:
    """The arrays ``winner`` (predicted class), ``share`` (its probability) and ``margin`` (the root of the
    lead over the second class) of outputs on one or several planes. shape: the shape of each array."""
    winner_N = predicted_classes(out_NC, threshold)
    top_N2 = probabilities(out_NC).topk(2, dim=1).values.nan_to_num()
    width = np.uint8 if classes <= np.iinfo(np.uint8).max else np.uint16
    winner = torch.where(winner_N < 0, np.iinfo(width).max, winner_N).numpy().astype(width)
    return [
        ("winner", winner.reshape(shape)),
        ("share", _share_bytes(top_N2[:, 0]).reshape(shape)),
        ("margin", _share_bytes((top_N2[:, 0] - top_N2[:, 1]).sqrt()).reshape(shape)),
    ]


def boundary_parts(boundaries: FanBoundaries, data: Data) -> list[Part]:
    """The boundaries of a fan's futures as names and arrays, for one binary message."""
    output_FNC, picture = boundaries.output_FNC, boundaries.picture
    shape = len(output_FNC), *picture.shape
    output_MC = output_FNC.flatten(0, 1)[:, data.preparation.output_parts[0]]
    data = data.by_target[0]
    if picture.shows == "plane":
        parts = plane_parts(output_MC, len(data.classes), shape)
        return [part for part in parts if part[0] != "share"]
    if data.classes:
        return [("value", probabilities(output_MC).numpy().reshape(*shape, -1))]
    value = data.preparation.predictions(output_MC)[:, 0].numpy().astype(np.float32)
    return [("value", value.reshape(shape if picture.shows == "surface" else (*shape, 1)))]


def _share_bytes(share_N: Tensor) -> NDArray[np.uint8]:
    share: NDArray[np.uint8] = (share_N * 255).round().numpy().astype(np.uint8)
    return share


# ---- units and weights


def _layers(
    net: nn.Module,
    data: Data,
    seen: Sight,
    item_shape: Sequence[int] | None,
    unit: tuple[int, int] | None,
    on_rows: list[LayerCall],
) -> tuple[list[dict[str, Any]], list[Part]]:
    """Header entries and arrays of the layers. Layer 0 is the inputs (pixels of images are not drawn).
    on_rows: the layers' calls on the drawn training rows."""
    image = seen.scale is not None
    ran = on_rows if image else layers_as_they_run(net, seen.small_ND, item_shape)[0]
    places = list(range(len(ran)))
    if len(ran) > LAYERS:
        places = [*range(LAYERS // 2), *range(len(ran) - LAYERS // 2, len(ran))]
        ran, on_rows = [ran[i] for i in places], [on_rows[i] for i in places]
    values = [seen.small_ND.numpy(), *(each.given_NU for each in ran)]
    if image:
        values[0] = np.zeros((1, data.inputs))
    rows = [
        values[0] if image else seen.rows_by_split["train"][0].x.numpy(),
        *(each.given_NU for each in on_rows),
    ]
    shape = [g.shape[1] for g in values]
    if [len(u) for u in seen.units_by_layer] != [min(n, UNITS) for n in shape] or any(
        len(u) and u[-1] >= n for u, n in zip(seen.units_by_layer, shape, strict=True)
    ):
        onward = [*(call.weight for call in ran), None]
        seen.units_by_layer = most_moving(data, seen.axes, rows, onward, UNITS)
    size = (len(seen.small_ND) // max(1, _height(seen)), _height(seen))
    layers, parts = [], []
    for k, units_U in enumerate(seen.units_by_layer):
        call = ran[k - 1] if k else None
        if k == 0 and image:
            continue
        layers.append(_layer_entry(data, k, len(values), call, values[k].shape[1], units_U, rows[k]))
        if not image:
            value_URR = values[k][:, units_U].T.reshape(len(units_U), size[1], size[0])
            parts.append((f"unit.{k}", _bytes(value_URR)))
        if call is None:
            continue
        before = seen.units_by_layer[k - 1]
        on_pixels = k == 1 and image
        if not on_pixels and call.weight is not None and call.weight.shape[1] == values[k - 1].shape[1]:
            parts.append((f"weight.{k}", call.weight[np.ix_(units_U, before)].astype(np.float32)))
        if call.bias is not None and len(call.bias) == values[k].shape[1]:
            parts.append((f"bias.{k}", call.bias[units_U].astype(np.float32)))
        tiles = call.tiles(data.item_shape) if on_pixels else None
        if tiles is not None:
            tile_UCHW = shrunk(as_colours(tiles[units_U]), MAP_SIDE)
            parts.append((f"tile.{k}", signed_bytes(tile_UCHW, (1, 2, 3))[0]))
    if image:
        shown = zip(ran, places, seen.units_by_layer[1:], strict=True)
        seen.drawn_layers = [DrawnLayer(call.name, at, call.given_NU.shape[1], u) for call, at, u in shown]
    elif unit is not None and 0 <= unit[0] < len(values) and 0 <= unit[1] < values[unit[0]].shape[1]:
        parts.append(("unit", _one_unit(net, seen, item_shape, unit, [c.name for c in ran])))
    return layers, parts


def _height(seen: Sight) -> int:
    return 1 if seen.shows == "line" else round(len(seen.small_ND) ** 0.5)


def _layer_entry(
    data: Data,
    k: int,
    stages: int,
    call: LayerCall | None,
    total: int,
    units_U: NDArray[np.int64],
    rows_NU: NDArray[np.float64],
) -> dict[str, Any]:
    labels = list(unit_labels(data, k, stages, total, units_U))
    dead = np.flatnonzero(np.ptp(rows_NU, axis=0) == 0).tolist() if 0 < k < stages - 1 else []  # of all units
    what = _("inputs") if call is None else call.what
    name = "" if call is None else call.name
    units = units_U.tolist()
    return {"name": name, "what": what, "total": total, "units": units, "labels": labels, "dead": dead}


def _one_unit(
    net: nn.Module,
    seen: Sight,
    item_shape: Sequence[int] | None,
    unit: tuple[int, int],
    names: Sequence[str],
) -> NDArray[np.uint8]:
    layer, number = unit
    if layer == 0:
        value_N = seen.grid_ND[:, number].double().numpy()
    else:
        ran, _out, _notes = layers_as_they_run(net, seen.grid_ND, item_shape)
        (call,) = (each for each in ran if each.name == names[layer - 1])
        value_N = call.given_NU[:, number]
    full: NDArray[np.uint8] = _bytes(value_N.reshape(1, len(seen.y_R), len(seen.x_R)))[0]
    return full


def _bytes(value_URR: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values scaled to bytes, each unit's by its own largest value."""
    return signed_bytes(value_URR, (1, 2))[0]


# ---- a frame as bytes

ALIGNED = 8  # bytes: each part begins at a multiple


def frame_bytes(header: Mapping[str, Any], parts: Sequence[tuple[str, NDArray[Any]]]) -> bytes:
    """The bytes of a frame. parts: names and arrays of type u1, u2, u4 or f4."""
    listed = [
        {"name": name, "type": array.dtype.str.lstrip("<|=>"), "shape": list(array.shape)}
        for name, array in parts
    ]
    text = compact_json({**header, "parts": listed})
    text += b" " * (-(len(text) + 4) % ALIGNED)
    pieces = [len(text).to_bytes(4, "little"), text]
    for _name, array in parts:
        raw = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        pieces += [raw, b"\0" * (-len(raw) % ALIGNED)]
    return b"".join(pieces)


# ---- points


def points_of(sight: Sight, data: Data) -> dict[str, Any]:
    """The message ``points`` of ``docs/studio-protocol.md``: the drawn rows and the axes; for images,
    examples."""
    axes, rows = sight.axes, []
    if sight.scale is not None:
        examples = examples_of(data, sight.scale, sight.rows_by_split["train"][0])
        return {"axes": [], "view": axes.view, "held": [], "rows": [], "examples": examples}
    for split, (drawn, place_NK) in sight.rows_by_split.items():
        true_N = drawn.y.reshape(-1).double()
        if not data.classes:
            true_N = data.preparation.values(true_N)
        second = place_NK[:, 1] if place_NK.shape[1] > 1 else true_N.numpy()
        rows.append(
            {
                "split": split,
                "x": [finite(v) for v in place_NK[:, 0].tolist()],
                "y": [finite(v) for v in second.tolist()],
                "true": true_N.tolist(),
                "index": drawn.index.tolist(),
                "total": len(data.splits[split]),
            }
        )
    return {
        "axes": list(axes.axis_names),
        "view": axes.view,
        "variance": axes.variance,
        "held": [list(each) for each in axes.held[:12]],
        "low": [float(sight.x_R[0]), float(sight.y_R[0])],
        "high": [float(sight.x_R[-1]), float(sight.y_R[-1])],
        "rows": rows,
    }
