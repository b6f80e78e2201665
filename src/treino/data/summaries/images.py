"""Describe images: size, values, classes, blank ones, duplicates, near-duplicates, and examples."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.words import _
from treino.data.split_requests import USUAL_WORDS
from treino.data.summaries.image_comparison import (
    ImageComparison,
    ImagePart,
    ImageReader,
    compare_images,
    correlations,
    reduced,
)
from treino.data.summaries.image_description import (
    BLANK,
    CONTRADICTING,
    EQUAL,
    MOST_CLASSES,
    NEAR,
    WHOLE,
    FlaggedImages,
    ImageExamples,
    ImagesDescription,
    part_name,
)
from treino.data.summaries.picture_files import PictureFiles

EXAMPLES = 5  # images of each class
FLAGGED = 8  # images of each kind that are shown as to be looked at
_EXAMPLE_SIDE = 64
_RELATED = 256  # most images among which the most similar one is looked for


def describe_images(
    parts: Mapping[str, ImagePart],
    item_shape: Sequence[int],
    classes: Sequence[str],
    files: PictureFiles | None = None,
) -> ImagesDescription:
    """Describe images of shape ``item_shape`` in all splits. files: of photographs, their files, which were
    compared when they were decoded."""
    parts = {name: part for name, part in parts.items() if len(part.index_N)}
    reader = ImageReader(list(parts.values()), item_shape)
    index_N = np.concatenate([part.index_N for part in parts.values()])
    comparison = compare_images(reader) if files is None else files.comparison.of(index_N)
    part_N = np.repeat(np.arange(len(parts)), np.diff(reader.start_P))
    none = [np.full(len(p.index_N), -1) if p.label_N is None else p.label_N for p in parts.values()]
    label_N = np.concatenate(none)
    first_N, near_N, blank_N = comparison.first_N, comparison.near_N, comparison.blank_N
    copy_N = first_N != np.arange(len(first_N))
    known_N = (label_N >= 0) & (label_N[first_N] >= 0)
    alike_N = (near_N != np.arange(len(near_N))) & ~copy_N
    masks = {
        BLANK: (blank_N, np.zeros_like(copy_N)),
        EQUAL: (copy_N, part_N[first_N] < part_N),
        CONTRADICTING: (copy_N & known_N & (label_N[first_N] != label_N), part_N[first_N] < part_N),
        NEAR: (alike_N, alike_N & (part_N[near_N] < part_N)),
    }
    bytes_low_high = (0.0, 255.0) if files is not None else (comparison.minimum, comparison.maximum)
    shown = _Shown(reader, parts, classes, label_N, part_N, comparison, *bytes_low_high)
    channels, height, width = reader.shape
    return ImagesDescription(
        height=height,
        width=width,
        channels=channels,
        minimum=comparison.minimum,
        maximum=comparison.maximum,
        classes=tuple(classes),
        rows={name: part.rows for name, part in parts.items()},
        class_rows={name: part.class_rows for name, part in parts.items()} if classes else {},
        looked_at=len(first_N),
        distinct=int((~copy_N).sum()),
        blank=int(blank_N.sum()),
        duplicates=int(copy_N.sum()),
        duplicates_across=int(masks[EQUAL][1].sum()),
        contradicting=int(masks[CONTRADICTING][0].sum()),
        near_duplicates=int(alike_N.sum()),
        near_duplicates_across=int(masks[NEAR][1].sum()),
        compared=int((~copy_N & ~blank_N).sum()),
        compared_size=(math.ceil(height / comparison.side), math.ceil(width / comparison.side)),
        examples=tuple(shown.examples()),
        flagged={
            flag: tuple(shown.flagged(flag, row) for row in _first_rows(*of_N))
            for flag, of_N in masks.items()
        },
        files=files,
        groups={} if files is None else _groups(comparison, masks[CONTRADICTING][0], index_N, files.names),
    )


def _first_rows(of_N: NDArray[np.bool_], across_N: NDArray[np.bool_]) -> list[int]:
    """The first images of a kind; those across splits come first."""
    rows = [*np.flatnonzero(of_N & across_N)[:FLAGGED], *np.flatnonzero(of_N & ~across_N)[:FLAGGED]]
    return list(map(int, rows[:FLAGGED]))


def _groups(
    comparison: ImageComparison,
    against_N: NDArray[np.bool_],
    index_N: NDArray[np.int64],
    names: Sequence[str],
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """For each kind of flagged image, the names of all that belong together; of copies among almost equal
    images, the first."""
    first_N, near_N = comparison.first_N, comparison.near_N
    copy_N = first_N != np.arange(len(first_N))

    def groups(of_N: NDArray[np.int64], row_K: NDArray[np.int64]) -> tuple[tuple[str, ...], ...]:
        together: dict[int, list[str]] = defaultdict(list)
        for row in row_K.tolist():
            together[int(of_N[row])].append(names[index_N[row]])
        return tuple(tuple(group) for group in together.values())

    def members(of_N: NDArray[np.int64], row_K: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.flatnonzero(np.isin(of_N, of_N[row_K]))

    alike_K = np.flatnonzero((near_N != np.arange(len(near_N))) & ~copy_N)
    near_K = members(near_N, alike_K)
    equal_K = np.flatnonzero(copy_N & ~comparison.blank_N)
    return {
        BLANK: groups(np.arange(len(first_N)), np.flatnonzero(comparison.blank_N)),
        EQUAL: groups(first_N, members(first_N, equal_K)),
        CONTRADICTING: groups(first_N, members(first_N, np.flatnonzero(against_N))),
        NEAR: groups(near_N, near_K[~copy_N[near_K]]),
    }


class _Shown:
    """The images that a description shows. low, high: the values that are drawn black and white."""

    def __init__(
        self,
        reader: ImageReader,
        parts: Mapping[str, ImagePart],
        classes: Sequence[str],
        label_N: NDArray[np.int64],
        part_N: NDArray[np.int64],
        comparison: ImageComparison,
        low: float,
        high: float,
    ) -> None:
        self._reader, self._parts, self._classes = reader, parts, classes
        self._label_N, self._part_N, self._comparison = label_N, part_N, comparison
        self._low, self._high = low, high

    def examples(self) -> Iterator[ImageExamples]:
        """Yields the first images of each class in the first split, in the source's order; without classes,
        the first images."""
        part = next(iter(self._parts.values()))
        order_N = part.index_N.argsort(kind="stable")
        for number, name in list(enumerate(self._classes or [""]))[:MOST_CLASSES]:
            of_class = order_N if part.label_N is None else order_N[part.label_N[order_N] == number]
            if len(of_class):
                pixels = self._pixels(self._reader.planes(part.read(of_class[:EXAMPLES])))
                yield ImageExamples(name, part.class_rows[number] if self._classes else part.rows, pixels)

    def flagged(self, flag: str, row: int) -> FlaggedImages:
        """The image, and the earlier one that it equals or is most similar to."""
        rows, correlation = [row], 1.0
        if flag == NEAR:
            earlier, correlation = self._most_similar(row)
            rows.append(earlier)
        elif flag != BLANK:
            rows.append(int(self._comparison.first_N[row]))
        labels = [self._classes[self._label_N[r]] if self._label_N[r] >= 0 else "" for r in rows]
        pixels = self._pixels(self._reader.images(rows))
        return FlaggedImages(tuple(map(self._place, rows)), tuple(labels), correlation, pixels)

    def _most_similar(self, row: int) -> tuple[int, float]:
        """The most similar image of those in an earlier split, or before it, that belong to its chain."""
        near_N = self._comparison.near_N
        earlier_N = np.flatnonzero(near_N[:row] == near_N[row])
        across_N = earlier_N[self._part_N[earlier_N] < self._part_N[row]]
        other_K = (across_N if len(across_N) else earlier_N)[:_RELATED]
        correlation_K = correlations(self._reader, row, other_K, self._comparison.side)
        return int(other_K[correlation_K.argmax()]), float(correlation_K.max())

    def _place(self, row: int) -> str:
        number, at = self._reader.at(row)
        name, part = list(self._parts.items())[number]
        place = part.place(int(part.index_N[at]))
        if name == WHOLE or place.partition("/")[0].lower() in USUAL_WORDS:
            return place
        return _("{place} ({part})").format(place=place, part=part_name(name))

    def _pixels(self, x: torch.Tensor) -> NDArray[np.uint8]:
        x = reduced(x, math.ceil(max(self._reader.shape[1:]) / _EXAMPLE_SIDE))
        x = ((x - self._low) / ((self._high - self._low) or 1.0) * 255).round().clamp(0, 255).to(torch.uint8)
        pixels = x.movedim(1, -1) if x.shape[1] == 3 else x.float().mean(dim=1).to(torch.uint8)
        return np.asarray(pixels.numpy())
