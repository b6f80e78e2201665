"""Compare images with each other: find equal, almost equal and blank ones, and grey ones saved in colour.

The correlation of two images is the dot product of their pixels, centred and scaled to length 1: copies with
other brightness, contrast or a little noise are near-duplicates; shifted, rotated or mirrored copies aren't.
Vectors of length 1 with a correlation of at least c are at most sqrt(2 - 2c) apart, also after projection to
a few axes. The search skips pairs further apart on the axes and compares all others in full.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data.splits import first_of, joined_rows
from treino.data.table import RowPlace, row_place

# ---- reading images

_AT_ONCE, _BYTES_AT_ONCE = 2048, 1 << 25  # maximum number of images read at a time, and of their values
_COLOURS = (1, 2, 3, 4)


@dataclass(frozen=True, eq=False)
class ImagePart:
    """The images of one split.

    read: returns the values ``[K, D]`` of the images at the given positions. index_N: the images' row numbers
    in the source. label_N: their class codes; -1 without a class. whole_N: codes of the whole split, even if
    only a sample of its images is described. place: a function that words the place of a row of the source.
    """

    read: Callable[[NDArray[np.int64]], NDArray[Any]]
    index_N: NDArray[np.int64]
    label_N: NDArray[np.int64]
    whole_N: NDArray[np.int64]
    place: RowPlace = row_place


class ImageReader:
    """Reads the images of all splits, which are numbered one split after the other. shape: (C, H, W)."""

    def __init__(self, parts: Sequence[ImagePart], item_shape: Sequence[int]) -> None:
        self._parts = parts
        self._last = len(item_shape) > 2 and item_shape[0] not in _COLOURS and item_shape[-1] in _COLOURS
        shape = [item_shape[-1], *item_shape[:-1]] if self._last else list(item_shape)
        self.shape = (math.prod(shape[:-2]), shape[-2], shape[-1])
        self.start_P = np.cumsum([0, *(len(part.index_N) for part in parts)])

    def __len__(self) -> int:
        return int(self.start_P[-1])

    def chunks(self) -> Iterator[NDArray[Any]]:
        """Yield the values of all images in order, some at a time."""
        size = max(1, min(_AT_ONCE, _BYTES_AT_ONCE // math.prod(self.shape)))
        for part in self._parts:
            for start in range(0, len(part.index_N), size):
                yield part.read(np.arange(start, min(start + size, len(part.index_N))))

    def images(self, row_K: Sequence[int] | NDArray[np.int64]) -> torch.Tensor:
        """The images ``[K, C, H, W]`` of the given numbers."""
        read = [self._parts[part].read(np.array([at])) for part, at in map(self.at, row_K)]
        return self.planes(np.concatenate(read))

    def at(self, row: int) -> tuple[int, int]:
        """The number of an image's split, and its position there."""
        part = int(np.searchsorted(self.start_P, row, side="right")) - 1
        return part, int(row - self.start_P[part])

    def planes(self, value_KD: NDArray[Any]) -> torch.Tensor:
        """The values as images ``[K, C, H, W]`` of float32."""
        channels, height, width = self.shape
        x = torch.from_numpy(np.asarray(value_KD, dtype=np.float32))
        if self._last:
            return x.reshape(len(x), height, width, channels).movedim(-1, 1)
        return x.reshape(len(x), channels, height, width)


def reduced(x: torch.Tensor, side: int) -> torch.Tensor:
    """The images averaged over squares of ``side`` pixels; squares at the border may be smaller."""
    if side == 1:
        return x
    return torch.nn.functional.avg_pool2d(x, side, ceil_mode=True, count_include_pad=False)


# ---- the comparison

CORRELATION = 0.99  # minimum correlation of near-duplicates
_COMPARED_VALUES, _FEWEST_VALUES = 1024, 64  # values per compared image: most (by averaging), least
_COMPARED_BYTES = 400_000_000  # most bytes of all images while they are compared
_SPARSE = 8  # every 8th pixel in each direction shows for most pictures that they are in colour
_AXES = 16  # the number of principal axes, which separate most pairs
_SAMPLE = 256  # images that determine the axes; any axes give exact results, these are fast
_BLOCK = 128
_PAIRS = 8192  # pairs that are compared in full at a time
_DENSE = 16  # if more than one pair in _DENSE is left, comparing the whole block in full is faster
_SLACK = 1e-5  # margin for float32 rounding

