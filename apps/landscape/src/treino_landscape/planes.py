"""Planes and lines through the parameters of networks, and the loss on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal
from treino.data import Rows, generator
from treino.inspection import Floats, principal_components
from treino_landscape.loss_surface import LARGEST, LossSurface

LANDSCAPE_NO_FILTERS = Refusal(
    "The network has no weights to move: all of its filters are zero, or it has none.",
    "Take the landscape of a network with at least one layer of weights that are not all zero.",
)
LANDSCAPE_PATH_NOT_FINITE = Refusal(
    "The run's path leads to parameters that are not finite.",
    "Draw the landscape of a run that did not diverge; treino doctor RUN says why this one did.",
)
LANDSCAPE_PATH_SHORT = Refusal(
    "The run's path has {n} places, and a plane needs three that differ.",
    "Train for more steps, or draw [[what=landscape]], which needs no path.",
)

MOMENTS, FEWEST = 60, 8  # maximum and minimum number of a run's steps on its path
NUMBERS = 20_000_000  # maximum number of parameters of all these steps together
RESOLUTION = 51
COARSE = 25  # resolution for a network for which the fine grid takes too long
MARGIN = 0.3  # margin around the path, as a share of its extent
BEYOND = 0.25  # extent of the line beyond both networks, as a share of their distance
FLAT = 1e-12  # with a smaller share of the variance, the second direction is rounding error


@dataclass(frozen=True, eq=False)
class RunPath:
    """K moments of a run, projected on the plane of a landscape.

    step_K: updates done. at_K2: places on the plane (the last at 0, 0). loss_K: the losses of the networks
    themselves, which may lie off the plane, on the landscape's rows. share: the share of the path's variance
    along each axis.
    """

    step_K: NDArray[np.int64]
    at_K2: Floats
    loss_K: Floats
    share: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Landscape:
    """The loss over a plane through the parameters of a network.

    kind: ``random`` (two filter-normalised random directions; length 1 is the norm of the network's weights)
    or ``path`` (the first two principal axes of the run's path, in units of the parameters).
    a_R, b_R: places along the two axes. loss_RR: ``[b, a]``, possibly inf or NaN. centre: the loss at (0, 0).
    rows: the number of rows used, of ``total`` training rows. seed: the random directions' seed. batch_norm:
    whether the network uses running statistics; the statistics at (0, 0) are used everywhere.
    origin_n, axes_2n: the plane's origin and axes in parameter space.
    """

    kind: Literal["random", "path"]
    a_R: Floats
    b_R: Floats
    loss_RR: Floats
    centre: float
    rows: int
    total: int
    origin_n: Tensor
    axes_2n: Tensor
    seed: int = 0
    path: RunPath | None = None
    batch_norm: bool = False


@dataclass(frozen=True, eq=False)
class Interpolation:
    """The loss along the straight line from one network (0) to another (1).

    at_R: places on the line. loss: ``{split: [R]}``. barrier: ``{split: (height, place)}``: the largest rise
    of the loss above the straight line between the losses at both ends, and its place; height 0 without a
    rise. rows: ``{split: rows used}``. distance: between the networks' trained parameters.
    """

    at_R: Floats
    loss: dict[str, Floats]
    barrier: dict[str, tuple[float, float]]
    rows: dict[str, int]
    distance: float


def random_plane(surface: LossSurface, *, seed: int = 0, resolution: int | None = None) -> Landscape:
    """The loss around a network along two random directions (Li et al. 2018, arXiv:1712.09913).

    Each direction is drawn from a normal distribution; then each of its filters (the incoming weights of a
    unit: a row of a matrix, a kernel of a convolution) is scaled to the norm of the network's filter. Biases
    and parameters of batch norm are not moved, as in the paper. So a step of 1 is as large as the network's
    weights, and landscapes of networks of different scale can be compared.

    Raises:
        TreinoError: the network has no weights of two or more axes, or they are all zero.
    """
    origin_n = surface.place()
    axes_2n = filter_normalised(surface, origin_n, seed)
    at_R = np.linspace(-1.0, 1.0, resolution or _resolution(surface))
    centre = float(surface.losses(origin_n, axes_2n, np.zeros((1, 2)))[0])
    return _landscape("random", surface, origin_n, axes_2n, at_R, at_R, centre, seed=seed)


def _landscape(
    kind: Literal["random", "path"],
    surface: LossSurface,
    origin_n: Tensor,
    axes_2n: Tensor,
    a_R: Floats,
    b_R: Floats,
    centre: float,
    **more: Any,
) -> Landscape:
    at_K2 = np.stack(np.meshgrid(a_R, b_R), axis=-1).reshape(-1, 2)
    loss_RR = surface.losses(origin_n, axes_2n, at_K2).reshape(len(b_R), len(a_R))
    more |= {"batch_norm": surface.batch_norm}
    rows = len(surface.rows)
    return Landscape(kind, a_R, b_R, loss_RR, centre, rows, surface.total, origin_n, axes_2n, **more)


def filter_normalised(surface: LossSurface, origin_n: Tensor, seed: int) -> Tensor:
    """``[2, n]``: two random directions, whose filters have the norms of the network's filters."""
    chance = generator(seed, "landscape")
    axes_2n = torch.zeros(2, len(origin_n))
    own = surface.layout.named(origin_n)
    for axis_n in axes_2n:
        for name, view in surface.layout.named(axis_n[: len(origin_n)]).items():
            if view.dim() < 2 or surface.layout.starts[surface.layout.names.index(name)] >= surface.trained:
                continue
            drawn = torch.randn(view.shape, generator=chance).flatten(1)
            length = drawn.norm(dim=1, keepdim=True).clamp(min=1e-10)
            view.copy_((drawn * own[name].flatten(1).norm(dim=1, keepdim=True) / length).view(view.shape))
    if not bool(axes_2n.abs().sum(1).gt(0).all()):
        raise LANDSCAPE_NO_FILTERS()
    return axes_2n


def path_plane(
    surface: LossSurface, place_Kn: Tensor, step_K: Sequence[int], *, resolution: int | None = None
) -> Landscape:
    """The loss over the plane of a run's path, through its last place (Li et al. 2018, section 7).

    place_Kn: the network's places after ``step_K`` updates, in order. The axes are the first two principal
    axes of these places' trained parameters; untrained numbers keep their values at the last place.

    Raises:
        TreinoError: the path has fewer than three different places, or is not finite.
    """
    if not bool(place_Kn.isfinite().all()):
        raise LANDSCAPE_PATH_NOT_FINITE()
    too_short = LANDSCAPE_PATH_SHORT(n=len(place_Kn))
    if len(place_Kn) < 3:
        raise too_short
    _mean, axes, share = principal_components(place_Kn[:, : surface.trained].double().numpy())
    if share[1] < FLAT:
        raise too_short
    axes_2n = torch.from_numpy(axes).to(place_Kn.dtype)
    axes_2n = torch.nn.functional.pad(axes_2n, (0, len(place_Kn[0]) - surface.trained))
    origin_n = place_Kn[-1]
    at_K2 = ((place_Kn - origin_n).double() @ axes_2n.double().T).numpy()
    low, high = at_K2.min(0), at_K2.max(0)
    middle, half = (low + high) / 2, (0.5 + MARGIN) * float((high - low).max())
    a_R, b_R = (np.linspace(m - half, m + half, resolution or _resolution(surface)) for m in middle)
    true_K = surface.losses(torch.zeros_like(origin_n), place_Kn, np.eye(len(place_Kn)))
    path = RunPath(np.asarray(step_K, dtype=np.int64), at_K2, true_K, share)
    return _landscape("path", surface, origin_n, axes_2n, a_R, b_R, float(true_K[-1]), path=path)


def interpolation(
    surface: LossSurface, other_n: Tensor, splits: dict[str, Rows], *, resolution: int = 61
) -> Interpolation:
    """The loss on the line from the surface's network to ``other_n``, and ``BEYOND`` it on both sides.

    The barrier is defined as for linear mode connectivity (Frankle et al. 2020, arXiv:1912.05671; as measured
    by Entezari et al. 2022, arXiv:2110.06296): the largest rise above the line between the losses of both
    ends. splits: the rows to measure on, by name. Running statistics are interpolated like the parameters.
    """
    origin_n = surface.place()
    axis_1n = (other_n - origin_n).unsqueeze(0)
    inside_R = np.linspace(0.0, 1.0, resolution)
    step = inside_R[1]
    more_R = np.arange(1, round(BEYOND / step) + 1) * step
    at_R = np.concatenate([-more_R[::-1], inside_R, 1 + more_R])
    loss = {name: surface.losses(origin_n, axis_1n, at_R[:, None], rows) for name, rows in splits.items()}
    barrier = {name: _barrier(at_R, loss_R) for name, loss_R in loss.items()}
    distance = float(axis_1n[0, : surface.trained].double().norm())
    return Interpolation(at_R, loss, barrier, {name: len(rows) for name, rows in splits.items()}, distance)


def _barrier(at_R: Floats, loss_R: Floats) -> tuple[float, float]:
    """Return (height, place) of the barrier; the height is inf if a loss between the two networks is not
    finite."""
    inside = (at_R >= 0) & (at_R <= 1)
    at, loss = at_R[inside], loss_R[inside]
    with np.errstate(invalid="ignore"):
        rise = loss - ((1 - at) * loss[0] + at * loss[-1])
    if not np.isfinite(rise).all():
        return float("inf"), float(at[~np.isfinite(rise)][0])
    top = int(rise.argmax())
    return max(0.0, float(rise[top])), float(at[top])


def _resolution(surface: LossSurface) -> int:
    return RESOLUTION if surface.work * len(surface.rows) * RESOLUTION**2 <= 2 * LARGEST else COARSE


# ---- gradient descent as a walk in fog

STANDS = 4


@dataclass(frozen=True, eq=False)
class SurfacePoint:
    """A point on the plane of a run's path, with the local slope.

    step: updates done. at_2: the place on the plane. loss: the loss at this place. slope_2: the loss's
    derivatives along the two axes, per unit of the parameters; gradient descent moves against them. inside:
    the share of the gradient's norm within the plane, from 0 to 1.
    """

    step: int
    at_2: Floats
    loss: float
    slope_2: Floats
    inside: float


def walk_points(surface: LossSurface, land: Landscape) -> list[SurfacePoint]:
    """``STANDS`` points or fewer, evenly spaced along the path on the plane, including its first and last."""
    assert land.path is not None
    at_K2 = land.path.at_K2
    gone_K = np.concatenate([[0.0], np.linalg.norm(np.diff(at_K2, axis=0), axis=1).cumsum()])
    ways = np.linspace(0, gone_K[-1], STANDS)
    places = dict.fromkeys(int(np.abs(gone_K - way).argmin()) for way in ways)
    points = []
    for k in places:
        place_n = land.origin_n + torch.from_numpy(at_K2[k]).to(land.origin_n.dtype) @ land.axes_2n
        loss, slope_n = surface.slope(place_n)
        slope_2 = (land.axes_2n.double() @ slope_n.double()).numpy()
        whole = float(slope_n.double().norm())
        inside = float(np.linalg.norm(slope_2)) / whole if whole > 0 else 0.0
        points.append(SurfacePoint(int(land.path.step_K[k]), at_K2[k], loss, slope_2, min(1.0, inside)))
    return points
