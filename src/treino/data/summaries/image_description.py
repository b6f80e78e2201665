"""Describe images in tables, lists and warnings: sizes, classes, duplicates, examples."""

import io
import math
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from numpy.typing import NDArray

from treino.base.words import N_, _, numeral
from treino.data.split_requests import USUAL_WORDS
from treino.data.splits import split_name
from treino.data.summaries.image_comparison import (
    CORRELATION,
    ImageComparison,
    ImagePart,
    ImageReader,
    compare_images,
    correlations,
    reduced,
)
from treino.data.summaries.picture_files import PictureFiles
from treino.data.table import DataWarning
from treino_doctor.base.markup import tag

WHOLE = "all"  # the name of the only split if images aren't split
MOST_CLASSES = 100  # maximum number of classes that are listed and have examples

BLANK, EQUAL, CONTRADICTING, NEAR = "blank", "equal", "contradicting", "near"
FLAGS = {
    CONTRADICTING: N_("Equal, but not in their class"),
    EQUAL: N_("Equal"),
    NEAR: N_("Almost equal"),
    BLANK: N_("Blank"),
}
"""The headings of the kinds of images that the user should look at."""
_PLAIN = (
    *("height", "width", "channels", "minimum", "maximum", "looked_at", "blank", "duplicates"),
    *("duplicates_across", "contradicting", "near_duplicates", "near_duplicates_across", "compared"),
)
_WARNINGS = {
    BLANK: (
        "images_blank",
        N_("Images all pixels of which are the same: {n}, the first in {place}."),
        N_("Nothing can be seen in them: look how they were made."),
    ),
    EQUAL: ("rows_duplicate", N_("Images that equal an earlier one: {n}."), N_("Look at {a} and {b}.")),
    CONTRADICTING: (
        "rows_contradict",
        N_("Images that equal an earlier one but not in their class: {n}."),
        N_("No model can be right on both: look at {a} and {b}."),
    ),
    NEAR: (
        "images_near_duplicate",
        N_("Images that almost equal an earlier one: {n}."),
        N_("Look at {a} and {b}: their pixels correlate by {r}."),
    ),
}


@dataclass(frozen=True, eq=False)
class ImageExamples:
    """The first images of a class. pixels: ``[K, H, W]`` (grey) or ``[K, H, W, 3]``; large images are
    downsampled."""

    label: str
    rows: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FlaggedImages:
    """An image to look at: a blank one; or one that (almost) equals an earlier image, then that image too.

    places: the place of each, in words. labels: their classes, if there are any. pixels: as in ImageExamples.
    """

    places: tuple[str, ...]
    labels: tuple[str, ...]
    correlation: float
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ImagesDescription:
    """The description of images.

    rows, class_rows: counts for each split. minimum, maximum: the extremes of all pixel values. blank: the
    number of images whose pixels are all equal. duplicates: the number of images equal to an earlier image.
    duplicates_across: the number equal to an image in an earlier split. near_duplicates: the number linked to
    an earlier image by a chain of images whose pixels correlate by at least ``CORRELATION``, without copies
    and blank images; near_duplicates_across: of these, the number linked to an image in an earlier split.
    contradicting: the number of duplicates of an image with another class. looked_at: the number of images
    read. compared: the number of images compared for near-duplicates. compared_size: their height and width
    after averaging. flagged: for each of ``FLAGS``, the first images to look at; those across splits come
    first. files: the files, for photographs. groups: for photographs, for each of ``FLAGS`` the names of all
    images that belong together.
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
    examples: tuple[ImageExamples, ...]
    flagged: Mapping[str, tuple[FlaggedImages, ...]]
    files: PictureFiles | None
    groups: Mapping[str, tuple[tuple[str, ...], ...]]

    def to_json(self) -> dict[str, Any]:
        """The entry ``images`` of the document of ``treino data``."""
        files: dict[str, Any] = {}
        if self.files is not None:
            groups = {flag: [list(group) for group in groups] for flag, groups in self.groups.items()}
            files = {**self.files.to_json(), "groups": groups}
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "compared_size": list(self.compared_size),
            "near_correlation": CORRELATION,
            "rows": dict(self.rows),
            "class_rows": {part: list(counts) for part, counts in self.class_rows.items()},
            **files,
        }

    def facts(self) -> list[tuple[str, str]]:
        """The lines of the description as (label, value)."""
        size = _("{width} × {height} pixels").format(width=self.width, height=self.height)
        if self.channels > 1:
            size += ", " + _("{n} channels").format(n=self.channels)
        values = _("{low} to {high}").format(
            low=numeral(self.minimum, ".6g"), high=numeral(self.maximum, ".6g")
        )
        near = _("almost equal to an earlier one (correlation from {least})").format(
            least=numeral(CORRELATION)
        )
        lines = [
            *(() if self.files is None else self.files.facts()),
            (_("size") if self.files is None else _("training takes them as"), size),
            *([(_("values"), values)] if self.files is None else []),
            (_("blank (all pixels the same)"), numeral(self.blank, ",")),
            (_("equal to an earlier one"), self._counted(self.duplicates, self.duplicates_across)),
            (near, self._counted(self.near_duplicates, self.near_duplicates_across)),
        ]
        if self.contradicting:
            lines.insert(-1, (_("of these in another class"), numeral(self.contradicting, ",")))
        total = sum(self.rows.values())
        if self.looked_at < total:
            lines.append((_("looked at"), _("{n:,} of {total:,}").format(n=self.looked_at, total=total)))
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

    def named(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (heading, lines) of the images and files that are to be named."""
        if self.files is None:
            return
        yield from ((heading, lines) for heading, lines in self.files.named() if lines)
        for flag, heading in FLAGS.items():
            told = self.groups[CONTRADICTING] if flag == EQUAL else ()
            if groups := [group for group in self.groups[flag] if group not in told]:
                yield _(heading), tuple(map(", ".join, groups))

    def warnings(self) -> Iterator[DataWarning]:
        if self.files is not None:
            yield from self.files.warnings()
        counted = {
            BLANK: numeral(self.blank, ","),
            EQUAL: self._counted(self.duplicates, self.duplicates_across),
            CONTRADICTING: numeral(self.contradicting, ","),
            NEAR: self._counted(self.near_duplicates, self.near_duplicates_across),
        }
        for flag, (rule, message, hint) in _WARNINGS.items():
            for first in self.flagged[flag][:1]:
                facts = {"n": counted[flag], "place": first.places[0], "a": first.places[0]}
                facts |= {"b": first.places[-1], "r": numeral(first.correlation, ".3f")}
                text, move = _(message).format(**facts), _(hint).format(**facts)
                yield DataWarning(rule, text, move, row=first.places[0])


