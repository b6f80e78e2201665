"""Gradient descent as a walk in fog: at each point only the loss and its slope are known."""

from dataclasses import dataclass

import numpy as np
import torch

from treino.inspection.input_planes import Floats
from treino.inspection.landscape.loss_surface import LossSurface
from treino.inspection.landscape.planes import Landscape

STANDS = 4


@dataclass(frozen=True, eq=False)
class SurfacePoint:
    """A point of the walk on the path's plane, with its local slope.

    step: updates done. at_2: the place on the plane. loss: the loss there. slope_2: the loss's derivatives
    along the two axes, per unit of the parameters; gradient descent walks against them. inside: the share of
    the gradient's norm within the plane, from 0 to 1.
    """

    step: int
    at_2: Floats
    loss: float
    slope_2: Floats
    inside: float


def walk_points(surface: LossSurface, land: Landscape) -> list[SurfacePoint]:
    """Points of the walk, evenly spaced along the path on the plane, first and last included."""
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
