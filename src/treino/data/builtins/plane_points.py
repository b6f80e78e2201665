"""Synthetic data sets of points in a plane (moons, circles, spirals), drawn from a fixed seed.

NumPy's ``RandomState`` is used because its stream is frozen for good (NumPy NEP 19).
"""

import numpy as np
from numpy.typing import NDArray

ROWS = 1000
_Points = tuple[NDArray[np.float64], NDArray[np.int64]]


def moons(noise: float = 0.2) -> _Points:
    """Two interleaving half circles; equal to scikit-learn's
    ``make_moons(1000, noise=0.2, random_state=0)``."""
    angle = np.linspace(0, np.pi, ROWS // 2)
    x = np.concatenate([np.cos(angle), 1 - np.cos(angle)])
    y = np.concatenate([np.sin(angle), 0.5 - np.sin(angle)])
    return _shuffled(np.stack([x, y], axis=1), 2, noise)


def circles(noise: float = 0.1, factor: float = 0.5) -> _Points:
    """A circle around a smaller one; equal to scikit-learn's
    ``make_circles(1000, noise=0.1, factor=0.5, random_state=0)``."""
    angle = np.linspace(0, 2 * np.pi, ROWS // 2, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _shuffled(np.concatenate([circle, circle * factor]), 2, noise)


def spirals() -> tuple[np.ndarray, np.ndarray]:
    """Three arms of a spiral out of the middle to radius 1, evenly spaced in it, 0.75 turns each."""
    points, arm_N = [], np.repeat(np.arange(3), [334, 333, 333])
    for arm in range(3):
        radius = np.linspace(0.05, 1, int((arm_N == arm).sum()))
        angle = 2 * np.pi * (arm / 3 + 0.75 * radius)
        points.append(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
    random = np.random.RandomState(0)
    order_N = np.arange(1000)
    random.shuffle(order_N)
    return np.concatenate(points)[order_N] + random.normal(scale=0.04, size=(1000, 2)), arm_N[order_N]


def _shuffled(x_N2: NDArray[np.float64], classes: int, noise: float) -> _Points:
    """Rows in random order and the noise added. x comes class by class, the first classes the longer."""
    counts = [len(range(c, len(x_N2), classes)) for c in range(classes)]
    y_N = np.repeat(np.arange(classes), counts)
    random = np.random.RandomState(0)
    order_N = np.arange(len(x_N2))
    random.shuffle(order_N)
    return x_N2[order_N] + random.normal(scale=noise, size=x_N2.shape), y_N[order_N]
