"""Picture problems out of what is at hand: MNIST, scikit-learn's digits and photographs, drawn shapes.

Each has training rows, rows that defaults were chosen by, and test rows that nothing was chosen by.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch.utils.data import TensorDataset

from treino.data.readers import idx

CHOICE, TEST = 2000, 2000  # rows of the problems that are drawn
PHOTOGRAPHS = ("china.jpg", "flower.jpg")  # of scikit-learn
BANDS = ((0, 2, 4), (1,), (3,))  # upright fifths of a photograph: of rows that train, choose and test


@dataclass(frozen=True)
class PictureProblem:
    """Pictures ``[N, C, H, W]`` of bytes with their class numbers."""

    name: str
    train: TensorDataset
    choice: TensorDataset
    test: TensorDataset


Part = tuple[NDArray[np.uint8], NDArray[np.int64]]


def problem(name: str) -> PictureProblem:
    """The problem of this name, one of ``PROBLEMS``; equal at each call."""
    datasets = (
        TensorDataset(torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y))
        for x, y in PROBLEMS[name]()
    )
    return PictureProblem(name, *datasets)


# ---- MNIST and digits


@cache
def _mnist() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Training pictures ``[60000, 28, 28]`` and, after them, the 10,000 official test pictures."""
    pixels_ND, y_N, _notes = idx.read_idx_set("mnist")
    return np.asarray(pixels_ND, np.uint8).reshape(-1, 28, 28), np.asarray(y_N).astype(np.int64)


def mnist(rows: int) -> list[Part]:
    """The first ``rows`` training rows; the last 10,000 training rows choose; the official test rows."""
    x, y = _mnist()
    return [(x[at][:, None], y[at]) for at in (slice(rows), slice(50_000, 60_000), slice(60_000, None))]