Unit = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ImageComparison:
    """The result of reading and comparing N images.

    minimum, maximum: of all values. blank_N: whether all values of an image are the same. grey_N: whether all
    pixels of an image in colour are grey. first_N: for each image, the first one that equals it. near_N: the
    first one that it is linked to by a chain of equal and almost equal images; a blank image is almost equal
    to none. side: that of the squares of pixels over which images were averaged before the comparison.
    """

    minimum: float
    maximum: float
    blank_N: NDArray[np.bool_]
    grey_N: NDArray[np.bool_]
    first_N: NDArray[np.int64]
    near_N: NDArray[np.int64]
    side: int

    def of(self, row_K: NDArray[np.int64]) -> "ImageComparison":
        """The comparison of the given images alone, in this order."""
        return replace(
            self,
            blank_N=self.blank_N[row_K],
            grey_N=self.grey_N[row_K],
            first_N=first_of(self.first_N[row_K].tolist()),
            near_N=first_of(self.near_N[row_K].tolist()),
        )

    def to_json(self) -> dict[str, Any]:
        return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in vars(self).items()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "ImageComparison":
        kinds = {"blank_N": bool, "grey_N": bool, "first_N": np.int64, "near_N": np.int64}
        arrays = {name: np.array(document[name], dtype=kind) for name, kind in kinds.items()}
        return cls(**document | arrays)


class ImageCollector:
    """Collects what the comparison of N images needs; they may come in any order and from several threads.

    shape: (C, H, W). An image that never comes equals no other.
    """

    def __init__(self, rows: int, shape: tuple[int, int, int]) -> None:
        channels, height, width = shape
        self._side = _compared_side(shape, rows)
        values = channels * math.ceil(height / self._side) * math.ceil(width / self._side)
        self._unit_ND = np.zeros((rows, values), dtype=np.float32)
        self._low_N, self._high_N = np.full(rows, math.inf), np.full(rows, -math.inf)
        self._grey_N = np.zeros(rows, dtype=bool)
        self._hashes: list[int | None] = [None] * rows

    def add(self, row_K: NDArray[np.int64], value_KD: NDArray[Any], x_KCHW: torch.Tensor) -> None:
        """Add images. row_K: their numbers. value_KD, x_KCHW: their values, as read and as float32 planes."""
        self._low_N[row_K], self._high_N[row_K] = value_KD.min(axis=1), value_KD.max(axis=1)
        if x_KCHW.shape[1] == 3:
            grey_K = _grey(x_KCHW[:, :, ::_SPARSE, ::_SPARSE])  # enough for most images in colour
            grey_K[grey_K.clone()] = _grey(x_KCHW[grey_K])
            self._grey_N[row_K] = grey_K.numpy()
        self._unit_ND[row_K] = _unit(reduced(x_KCHW, self._side).flatten(1).numpy())
        plain_KD = np.ascontiguousarray(value_KD)
        if plain_KD.dtype.kind == "f":
            plain_KD = plain_KD + plain_KD.dtype.type(0)  # without negative zeros
        for row, values in zip(row_K.tolist(), plain_KD, strict=True):
            self._hashes[row] = hash(values.tobytes())  # 64 bits, salted differently in each process

    def comparison(self) -> ImageComparison:
        """Compare the images, when all have come."""
        rows = len(self._hashes)
        first_N = first_of((row, value) if value is None else value for row, value in enumerate(self._hashes))
        blank_N = self._low_N == self._high_N
        distinct_K = np.flatnonzero(~blank_N & (first_N == np.arange(rows)) & self._unit_ND.any(axis=1))
        unit_KD = self._unit_ND if len(distinct_K) == rows else self._unit_ND[distinct_K]
        near_N = first_N.copy()
        near_N[distinct_K] = distinct_K[first_near(unit_KD)]
        low, high = float(self._low_N.min()), float(self._high_N.max())
        return ImageComparison(low, high, blank_N, self._grey_N, first_N, near_N[near_N], self._side)


def _grey(x_KCHW: torch.Tensor) -> torch.Tensor:
    """``[K]``: whether the channels of each image are the same."""
    return (x_KCHW == x_KCHW[:, :1]).flatten(1).all(1)


def compare_images(reader: ImageReader) -> ImageComparison:
    """Read every image once and compare it with all others."""
    collector, at = ImageCollector(len(reader), reader.shape), 0
    for value_KD in reader.chunks():
        collector.add(np.arange(at, at + len(value_KD)), value_KD, reader.planes(value_KD))
        at += len(value_KD)
    return collector.comparison()


def correlations(reader: ImageReader, row: int, other_K: NDArray[np.int64], side: int) -> Unit:
    """``[K]``: the correlation of an image with each of the others, averaged over squares of ``side``."""
    unit_KD = _unit(reduced(reader.images([row, *other_K]), side).flatten(1).numpy())
    return np.asarray(unit_KD[1:] @ unit_KD[0])