def part_name(part: str) -> str:
    """The heading of a split's column."""
    return _("images") if part == WHOLE else split_name(part)


def strip(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images ``[K, H, W, …]`` joined side by side into one, with white gaps."""
    gap = np.full((pixels.shape[1], max(1, pixels.shape[2] // 14), *pixels.shape[3:]), 255, dtype=np.uint8)
    return np.concatenate([part for image in pixels for part in (gap, image)][1:], axis=1)


def strip_html(shown: ImageExamples | FlaggedImages) -> Markup:
    """The images side by side as one HTML image."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(strip(shown.pixels)).save(file, "PNG", optimize=True)
    label = ", ".join(shown.places) if isinstance(shown, FlaggedImages) else shown.label
    title = _("images of {label}").format(label=label) if label else _("images")
    source = f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
    tall = max(36, min(64, shown.pixels.shape[1]))
    look = f"height:{tall}px;max-width:none;image-rendering:pixelated;display:block;outline:1px solid #8884"
    return tag("img", style=look, src=source, alt=title)


# ---- making the description

EXAMPLES = 5  # images of each class
FLAGGED = 8  # maximum number of flagged images of each kind that are shown
_EXAMPLE_SIDE = 64
_RELATED = 256  # maximum number of images among which the most similar one is searched


def describe_images(
    parts: Mapping[str, ImagePart],
    item_shape: Sequence[int],
    classes: Sequence[str],
    files: PictureFiles | None = None,
) -> ImagesDescription:
    """Describe images of shape ``item_shape`` in all splits. files: for photographs, their files, which were
    compared when they were decoded."""
    parts = {name: part for name, part in parts.items() if len(part.index_N)}
    reader = ImageReader(list(parts.values()), item_shape)
    index_N = np.concatenate([part.index_N for part in parts.values()])
    comparison = compare_images(reader) if files is None else files.comparison.of(index_N)
    part_N = np.repeat(np.arange(len(parts)), np.diff(reader.start_P))
    label_N = np.concatenate([part.label_N for part in parts.values()])
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
    class_rows: dict[str, tuple[int, ...]] = {}
    for name, part in parts.items() if classes else ():
        known = part.whole_N[part.whole_N >= 0]
        class_rows[name] = tuple(np.bincount(known, minlength=len(classes)).tolist())
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
        rows={name: len(part.whole_N) for name, part in parts.items()},
        class_rows=class_rows,
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
        groups={}
        if files is None
        else _groups(comparison, {k: m[0] for k, m in masks.items()}, index_N, files.names),
    )