def digits() -> list[Part]:
    """scikit-learn's digits of 8 × 8 pixels: 1,000 train, 297 choose, 500 test."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    x = np.rint(bunch.images[order, None] * (255 / 16)).astype(np.uint8)
    y = bunch.target[order].astype(np.int64)
    return [(x[at], y[at]) for at in (slice(1000), slice(1000, 1297), slice(1297, None))]


# ---- photographs


@cache
def photographs() -> tuple[NDArray[np.uint8], ...]:
    """``[height, width, 3]`` each."""
    import sklearn.datasets

    folder = Path(sklearn.datasets.__file__).parent / "images"
    return tuple(np.asarray(Image.open(folder / name).convert("RGB")) for name in PHOTOGRAPHS)


@cache
def sources() -> tuple[NDArray[np.uint8], ...]:
    """Grey surfaces: scikit-learn's photographs, one of matplotlib's, and a map of heights."""
    import matplotlib

    folder = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data"
    height = np.load(folder / "jacksboro_fault_dem.npz")["elevation"].astype(float)
    low, high = height.min(), height.max()
    grey = [photo.mean(2) for photo in photographs()]
    grey.append(np.asarray(Image.open(folder / "grace_hopper.jpg").convert("L"), float))
    return tuple(g.astype(np.uint8) for g in (*grey, 255 * (height - low) / (high - low)))


def _patches(photo: NDArray[np.uint8], part: int, count: int, size: int, rng: np.random.Generator) -> NDArray:
    """Squares of one part of a photograph: no pixel is in two parts."""
    edges = np.linspace(0, photo.shape[1], 6).astype(int)
    band = rng.choice(BANDS[part], count)
    left = rng.integers(edges[band], edges[band + 1] - size + 1)
    top = rng.integers(0, photo.shape[0] - size + 1, count)
    return np.stack([photo[t : t + size, s : s + size] for t, s in zip(top, left, strict=True)])


def textures(size: int = 24, rows: int = 2000) -> list[Part]:
    """Grey patches, turned and with their contrast and brightness drawn anew: of which of four surfaces?"""
    parts = []
    for part, count in enumerate((rows, 1000, 1000)):
        rng = np.random.default_rng(part)
        y = np.arange(count) % len(sources())
        x = np.empty((count, 1, size, size), np.uint8)
        for label, surface in enumerate(sources()):
            at = np.flatnonzero(y == label)
            for row, patch in zip(at, _patches(surface, part, len(at), size, rng), strict=True):
                z = (patch - patch.mean()) / (patch.std() + 4.0)
                z = np.rot90(z * rng.uniform(20, 50) + rng.uniform(90, 160), rng.integers(4))
                x[row, 0] = np.clip(z + rng.normal(0, 8, z.shape), 0, 255)
        parts.append((x, y))
    return parts


def mnist_colour(size: int, rows: int) -> list[Part]:
    """MNIST's digits in a drawn colour, size and place, on a patch of a photograph."""
    digit_x, digit_y = _mnist()
    parts = []
    first = (0, 50_000, 60_000)
    for part, count in enumerate((rows, CHOICE, TEST)):
        rng = np.random.default_rng(part)
        x = np.empty((count, 3, size, size), np.uint8)
        y = digit_y[first[part] : first[part] + count]
        ground = np.concatenate(
            [_patches(photo, part, (count + 1) // 2, size, rng) for photo in photographs()]
        )
        ground = ground[rng.permutation(len(ground))]
        for row in range(count):
            side = int(rng.integers(round(0.7 * size), size + 1))
            digit = Image.fromarray(digit_x[first[part] + row]).resize(
                (side, side), Image.Resampling.BILINEAR
            )
            top, left = rng.integers(0, size - side + 1, 2)
            ink = np.zeros((size, size, 1))
            ink[top : top + side, left : left + side, 0] = np.asarray(digit) / 255
            under = ground[row].astype(float)
            colour = rng.uniform(0, 255, 3)
            while np.abs(colour - under.mean((0, 1))).max() < 80:
                colour = rng.uniform(0, 255, 3)
            x[row] = (under * (1 - ink) + colour * ink).transpose(2, 0, 1)
        parts.append((x, y))
    return parts


# ---- drawn shapes

SHAPES = ("disc", "ring", "triangle", "square", "star", "cross")


def shapes(size: int = 32, rows: int = 3000) -> list[Part]:
    """Which shape? In any colour, size and turn, among lines and dots, with noise."""
    parts = []
    for part, count in enumerate((rows, CHOICE, TEST)):
        rng = np.random.default_rng(100 + part)
        y = np.arange(count) % len(SHAPES)
        x = np.stack([_shape(SHAPES[label], size, rng) for label in y])
        parts.append((x, y))
    return parts


def _shape(kind: str, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    fine = 3 * size  # drawn larger, then made smaller: edges without stairs
    paper, ink = rng.uniform(0, 255, (2, 3))
    while np.abs(paper - ink).max() < 70:
        ink = rng.uniform(0, 255, 3)
    picture = Image.new("RGB", (fine, fine), tuple(paper.astype(int)))
    draw = ImageDraw.Draw(picture)
    for _line in range(rng.integers(2, 6)):
        ends = [tuple(p) for p in rng.uniform(0, fine, (2, 2))]
        draw.line(ends, tuple(rng.integers(0, 256, 3)), width=int(rng.integers(2, 6)))
    for _dot in range(rng.integers(0, 4)):
        at, r = rng.uniform(0, fine, 2), rng.uniform(2, 5)
        draw.ellipse([*(at - r), *(at + r)], tuple(rng.integers(0, 256, 3)))
    radius = rng.uniform(0.18, 0.42) * fine
    centre, turn, fill = (
        rng.uniform(radius, fine - radius, 2),
        rng.uniform(0, 2 * math.pi),
        tuple(ink.astype(int)),
    )
    if kind in ("disc", "ring"):
        box = [*(centre - radius), *(centre + radius)]
        draw.ellipse(box, fill if kind == "disc" else None, fill, width=max(3, round(0.28 * radius)))
    elif kind == "cross":
        for angle in (turn, turn + math.pi / 2):
            arm = radius * np.array([math.cos(angle), math.sin(angle)])
            draw.line([tuple(centre - arm), tuple(centre + arm)], fill, width=max(3, round(0.4 * radius)))
    else:
        corners = {"triangle": 3, "square": 4, "star": 10}[kind]
        angle = turn + 2 * math.pi * np.arange(corners) / corners
        far = radius * np.where(np.arange(corners) % 2, 0.45 if kind == "star" else 1.0, 1.0)
        points = centre + far[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        draw.polygon([tuple(p) for p in points], fill)
    small = np.asarray(picture.resize((size, size), Image.Resampling.BOX), float)
    noise = rng.normal(0, rng.uniform(4, 24), small.shape)
    return np.clip(small + noise, 0, 255).astype(np.uint8).transpose(2, 0, 1)


PROBLEMS: dict[str, Callable[[], list[Part]]] = {
    "mnist_100": lambda: mnist(100),
    "mnist_1000": lambda: mnist(1000),
    "mnist_10000": lambda: mnist(10_000),
    "digits_8px": digits,
    "textures_24px": textures,
    "shapes_32px": shapes,
    "mnist_colour_32px": lambda: mnist_colour(32, 4000),
    "mnist_colour_64px": lambda: mnist_colour(64, 2000),
}
NEED_MNIST = tuple(name for name in PROBLEMS if name.startswith("mnist"))