def _compared_side(shape: tuple[int, int, int], rows: int) -> int:
    """The side of the squares over which images of this shape are averaged before they are compared."""
    channels, height, width = shape
    most = max(_FEWEST_VALUES, min(_COMPARED_VALUES, _COMPARED_BYTES // 4 // max(1, rows)))
    side = 1
    while channels * math.ceil(height / side) * math.ceil(width / side) > most and side < max(height, width):
        side += 1
    return side


def _unit(value_KD: NDArray[np.float32]) -> Unit:
    """The rows with mean 0 and length 1; a row of equal values becomes 0."""
    scale_K = np.abs(value_KD).max(axis=1, keepdims=True, initial=0)
    unit_KD = value_KD / np.where(scale_K > 0, scale_K, np.float32(1))
    unit_KD -= unit_KD.mean(axis=1, keepdims=True)
    length_K = np.linalg.norm(unit_KD, axis=1, keepdims=True)
    return np.asarray(unit_KD / np.where(length_K > 0, length_K, 1), dtype=np.float32)


# ---- the search for near-duplicates


def first_near(unit_ND: Unit) -> NDArray[np.int64]:
    """``[N]``: for each image, the first image that it is linked to by a chain of near-duplicates."""
    first_N = np.arange(len(unit_ND))
    for pair_2K in near_pairs(unit_ND):
        if (apart_K := np.diff(first_N[pair_2K], axis=0)[0] != 0).any():
            first_N = joined_rows(first_N, *pair_2K[:, apart_K])
    return first_N


def near_pairs(unit_ND: Unit) -> Iterator[NDArray[np.int64]]:
    """Yields the pairs ``[2, K]`` of near-duplicates, the earlier image first.

    unit_ND: the images in order, each with mean 0 and length 1.
    """
    if len(unit_ND) < 2:
        return
    limit = math.sqrt(2 - 2 * CORRELATION)
    axis_ND = unit_ND @ _principal_axes(unit_ND[:: max(1, len(unit_ND) // _SAMPLE)])
    order_N = axis_ND[:, 0].argsort(kind="stable")
    unit_ND, axis_ND = unit_ND[order_N], axis_ND[order_N]
    half_N = (axis_ND * axis_ND).sum(axis=1) / 2
    one_N = np.ones_like(half_N)  # left @ right.T is minus half the squared distance
    left, right = np.column_stack([axis_ND, -half_N, one_N]), np.column_stack([axis_ND, one_N, -half_N])
    end_N = np.searchsorted(axis_ND[:, 0], axis_ND[:, 0] + np.float32(limit + _SLACK), side="right")
    for start in range(0, len(unit_ND), _BLOCK):
        stop = min(start + _BLOCK, len(unit_ND))
        end = int(end_N[stop - 1])
        pair_2K = start + _pairs(left[start:stop] @ right[start:end].T, -(limit**2) / 2 - _SLACK)
        if pair_2K.shape[1] > (stop - start) * (end - start) // _DENSE:
            pair_2K = start + _pairs(unit_ND[start:stop] @ unit_ND[start:end].T, CORRELATION)
        else:
            pair_2K = pair_2K[:, _correlations(unit_ND, pair_2K) >= CORRELATION]
        yield np.sort(order_N[pair_2K], axis=0)


def _principal_axes(unit_KD: Unit) -> Unit:
    """``[D, A]``: the first principal axes, from the products of the images with each other."""
    centred_KD = unit_KD.astype(np.float64) - unit_KD.mean(axis=0, dtype=np.float64)
    variance_K, axis_KK = np.linalg.eigh(centred_KD @ centred_KD.T)
    first = np.flatnonzero(variance_K > max(1e-8 * variance_K[-1], 1e-12))[::-1][:_AXES]
    if not len(first):  # all images are the same
        return np.zeros((unit_KD.shape[1], 1), dtype=np.float32)
    axis_DA = centred_KD.T @ (axis_KK[:, first] / np.sqrt(variance_K[first]))
    return np.ascontiguousarray(axis_DA, dtype=np.float32)


def _pairs(value_BK: Unit, least: float) -> NDArray[np.int64]:
    """``[2, K]``: the (row, column) pairs with column > row whose value is at least ``least``."""
    row_K, column_K = np.divmod(np.flatnonzero(value_BK >= np.float32(least)), value_BK.shape[1])
    return np.stack([row_K, column_K])[:, column_K > row_K]


def _correlations(unit_ND: Unit, pair_2K: NDArray[np.int64]) -> Unit:
    correlation_K = np.empty(pair_2K.shape[1], dtype=np.float32)
    for start in range(0, len(correlation_K), _PAIRS):
        one, other = pair_2K[:, start : start + _PAIRS]
        correlation_K[start : start + _PAIRS] = np.einsum("ij,ij->i", unit_ND[one], unit_ND[other])
    return correlation_K