def _first_rows(of_N: NDArray[np.bool_], across_N: NDArray[np.bool_]) -> list[int]:
    """The first images of a kind; those across splits come first."""
    rows = [*np.flatnonzero(of_N & across_N)[:FLAGGED], *np.flatnonzero(of_N & ~across_N)[:FLAGGED]]
    return list(map(int, rows[:FLAGGED]))


def _groups(
    comparison: ImageComparison,
    of_N: Mapping[str, NDArray[np.bool_]],
    index_N: NDArray[np.int64],
    names: Sequence[str],
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """For each kind of flagged image, the names of all that belong together; for copies among almost equal
    images, only the first. of_N: for each kind whether an image is of it."""
    first_N, near_N, copy_N = comparison.first_N, comparison.near_N, of_N[EQUAL]

    def groups(head_N: NDArray[np.int64], row_K: NDArray[np.int64]) -> tuple[tuple[str, ...], ...]:
        together: dict[int, list[str]] = defaultdict(list)
        for row in row_K.tolist():
            together[int(head_N[row])].append(names[index_N[row]])
        return tuple(tuple(group) for group in together.values())

    def members(head_N: NDArray[np.int64], some_N: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.flatnonzero(np.isin(head_N, head_N[some_N]))

    near_K = members(near_N, of_N[NEAR])
    return {
        BLANK: groups(np.arange(len(first_N)), np.flatnonzero(of_N[BLANK])),
        EQUAL: groups(first_N, members(first_N, copy_N & ~of_N[BLANK])),
        CONTRADICTING: groups(first_N, members(first_N, of_N[CONTRADICTING])),
        NEAR: groups(near_N, near_K[~copy_N[near_K]]),
    }


@dataclass(frozen=True, eq=False)
class _Shown:
    """The images that a description shows. low, high: the values that are drawn black and white."""

    reader: ImageReader
    parts: Mapping[str, ImagePart]
    classes: Sequence[str]
    label_N: NDArray[np.int64]
    part_N: NDArray[np.int64]
    comparison: ImageComparison
    low: float
    high: float

    def examples(self) -> Iterator[ImageExamples]:
        """Yields the first images of each class in the first split, in the source's order; without classes,
        the first images."""
        part = next(iter(self.parts.values()))
        order_N = part.index_N.argsort(kind="stable")
        for number, name in list(enumerate(self.classes or [""]))[:MOST_CLASSES]:
            of_class = order_N[part.label_N[order_N] == number] if self.classes else order_N
            if len(of_class):
                pixels = self._pixels(self.reader.planes(part.read(of_class[:EXAMPLES])))
                rows = int((part.whole_N == number).sum()) if self.classes else len(part.whole_N)
                yield ImageExamples(name, rows, pixels)

    def flagged(self, flag: str, row: int) -> FlaggedImages:
        """The image, and the earlier one that it equals or is most similar to."""
        rows, correlation = [row], 1.0
        if flag == NEAR:
            earlier, correlation = self._most_similar(row)
            rows.append(earlier)
        elif flag != BLANK:
            rows.append(int(self.comparison.first_N[row]))
        labels = [self.classes[self.label_N[r]] if self.label_N[r] >= 0 else "" for r in rows]
        pixels = self._pixels(self.reader.images(rows))
        return FlaggedImages(tuple(map(self._place, rows)), tuple(labels), correlation, pixels)

    def _most_similar(self, row: int) -> tuple[int, float]:
        """The most similar image in its chain that is in an earlier split, or precedes it."""
        near_N = self.comparison.near_N
        earlier_N = np.flatnonzero(near_N[:row] == near_N[row])
        across_N = earlier_N[self.part_N[earlier_N] < self.part_N[row]]
        other_K = (across_N if len(across_N) else earlier_N)[:_RELATED]
        correlation_K = correlations(self.reader, row, other_K, self.comparison.side)
        return int(other_K[correlation_K.argmax()]), float(correlation_K.max())

    def _place(self, row: int) -> str:
        number, at = self.reader.at(row)
        name, part = list(self.parts.items())[number]
        place = part.place(int(part.index_N[at]))
        if name == WHOLE or place.partition("/")[0].lower() in USUAL_WORDS:
            return place
        return _("{place} ({part})").format(place=place, part=part_name(name))

    def _pixels(self, x: torch.Tensor) -> NDArray[np.uint8]:
        x = reduced(x, math.ceil(max(self.reader.shape[1:]) / _EXAMPLE_SIDE))
        x = ((x - self.low) / ((self.high - self.low) or 1.0) * 255).round().clamp(0, 255).to(torch.uint8)
        pixels = x.movedim(1, -1) if x.shape[1] == 3 else x.float().mean(dim=1).to(torch.uint8)
        return np.asarray(pixels.numpy())
