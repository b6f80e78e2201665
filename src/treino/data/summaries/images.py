"""Description of images: size, values, classes, blank images, duplicates, near-duplicates, and examples."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data.rows import generator
from treino.data.summaries.image_description import (
    MOST_CLASSES,
    WHOLE,
    ImageExamples,
    ImagePair,
    ImagesDescription,
    near_earlier,
    nearest_earlier,
    part_name,
)
from treino.words import _

EXAMPLES = 5  # images of each class
MOST_COMPARED = 100_000  # images compared with each other; if there are more, a sample is compared
_COMPARED_VALUES = 1024  # maximum values of an image to compare; a larger image is averaged over squares
_EXAMPLE_SIDE = 64
_AT_ONCE = 2048
_COLOURS = (1, 2, 3, 4)


@dataclass(frozen=True, eq=False)
class ImagePart:
    """The images of one split.

    read: returns the values ``[K, D]`` of the images at the given positions. index_N: the images' row numbers
    in the source. label_N: their class codes; None without classes. rows, class_rows: counts for the whole
    split, even if only a sample of its images is described.
    """

    read: Callable[[NDArray[np.int64]], NDArray[Any]]
    index_N: NDArray[np.int64]
    label_N: NDArray[np.int64] | None
    rows: int
    class_rows: tuple[int, ...]


def describe_images(
    parts: Mapping[str, ImagePart], item_shape: Sequence[int], classes: Sequence[str]
) -> ImagesDescription:
    """Describe images of shape ``item_shape`` in all splits."""
    parts = {name: part for name, part in parts.items() if len(part.index_N)}
    reader = _Reader(list(parts.values()), item_shape)
    seen = _look(reader)
    part_N = np.repeat(np.arange(len(parts)), [len(part.index_N) for part in parts.values()])
    names = list(parts)

    def place(row: int) -> str:
        name = names[int(part_N[row])]
        n = int(parts[name].index_N[row - int(np.searchsorted(part_N, part_N[row]))])
        if name == WHOLE:
            return _("row {n}").format(n=n)
        return _("row {n} ({part})").format(n=n, part=part_name(name))

    first_N, blank_N = seen.first_N, seen.blank_N
    copy_N = first_N != np.arange(len(first_N))
    copy_across_N = copy_N & (part_N[first_N] < part_N)
    label_N = reader.label_N
    against_N = copy_N & (label_N[first_N] != label_N) & (label_N[first_N] >= 0) & (label_N >= 0)
    sample_K = seen.sample_K[~copy_N[seen.sample_K] & ~blank_N[seen.sample_K]]
    unit_KD = seen.unit_KD[~copy_N[seen.sample_K] & ~blank_N[seen.sample_K]]
    near_K, near_across_K = near_earlier(unit_KD, part_N[sample_K])

    def pair(of_N: NDArray[np.bool_]) -> ImagePair | None:
        row = int(of_N.argmax())
        return ImagePair(place(row), place(int(first_N[row]))) if of_N[row] else None

    near = None
    if near_K.any():
        at = int((near_across_K if near_across_K.any() else near_K).argmax())
        before = int(np.searchsorted(part_N[sample_K], part_N[sample_K[at]])) if near_across_K.any() else at
        other, correlation = nearest_earlier(unit_KD, at, before)
        near = ImagePair(place(int(sample_K[at])), place(int(sample_K[other])), correlation)
    return ImagesDescription(
        height=reader.shape[1],
        width=reader.shape[2],
        channels=reader.shape[0],
        minimum=seen.minimum,
        maximum=seen.maximum,
        classes=tuple(classes),
        rows={name: part.rows for name, part in parts.items()},
        class_rows={name: part.class_rows for name, part in parts.items()} if classes else {},
        looked_at=len(first_N),
        distinct=int((~copy_N).sum()),
        blank=int(blank_N.sum()),
        duplicates=int(copy_N.sum()),
        duplicates_across=int(copy_across_N.sum()),
        contradicting=int(against_N.sum()),
        near_duplicates=int(near_K.sum()),
        near_duplicates_across=int(near_across_K.sum()),
        compared=len(sample_K),
        compared_size=seen.compared_size,
        blank_place=place(int(blank_N.argmax())) if blank_N.any() else None,
        duplicate=pair(copy_across_N if copy_across_N.any() else copy_N),
        contradiction=pair(against_N),
        near_duplicate=near,
        examples=tuple(_examples(reader, next(iter(parts.values())), classes, seen.minimum, seen.maximum)),
    )


class _Reader:
    """Reads the images of all splits in chunks; ``planes`` makes them ``[K, C, H, W]`` float32. shape: (C, H,
    W)."""

    def __init__(self, parts: Sequence[ImagePart], item_shape: Sequence[int]) -> None:
        self._parts = parts
        self._last = len(item_shape) > 2 and item_shape[0] not in _COLOURS and item_shape[-1] in _COLOURS
        shape = [item_shape[-1], *item_shape[:-1]] if self._last else list(item_shape)
        self.shape = (math.prod(shape[:-2]), shape[-2], shape[-1])
        none = [np.zeros(len(p.index_N), np.int64) if p.label_N is None else p.label_N for p in parts]
        self.label_N = np.concatenate(none)

    def chunks(self) -> Iterator[NDArray[Any]]:
        for part in self._parts:
            for row_K in np.array_split(
                np.arange(len(part.index_N)), math.ceil(len(part.index_N) / _AT_ONCE)
            ):
                yield part.read(row_K)

    def planes(self, value_KD: NDArray[Any]) -> torch.Tensor:
        channels, height, width = self.shape
        x = torch.from_numpy(np.asarray(value_KD, dtype=np.float32))
        if self._last:
            return x.reshape(len(x), height, width, channels).movedim(-1, 1)
        return x.reshape(len(x), channels, height, width)


@dataclass(frozen=True, eq=False)
class _Seen:
    """The result of reading every image once.

    first_N: for each image, the first image equal to it. blank_N: whether the pixels of each image are all
    equal. sample_K: the images to compare. unit_KD: their pixels with mean 0 and length 1.
    """

    minimum: float
    maximum: float
    first_N: NDArray[np.int64]
    blank_N: NDArray[np.bool_]
    sample_K: NDArray[np.int64]
    unit_KD: NDArray[np.float32]
    compared_size: tuple[int, int]


def _look(reader: _Reader) -> _Seen:
    """Read every image once, and collect what the description needs."""
    rows, (channels, height, width) = len(reader.label_N), reader.shape
    sample_N = np.ones(rows, dtype=bool)
    if rows > MOST_COMPARED:
        some = torch.randperm(rows, generator=generator(0, "images"))[MOST_COMPARED:]
        sample_N[some.numpy()] = False
    side = compared_side(reader.shape)
    size = (math.ceil(height / side), math.ceil(width / side))
    unit_KD = np.empty((int(sample_N.sum()), channels * math.prod(size)), dtype=np.float32)
    first_N, blank_N, known = np.arange(rows), np.empty(rows, dtype=bool), dict[bytes, int]()
    low, high, at, filled = math.inf, -math.inf, 0, 0
    for value_KD in reader.chunks():
        bottom_K, top_K = value_KD.min(axis=1), value_KD.max(axis=1)
        until = at + len(value_KD)
        blank_N[at:until] = bottom_K == top_K
        low, high = min(low, float(bottom_K.min())), max(high, float(top_K.max()))
        for row, values in enumerate(np.ascontiguousarray(value_KD + value_KD.dtype.type(0)), at):
            first_N[row] = known.setdefault(blake2b(values.tobytes(), digest_size=16).digest(), row)
        part_KD = unit(reduced(reader.planes(value_KD[sample_N[at:until]]), side).flatten(1).numpy())
        unit_KD[filled : filled + len(part_KD)] = part_KD
        at, filled = until, filled + len(part_KD)
    return _Seen(low, high, first_N, blank_N, np.flatnonzero(sample_N), unit_KD, size)


def compared_side(shape: tuple[int, int, int], most: int = _COMPARED_VALUES) -> int:
    """The side of the squares over which images of this shape are averaged before they are compared: so large
    that at most ``most`` values are left."""
    channels, height, width = shape
    side = 1
    while channels * math.ceil(height / side) * math.ceil(width / side) > most and side < max(height, width):
        side += 1
    return side


def reduced(x: torch.Tensor, side: int) -> torch.Tensor:
    """The images averaged over squares of ``side`` pixels; squares at the border may be smaller."""
    if side == 1:
        return x
    return torch.nn.functional.avg_pool2d(x, side, ceil_mode=True, count_include_pad=False)


def unit(value_KD: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows with mean 0 and length 1; a row of equal values becomes 0."""
    scale_K = np.abs(value_KD).max(axis=1, keepdims=True, initial=0)
    unit_KD = value_KD / np.where(scale_K > 0, scale_K, np.float32(1))
    unit_KD -= unit_KD.mean(axis=1, keepdims=True)
    length_K = np.linalg.norm(unit_KD, axis=1, keepdims=True)
    return np.asarray(unit_KD / np.where(length_K > 0, length_K, 1), dtype=np.float32)


def _examples(
    reader: _Reader, part: ImagePart, classes: Sequence[str], low: float, high: float
) -> Iterator[ImageExamples]:
    """Yields the first images of each class in the first split, in the source's order; without classes, the
    first images."""
    order_N = part.index_N.argsort(kind="stable")
    side = math.ceil(max(reader.shape[1:]) / _EXAMPLE_SIDE)
    for number, name in list(enumerate(classes or [""]))[:MOST_CLASSES]:
        of_class = order_N if part.label_N is None else order_N[part.label_N[order_N] == number]
        if not len(of_class):
            continue
        x = reduced(reader.planes(part.read(of_class[:EXAMPLES])), side)
        x = ((x - low) / ((high - low) or 1.0) * 255).round().clamp(0, 255).to(torch.uint8)
        pixels = x.movedim(1, -1) if x.shape[1] == 3 else x.float().mean(dim=1).to(torch.uint8)
        yield ImageExamples(name, part.class_rows[number] if classes else part.rows, pixels.numpy())
