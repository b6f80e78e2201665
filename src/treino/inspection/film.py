"""Frames of a training film: the network's outputs over its inputs after several numbers of steps.

All frames share the view, the axes and the rows of the final network's picture. Test rows are not used: they
are for the final test metrics only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from treino.data.dataset import Data
from treino.inspection.boundary import boundary, columns_with_an_axis, sight
from treino.inspection.input_planes import Boundary, Fit, Floats, InputAxes, InputLine, Plane, Split

SPLITS: tuple[Split, ...] = ("train", "validation")
FRAMES = 60
RESOLUTION = 96
NUMBERS = 700_000  # maximum number of values in a frame; with many classes the grid is coarser


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

    moved: the share of the view whose predicted class changed; None for the first frame, and for regression.
    change: the mean change of the probabilities in view (half the sum over classes, 0 to 1); for regression
    of the predictions, in the target's own units. None for the first frame.
    """

    step: int
    epoch: float
    loss: float | None
    shown: Boundary
    moved: float | None
    change: float | None

    @property
    def absent(self) -> tuple[int, ...]:
        """Classes that are predicted nowhere in view."""
        return () if isinstance(self.shown, Fit) or not self.shown.classes else self.shown.absent


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


def resolution_for(classes: int) -> int:
    """The number of grid places along an axis."""
    return int(min(RESOLUTION, max(24, (NUMBERS / max(1, classes)) ** 0.5)))


def film_sight(final: nn.Module, data: Data, item_shape: Sequence[int] | None = None) -> InputAxes | None:
    """The axes of all frames, chosen for the final network; None if there is no choice."""
    if data.task == "regression" or (len(data.features) == 1 and columns_with_an_axis(data)):
        return None
    return sight(final, data, item_shape=item_shape)


def film(
    shots: Iterable[NetworkState],
    seen: InputAxes | None,
    data: Data,
    *,
    item_shape: Sequence[int] | None = None,
) -> Iterator[Frame]:
    """Yield the frames one by one; only two are in memory at a time.

    seen: from ``film_sight``.
    """
    size = resolution_for(len(data.classes))
    before: Boundary | None = None
    for shot in shots:
        now = boundary(shot.net, data, resolution=size, item_shape=item_shape, splits=SPLITS, seen=seen)
        moved, change = difference(before, now)
        yield Frame(shot.step, shot.epoch, shot.loss, now, moved, change)
        before = now


def difference(before: Boundary | None, now: Boundary) -> tuple[float | None, float | None]:
    """Return ``moved`` and ``change`` of the frame ``now`` (see ``Frame``)."""
    if before is None:
        return None, None
    if isinstance(now, Fit) or not now.classes:
        return None, _mean(np.abs(_answers(now) - _answers(before)))
    with np.errstate(invalid="ignore"):
        change = _mean(np.abs(_answers(now) - _answers(before)).sum(-1) / 2)
    return float((_winner(now) != _winner(before)).mean()), change


def _answers(shown: Boundary) -> Floats:
    """Probabilities ``[..., C]``, or predictions ``[N]``."""
    if isinstance(shown, Plane):
        return shown.probability_RRC.astype(np.float64)
    if isinstance(shown, InputLine):
        return shown.value_RC if shown.classes else shown.value_RC[:, 0]
    return np.concatenate([p.predicted_N for p in shown.points])


def _winner(shown: Boundary) -> np.ndarray:
    answers = _answers(shown)
    return np.where(np.isfinite(answers).all(-1), answers.argmax(-1), -1)


def _mean(values: Floats) -> float | None:
    """The mean of the finite values; None without finite values."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None
