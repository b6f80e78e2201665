"""Frames of a training film: the network's outputs over its inputs after several numbers of steps, or a
convolutional network's first filters.

All frames share the view, the axes or scales, and the rows of the final network's picture. Test rows are not
used: they are for the final test metrics only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.data import Data, Rows
from treino.inspection import (
    Boundary,
    Floats,
    InputAxes,
    InputLine,
    Plane,
    Score,
    Split,
    boundary,
    columns_with_an_axis,
    finite_winners,
    held_out,
    layers_as_they_run,
    predicted_classes,
    row_of,
    sight,
)
from treino.inspection.outputs import AnsweredPicture, answered_picture, has_answer, outputs

SPLITS: tuple[Split, ...] = ("train", "validation")
FRAMES = 60
RESOLUTION = 96
NUMBERS = 700_000  # maximum number of values in a frame; with many classes the grid is coarser
FILTERS = 16  # maximum number of filters


@dataclass(frozen=True, eq=False)
class FilterSight:
    """The picture and channels that all frames of a film of filters show, chosen for the final network.

    split, row: the picture. units_U: the channels of the first layer with the longest filters. most_kernel,
    most_map: the largest values, for one scale of all frames.
    """

    split: Split
    row: Rows
    units_U: NDArray[np.int64]
    most_kernel: float
    most_map: float


@dataclass(frozen=True, eq=False)
class FilterView:
    """A network's first filters ``[U, C, h, w]``, and their outputs for one picture ``[U, H, W]``.

    picture: the picture and the network's prediction. predicted_N: classes of rows of ``score``, to count
    those that changed; empty for regression. No class has a region of its own.
    """

    sight: FilterSight
    picture: AnsweredPicture | None
    kernel_UCHW: Floats
    map_UHW: Floats
    score: Score
    predicted_N: NDArray[np.int64]
    name: str
    classes: tuple[str, ...] = ()
    absent: tuple[int, ...] = ()


Shown = Boundary | FilterView


@dataclass(frozen=True, eq=False)
class NetworkState:
    """A network after ``step`` updates and ``epoch`` epochs. loss: the training loss of the last update."""

    step: int
    epoch: float
    loss: float | None
    net: nn.Module


@dataclass(frozen=True, eq=False)
class Frame:
    """A network's outputs after ``step`` updates, and their change since the previous frame.

    moved: the share of the view, or of rows, whose predicted class changed; None for the first frame, and for
    regression. change: the mean change of the probabilities in view (half the sum over classes, 0 to 1); for
    regression, of the predictions, in the target's own units; for filters, the length of the change relative
    to their length. None for the first frame.
    """

    step: int
    epoch: float
    loss: float | None
    shown: Shown
    moved: float | None
    change: float | None


def frame_steps(last: int, kept: int | None = None, every: int | None = None) -> list[int]:
    """The steps of a film's frames: every ``every``-th step, or about 60 steps, denser at the beginning.

    Always includes step 0, the last step, and the step of the kept weights.
    """
    wanted = {0, last} if kept is None else {0, last, kept}
    if every is not None:
        return sorted(wanted | set(range(0, last + 1, every)))
    return sorted(
        wanted | {round(float(s)) for s in np.geomspace(1, max(1, last), FRAMES)} & set(range(last + 1))
    )


def film_sight(
    final: nn.Module,
    data: Data,
    item_shape: Sequence[int] | None = None,
    choose: Callable[[], InputAxes] | None = None,
) -> InputAxes | FilterSight | None:
    """Choose the axes, or filters and picture, of all frames for the final network; None if there is nothing
    to choose. choose: returns the axes, if another picture has them too; default: ``sight``."""
    if data.kind == "image":
        split, row = row_of(data, None, SPLITS)
        first = _first_convolution(final, row, item_shape)
        if first is not None:
            length_U = np.linalg.norm(first[0].reshape(len(first[0]), -1), axis=1)
            units_U = np.sort(np.argsort(-length_U, kind="stable")[:FILTERS])
            shown = (np.nan_to_num(np.abs(v[units_U])) for v in first)
            return FilterSight(split, row, units_U, *(float(v.max()) for v in shown))
    if data.task == "regression" or (len(data.features) == 1 and columns_with_an_axis(data)):
        return None
    axes = sight(final, data, item_shape=item_shape) if choose is None else choose()
    return replace(axes, rows=_remembered(axes.rows))


def _remembered(rows: Callable[[Floats], Tensor]) -> Callable[[Floats], Tensor]:
    """Return the function that prepares the rows of a grid with a memory: all frames have the same grid."""
    known: dict[bytes, Tensor] = {}

    def kept(at_NK: Floats) -> Tensor:
        key = at_NK.tobytes()
        if key not in known:
            known[key] = rows(at_NK)
        return known[key]

    return kept


def view(
    net: nn.Module,
    data: Data,
    seen: InputAxes | FilterSight | None,
    resolution: int,
    item_shape: Sequence[int] | None = None,
) -> Shown:
    """Compute one frame's picture of a network. seen: from ``film_sight``."""
    if not isinstance(seen, FilterSight):
        return boundary.boundary(
            net, data, resolution=resolution, item_shape=item_shape, splits=SPLITS, seen=seen
        )
    first = _first_convolution(net, seen.row, item_shape)
    assert first is not None
    kernel_UCHW, map_UHW = first
    _split, rows = held_out(data, SPLITS)
    out = outputs(net, rows.x, item_shape=item_shape)
    answers = bool(has_answer(outputs(net, seen.row.x, item_shape=item_shape), data).all())
    return FilterView(
        seen,
        answered_picture(net, data, seen.split, seen.row, item_shape) if answers else None,
        kernel_UCHW[seen.units_U],
        map_UHW[seen.units_U],
        boundary.score(lambda _x: out, replace(data, test=data.test[:0])),
        predicted_classes(out, data.threshold).numpy() if data.classes else np.empty(0, np.int64),
        data.name,
    )


