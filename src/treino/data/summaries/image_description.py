"""The description of images as text and warnings, and the search for near-duplicates among images.

The correlation of two images is the dot product of their pixels, centred and scaled to length 1: copies with
other brightness, contrast or a little noise are near-duplicates; shifted, rotated or mirrored copies aren't.
Vectors of length 1 with a correlation of at least c are at most sqrt(2 - 2c) apart, also after projection to
a few axes. The search skips pairs further apart on the axes and compares all others in full.
"""

import io
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.words import _, numeral

# ---- search for near-duplicates among images

CORRELATION = 0.99  # minimum correlation of near-duplicates
AXES = 16  # the number of principal axes, which separate most pairs
_SAMPLE = 256  # images that determine the axes; any axes give exact results, these are fast
_BLOCK = 128
_AT_ONCE = 8192  # pairs that are compared in full at a time
_DENSE = 16  # if more than one pair in _DENSE is left, comparing the whole block in full is faster
_SLACK = 1e-5  # margin for float32 rounding

Unit = NDArray[np.float32]


def near_earlier(unit_ND: Unit, part_N: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two masks ``[N]``: images with an earlier near-duplicate, or with one in an earlier split.

    unit_ND: the images in order, each with mean 0 and length 1. part_N: the number of each image's split,
    ascending.
    """
    near_N, across_N = np.zeros(len(unit_ND), dtype=bool), np.zeros(len(unit_ND), dtype=bool)
    for first_K, last_K in near_pairs(unit_ND):
        near_N[last_K] = True
        across_N[last_K[part_N[first_K] < part_N[last_K]]] = True
    return near_N, across_N


def first_near(unit_ND: Unit) -> NDArray[np.int64]:
    """``[N]``: for each image, the first image that it is linked to by a chain of near-duplicates."""
    first_N = np.arange(len(unit_ND))

    def root(row: int) -> int:
        while first_N[row] != row:
            first_N[row] = row = first_N[first_N[row]]
        return row

    for one_K, other_K in near_pairs(unit_ND):
        for one, other in zip(one_K.tolist(), other_K.tolist(), strict=True):
            low, high = sorted((root(one), root(other)))
            first_N[high] = low
    return np.array([root(row) for row in range(len(unit_ND))], dtype=np.int64)


def near_pairs(unit_ND: Unit) -> Iterator[NDArray[np.int64]]:
    """Yields the pairs ``[2, K]`` of near-duplicates, the earlier image first.

    unit_ND: the images in order, each with mean 0 and length 1.
    """
    if len(unit_ND) < 2:
        return
    limit = math.sqrt(2 - 2 * CORRELATION)
    axis_ND = unit_ND @ _axes(unit_ND[:: max(1, len(unit_ND) // _SAMPLE)])
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


def nearest_earlier(unit_ND: Unit, row: int, before: int) -> tuple[int, float]:
    """Return the image among the first ``before`` that correlates most with image ``row``, and the
    correlation."""
    correlation_K = unit_ND[:before] @ unit_ND[row]
    return int(correlation_K.argmax()), float(correlation_K.max())


def _axes(unit_KD: Unit) -> Unit:
    """``[D, A]``: the first principal axes, from the products of the images with each other."""
    centred_KD = unit_KD.astype(np.float64) - unit_KD.mean(axis=0, dtype=np.float64)
    variance_K, axis_KK = np.linalg.eigh(centred_KD @ centred_KD.T)
    first = np.flatnonzero(variance_K > max(1e-8 * variance_K[-1], 1e-12))[::-1][:AXES]
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
    for start in range(0, len(correlation_K), _AT_ONCE):
        one, other = pair_2K[:, start : start + _AT_ONCE]
        correlation_K[start : start + _AT_ONCE] = np.einsum("ij,ij->i", unit_ND[one], unit_ND[other])
    return correlation_K


# ---- the description of images as tables and warnings

WHOLE = "all"  # the name of the only split if images aren't split
MOST_CLASSES = 40  # maximum number of classes that are listed and have examples


@dataclass(frozen=True, eq=False)
class ImageExamples:
    """The first images of a class. pixels: ``[K, H, W]`` (grey) or ``[K, H, W, 3]``; large images are
    downsampled."""

    label: str
    rows: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class ImagePair:
    """The places of an image and of an earlier image that it equals or almost equals, in words."""

    place: str
    earlier: str
    correlation: float = 1.0


@dataclass(frozen=True, eq=False)
class ImagesDescription:
    """The description of images.

    rows, class_rows: counts for each split. minimum, maximum: the extremes of all pixel values. blank: the
    number of images whose pixels are all equal. duplicates: the number of images equal to an earlier image.
    duplicates_across: the number equal to an image in an earlier split. near_duplicates,
    near_duplicates_across: likewise for images whose pixels correlate by at least ``CORRELATION`` with an
    earlier image, without copies and blank images. contradicting: the number of duplicates of an image with
    another class. looked_at: the number of images read. compared: the number of images compared for
    near-duplicates. compared_size: their height and width after averaging. blank_place, duplicate,
    near_duplicate, contradiction: the first example of each; a duplicate across splits is preferred.
    """

    height: int
    width: int
    channels: int
    minimum: float
    maximum: float
    classes: tuple[str, ...]
    rows: Mapping[str, int]
    class_rows: Mapping[str, tuple[int, ...]]
    looked_at: int
    distinct: int
    blank: int
    duplicates: int
    duplicates_across: int
    contradicting: int
    near_duplicates: int
    near_duplicates_across: int
    compared: int
    compared_size: tuple[int, int]
    blank_place: str | None
    duplicate: ImagePair | None
    contradiction: ImagePair | None
    near_duplicate: ImagePair | None
    examples: tuple[ImageExamples, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry ``images`` of the document of ``treino data``."""
        names = (
            "height", "width", "channels", "minimum", "maximum", "looked_at", "blank", "duplicates",
            "duplicates_across", "near_duplicates", "near_duplicates_across", "compared",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in names},
            "compared_size": list(self.compared_size),
            "near_correlation": CORRELATION,
            "rows": dict(self.rows),
            "class_rows": {part: list(counts) for part, counts in self.class_rows.items()},
        }

    def facts(self) -> list[tuple[str, str]]:
        """The lines of the description as (label, value)."""
        size = _("{width} × {height} pixels").format(width=self.width, height=self.height)
        if self.channels > 1:
            size += ", " + _("{n} channels").format(n=self.channels)
        values = _("{low} to {high}").format(low=_number(self.minimum), high=_number(self.maximum))
        near = _("almost equal to an earlier one (correlation from {least})").format(
            least=numeral(CORRELATION)
        )
        lines = [
            (_("size"), size),
            (_("values"), values),
            (_("blank (all pixels the same)"), numeral(self.blank, ",")),
            (_("equal to an earlier one"), self._counted(self.duplicates, self.duplicates_across)),
            (near, self._counted(self.near_duplicates, self.near_duplicates_across)),
        ]
        total = sum(self.rows.values())
        if self.looked_at < total:
            lines.append((_("looked at"), _of(self.looked_at, total)))
        if self.compared < self.distinct - self.blank:
            lines.append((_("compared with each other"), _of(self.compared, total)))
        if self.compared_size != (self.height, self.width):
            height, width = self.compared_size
            lines.append(
                (_("compared as"), _("{width} × {height} pixels").format(width=width, height=height))
            )
        return lines

    def _counted(self, n: int, across: int) -> str:
        if len(self.rows) == 1 or not n:
            return numeral(n, ",")
        return _("{n:,}, of these across parts: {across:,}").format(n=n, across=across)

    def count_table(self) -> tuple[list[str], list[tuple[list[str], ImageExamples | None]]]:
        """Return the heading and the lines of a table: the number of images of each class in each split, with
        examples."""
        first = {one.label: one for one in self.examples}
        lines = [
            ([name, *(numeral(counts[number], ",") for counts in self.class_rows.values())], first.get(name))
            for number, name in enumerate(self.classes[:MOST_CLASSES])
        ]
        more = len(self.classes) - MOST_CLASSES
        if more > 0:
            lines.append(([_("and {n:,} more").format(n=more), *("" for _part in self.rows)], None))
        whole = [_("all"), *(numeral(n, ",") for n in self.rows.values())]
        lines.append((whole, None if self.classes else first[""]))
        return [_("class") if self.classes else "", *map(part_name, self.rows)], lines

    def warnings(self) -> Iterator[tuple[str, str, str, str | None]]:
        """Yield warnings as (rule, message, hint, place)."""
        if self.blank_place:
            yield (
                "images_blank",
                _("Images all pixels of which are the same: {n:,}, the first in {place}.").format(
                    n=self.blank, place=self.blank_place
                ),
                _("Nothing can be seen in them: look how they were made."),
                self.blank_place,
            )
        if pair := self.duplicate:
            message = _("Images that equal an earlier one: {n}.")
            yield (
                "rows_duplicate",
                message.format(n=self._counted(self.duplicates, self.duplicates_across)),
                _("Look at {a} and {b}.").format(a=pair.place, b=pair.earlier),
                pair.place,
            )
        if pair := self.contradiction:
            yield (
                "rows_contradict",
                _("Images that equal an earlier one but not in their class: {n:,}.").format(
                    n=self.contradicting
                ),
                _("No model can be right on both: look at {a} and {b}.").format(a=pair.place, b=pair.earlier),
                pair.place,
            )
        if pair := self.near_duplicate:
            message = _("Images that almost equal an earlier one: {n}.")
            yield (
                "images_near_duplicate",
                message.format(n=self._counted(self.near_duplicates, self.near_duplicates_across)),
                _("Look at {a} and {b}: their pixels correlate by {r}.").format(
                    a=pair.place, b=pair.earlier, r=numeral(pair.correlation, ".3f")
                ),
                pair.place,
            )


def part_name(part: str) -> str:
    """The heading of a split's column."""
    names = {"train": _("training"), "validation": _("validation"), "test": _("test"), WHOLE: _("images")}
    return names[part]


def strip(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images ``[K, H, W, …]`` joined side by side into one, with white gaps."""
    gap = np.full((pixels.shape[1], max(1, pixels.shape[2] // 14), *pixels.shape[3:]), 255, dtype=np.uint8)
    return np.concatenate([part for image in pixels for part in (gap, image)][1:], axis=1)


def strip_html(examples: ImageExamples) -> str:
    """The examples of a class as an HTML image."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(strip(examples.pixels)).save(file, "PNG", optimize=True)
    title = _("images of {label}").format(label=examples.label) if examples.label else _("images")
    alt, data = escape(title, quote=True), b64encode(file.getvalue()).decode()
    look = "height:36px;max-width:none;image-rendering:pixelated;display:block"
    return f"<img style='{look}' src='data:image/png;base64,{data}' alt=\"{alt}\">"


def _of(n: int, total: int) -> str:
    return _("{n:,} of {total:,}").format(n=n, total=total)


def _number(value: float) -> str:
    return numeral(value, ".6g")
