"""Hold a data set as training uses it: prepared rows in three splits, with their description."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from markupsafe import Markup
from numpy.typing import NDArray

from treino.base.document_fields import Task
from treino.base.text import listed
from treino.base.words import _, numeral
from treino.data import summaries
from treino.data.documents import LoadArguments
from treino.data.preparation.preparation import Preparation, Scale
from treino.data.rows import Rows, sampled_rows
from treino.data.table import row_place
from treino_doctor.base import escaping
from treino_doctor.base.markup import tag

SHOWN = 40  # maximum number of columns, and of classes, in a notebook's tables
TITLE = "opacity:.7;margin-top:6px"


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """A data set, split and prepared. All statistics were fitted on ``train`` alone.

    source: a built-in's name, or a file's path as given. sha256: of the file; None for a built-in.
    features: names of the columns (or pixels) that ``x`` is prepared from, in order.
    item_shape: shape of one item, for the user's own modules: ``(D,)``, or e.g. ``(1, 28, 28)`` for images.
    classes: the class names in the order of their codes; empty for regression.
    target_mean, target_scale: a regression target is ``y * target_scale + target_mean`` in its own units; 0
    and 1 for classification, and for several targets, described by ``preparation.targets``; ``target`` then
    joins their names, and ``classes`` has a name for each output.
    official_test: whether the test rows are the source's official test set, not a drawn share.
    arguments: the arguments of ``load`` except the source; they give the same rows again.
    notes: the choices made about the source, one sentence each, for the summary and the run.
    files: the files of splits that have their own, or of labels: ``{split: (path as given, SHA-256)}``.
    written: the decimal sign, the order of day and month and the words for a missing value detected in the
    file.
    currency: the currency symbol in the cells of a regression target, such as R$; else "".
    picture_files: for photographs, the file of each row number of the source.
    threshold: for rows of a run that uses one, the probability from which on it predicts the second of
    two classes; None: the most probable class.
    """

    name: str
    source: str
    sha256: str | None
    kind: Literal["table", "image"]
    task: Task
    task_reason: str
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    item_shape: tuple[int, ...]
    train: Rows
    validation: Rows
    test: Rows
    preparation: Preparation
    arguments: LoadArguments
    target_mean: float = 0.0
    target_scale: float = 1.0
    official_test: bool = False
    notes: tuple[str, ...] = field(default=())
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    written: Mapping[str, Any] = field(default_factory=dict)
    currency: str = ""
    picture_files: "summaries.PictureFiles | None" = None
    threshold: float | None = None

    @property
    def file_names(self) -> tuple[str, ...]:
        """The file of each row number of the source, for photographs; else ()."""
        return () if self.picture_files is None else self.picture_files.names

    def place(self, row: int) -> str:
        """Where a row of the source is, in words; for photographs, the name of its file."""
        return row_place(row) if self.picture_files is None else self.picture_files.names[row]

    @property
    def data_seed(self) -> int:
        """The seed of the split, and of the row order unless a training sets another seed."""
        return self.arguments.data_seed

    @property
    def inputs(self) -> int:
        """D: the number of prepared inputs of the network."""
        return self.train.x.shape[1]

    @property
    def outputs(self) -> int:
        """The number of outputs for all targets together: one for each class, or one for each number."""
        return len(self.classes) or (1 if self.preparation.target_shape else self.train.y.shape[1])

    @property
    def scale(self) -> tuple[Scale, ...]:
        """What turns the errors of each regression target into its unit; see ``Preparation.scales``."""
        return self.preparation.scales

    @cached_property
    def by_target(self) -> "tuple[Data, ...]":
        """The data of each target alone, with the same rows; itself if there is one target."""
        each = self.preparation.by_target
        if len(each) == 1:
            return (self,)
        return tuple(self._one(k, preparation) for k, preparation in enumerate(each))

    def _one(self, number: int, preparation: Preparation) -> "Data":
        column: Any = number if self.classes else slice(number, number + 1)
        changed: dict[str, Any] = {
            name: replace(split, y=split.y[:, column]) for name, split in self.splits.items()
        }
        facts = ("target", "classes", "target_mean", "target_scale")
        changed |= {name: getattr(preparation, name) for name in facts}
        return replace(self, preparation=preparation, **changed)

    @property
    def input_columns(self) -> tuple[int, ...]:
        """``[D]``: for each input, the index of its column in ``features``."""
        return self.preparation.input_columns

    @property
    def input_bins(self) -> tuple[bool, ...]:
        """``[D]``: whether each input is a bin of its column, not the number itself."""
        return self.preparation.input_bins

    @property
    def splits(self) -> dict[str, Rows]:
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @cached_property
    def images(self) -> "summaries.ImagesDescription | None":
        """The description of the images in all splits; None for a table. The first access is slow."""
        parts = self.image_parts()
        if not parts:
            return None
        return summaries.describe_images(parts, self.item_shape, self.classes, self.picture_files)

    def image_parts(self) -> "dict[str, summaries.ImagePart]":
        """The images of each split, in the data's own units; empty for a table.

        For a split that isn't in memory, only a sample is returned, except for photographs.
        """
        if self.kind != "image" or len(self.item_shape) < 2 or self.preparation.target_shape:
            return {}
        return {
            name: self._image_part(
                rows if self.picture_files is not None else sampled_rows(rows, self.data_seed), rows
            )
            for name, rows in self.splits.items()
            if len(rows)
        }

    def _image_part(self, rows: Rows, split: Rows) -> "summaries.ImagePart":
        """The images of ``rows``, which are all rows of ``split`` or a sample."""

        def read(at_K: NDArray[np.int64]) -> NDArray[Any]:
            raw_KD = self.preparation.inverse(rows.x.index_select(0, torch.from_numpy(at_K)))
            return np.rint(raw_KD).astype(np.uint8) if self.preparation.divisor == 255 else raw_KD

        def codes(part: Rows) -> NDArray[np.int64]:
            return part.y.numpy() if self.classes else np.full(len(part), -1)

        return summaries.ImagePart(read, rows.index.numpy(), codes(rows), codes(split), self.place)

    def __repr__(self) -> str:
        """A summary of several lines: the source, target, row counts, features, and the choices made."""
        lines = [
            f"{self.name}: {self.learnt}",
            self._counts(),
            _("{n} columns, {d} inputs: {names}").format(
                n=len(self.features), d=self.inputs, names=listed(self.features, 10)
            ),
            *(f"· {note}" for note in self.notes),
        ]
        return "\n".join(map(escaping.escape, lines))

    def _repr_html_(self) -> str:
        """A card for notebooks: the splits; for a table, the rows of each class and a line for each column;
        for images, their description with examples of each class."""
        said = [tag("div", tag("b", self.name), " ", self.learnt), tag("div", self._counts())]
        if (images := self.images) is not None:
            head, lines = images.count_table()
            shown = [(line, summaries.strip_html(first) if first else Markup()) for line, first in lines]
            said += [_table((fact, Markup()) for fact in images.facts()), _table([(head, Markup()), *shown])]
            said += [tag("div", "! ", warning.note) for warning in images.warnings()]
        else:
            ways = [
                ", ".join(e.inputs) if len(e.inputs) <= 4 else _("{n} inputs").format(n=len(e.inputs))
                for e in self.preparation.programs[:SHOWN]
            ]
            columns = zip(self.features[:SHOWN], ways or self.features, strict=False)
            rows = [((column, way if way != column else _("number")), Markup()) for column, way in columns]
            if (more := len(self.features) - SHOWN) > 0:
                rows.append(((_("and {n} more").format(n=more), ""), Markup()))
            if self.classes and isinstance(self.train.y, torch.Tensor):
                bars = [bar for one in self.by_target for bar in one._class_bars()]
                said += [tag("div", _("training rows of each class"), style=TITLE), _table(bars)]
            said += [tag("div", _("columns, and what the network is given"), style=TITLE), _table(rows)]
        said += [tag("div", "· ", note) for note in self.notes]
        return tag("div", *said, style="font:14px/1.45 system-ui,sans-serif;max-width:960px")

    def _class_bars(self) -> list[tuple[tuple[str, str], Markup]]:
        """For each class (its name, its number of training rows), and a bar of proportional length."""
        y = self.train.y[self.train.y >= 0]  # without positions that don't count
        count_C = torch.bincount(y, minlength=len(self.classes)).tolist()
        most = max([*count_C, 1])
        look = "height:9px;width:{}px;border-radius:2px;background:#0072b2"
        counts = list(zip(self.classes, count_C, strict=True))[:SHOWN]
        return [
            ((name, numeral(n, ",")), tag("div", style=look.format(round(180 * n / most))))
            for name, n in counts
        ]

    @property
    def learnt(self) -> str:
        """The target, or each of several targets, in words."""
        if len(self.by_target) > 1:
            return "; ".join(one.learnt for one in self.by_target)
        return target_text(self.target, self.classes)

    def _counts(self) -> str:
        counts = {name: len(rows) for name, rows in self.splits.items()}
        return _("{train:,} training, {validation:,} validation, {test:,} test rows").format(**counts)


SHARED = ("kind", "task", "features", "target", "classes", "item_shape", "target_mean", "target_scale")
"""The fields of ``Data`` that are those of its preparation."""


def of_preparation(preparation: Preparation) -> dict[str, Any]:
    """The preparation, and these fields."""
    return {"preparation": preparation} | {name: getattr(preparation, name) for name in SHARED}


def target_text(target: str, classes: Sequence[str], outputs: int = 1) -> str:
    """A target in words: its first classes, or that it is a number, or several (``outputs``)."""
    if not classes:
        one = _("the number {target}") if outputs == 1 else _("the numbers {target}")
        return one.format(target=target)
    text = _("{n} classes of {target}: {names}")
    return text.format(n=len(classes), target=target, names=listed(classes, 10))


def _table(rows: Iterable[tuple[Sequence[str], Markup]]) -> Markup:
    """An HTML table of the texts of each row, with a drawing after them."""
    look = "text-align:left;padding:2px 16px 2px 0;font-weight:{};background:none"
    lines = []
    for texts, drawing in rows:
        cells = enumerate([*texts, drawing])
        tds = (tag("td", cell, style=look.format(400 if i else 500)) for i, cell in cells)
        lines.append(tag("tr", *tds, style="background:none"))
    return tag("table", *lines, style="border-collapse:collapse;margin:4px 0")


# ---- splits that are not in memory


def splits_not_in_memory(data: Data) -> list[Rows]:
    """The splits whose rows are not in memory."""
    return [rows for rows in data.splits.values() if not isinstance(rows.x, torch.Tensor)]


def why_not_reproducible(data: Data) -> str:
    """The reason why training on the data isn't reproducible; empty if it is."""
    return next((why for rows in splits_not_in_memory(data) if (why := getattr(rows.x, "why", ""))), "")


def in_memory(data: Data) -> Data:
    """The data with a sample of at most 2000 rows of each split that isn't in memory, for plots."""
    if not splits_not_in_memory(data):
        return data
    train, validation, test = (sampled_rows(rows, data.data_seed) for rows in data.splits.values())
    return replace(data, train=train, validation=validation, test=test)


def digest(data: Data) -> str:
    """The SHA-256 of task, classes, shape, sorted targets and row numbers, to recognise a DataLoader that is
    passed again."""
    content = [data.task, list(data.classes), list(data.item_shape), data.target_mean, data.target_scale]
    sha = hashlib.sha256(repr(content).encode())
    for rows in data.splits.values():
        sha.update(rows.y.sort(0).values.numpy().tobytes() + rows.index.numpy().tobytes())
    return sha.hexdigest()