def _first_convolution(
    net: nn.Module, row: Rows, item_shape: Sequence[int] | None
) -> tuple[Floats, Floats] | None:
    """The kernels ``[U, C, H, W]`` of the first layer, and their outputs ``[U, H, W]`` for this row;
    None if it is no convolution."""
    ran, _out, _notes = layers_as_they_run(net, row.x[:], item_shape, maps=True)
    if not ran or ran[0].kernel is None or ran[0].map_NUHW is None:
        return None
    return ran[0].kernel, ran[0].map_NUHW[0].astype(np.float64)


def film(
    shots: Iterable[NetworkState],
    seen: InputAxes | FilterSight | None,
    data: Data,
    *,
    item_shape: Sequence[int] | None = None,
) -> Iterator[Frame]:
    """Yield the frames one by one; only two are in memory at a time.

    seen: from ``film_sight``.
    """
    size = int(min(RESOLUTION, max(24, (NUMBERS / max(1, len(data.classes))) ** 0.5)))
    before: Shown | None = None
    for shot in shots:
        now = view(shot.net, data, seen, size, item_shape)
        moved, change = difference(before, now)
        yield Frame(shot.step, shot.epoch, shot.loss, now, moved, change)
        before = now


def difference(before: Shown | None, now: Shown) -> tuple[float | None, float | None]:
    """Return ``moved`` and ``change`` of the frame ``now`` (see ``Frame``)."""
    if before is None:
        return None, None
    if isinstance(before, FilterView) or isinstance(now, FilterView):
        assert isinstance(before, FilterView)
        assert isinstance(now, FilterView)
        moved = float((before.predicted_N != now.predicted_N).mean()) if len(now.predicted_N) else None
        length = float(np.linalg.norm(before.kernel_UCHW)) or 1.0
        part = float(np.linalg.norm(now.kernel_UCHW - before.kernel_UCHW)) / length
        return moved, part if np.isfinite(part) else None
    if not now.classes:
        return None, _mean(np.abs(_answers(now) - _answers(before)))
    with np.errstate(invalid="ignore"):
        change = _mean(np.abs(_answers(now) - _answers(before)).sum(-1) / 2)
    new, old = (finite_winners(_answers(shown), None) for shown in (now, before))
    return float((new != old).mean()), change


def _answers(shown: Boundary) -> Floats:
    """Probabilities ``[..., C]``, or predictions ``[N]``."""
    if isinstance(shown, Plane):
        return shown.probability_RRC.astype(np.float64)
    if isinstance(shown, InputLine):
        return shown.value_RC if shown.classes else shown.value_RC[:, 0]
    return np.concatenate([p.predicted_N for p in shown.points])


def _mean(values: Floats) -> float | None:
    """The mean of the finite values; None without finite values."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None
