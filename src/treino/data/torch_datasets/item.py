"""Tell x from y in the items of a Dataset, and whether the targets are classes or numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.document_fields import Task
from treino.base.errors import Refusal
from treino.base.text import shortened
from treino.base.words import _
from treino.data.links import Link
from treino.data.preparation.preparation import Preparation, fit_target
from treino.data.preparation.target import check_classes, class_names, decide_task
from treino.data.rows import IGNORED
from treino.data.sources import ITEM_NOT_FINITE
from treino.data.table import Column, RowPlace, plain

ITEM_TARGET = Refusal(
    "y of {where} is {what}, and not one number or word.",
    "Return one value; of one-hot numbers y.argmax(). Items with no y can't be learned from.",
)
DATASET_EMPTY = Refusal("{name} has no items.", "Give at least some.")
ITEM_FORM = Refusal(
    "{where} is {what}, and not {wanted}.",
    "Let the Dataset return a pair (x, y), or a dict; treino.load takes its names: {names}.",
)
ITEM_ENTRIES = Refusal(
    "An item has the entries {names}; which of them are x and y?",
    "Name them: treino.load(dataset, features=['{x}'], target='{y}').",
)
ITEM_SHAPE = Refusal(
    "x of {where} has the shape {shape}, and that of the first one {first}.",
    "Resize or pad in __getitem__, or give a DataLoader whose collate_fn does.",
)
TARGET_IGNORED = Refusal(
    (
        "The target of {place} is -100, which torch's losses leave out (ignore_index): no class."
        " Such items: {n} of {of}."
    ),
    (
        "Leave them out: torch.utils.data.Subset(data, [i for i in range(len(data)) if data[i][1] != "
        "-100]). If it is a class, return it as text: '-100'."
    ),
)
TARGET_MIXED = Refusal(
    "The target of {a} is {x!r}, and that of {b} {y!r}: words and numbers don't mix.",
    "Return one kind of value as y.",
)
TARGET_NOT_FINITE = Refusal("The target of {place} is {value}.", "Leave the item out.")
ITEM_NUMBERS = Refusal("x of {where} is {what}: {error}.", "Return numbers: a tensor, an array or a picture.")
LABEL_UNKNOWN = Refusal(
    "The target of {place} is '{value}', which is none of the {n} classes.",
    "The classes are those of a first pass: {names}.",
    rule="class_unknown",
)

# ---- the items of a Dataset

Label = int | float | str | bool
_INPUTS = ("x", "image", "images", "img", "pixel_values", "input", "inputs", "features", "data", "signal")
_TARGETS = ("y", "label", "labels", "target", "targets", "class", "classes", "alvo", "classe")


@dataclass(frozen=True)
class ItemFormat:
    """The parts of an item that are x and y: names of a dict's entries, or None for a pair (x, y).

    alone: whether items consist of x without a target; the target is then 0.
    """

    x: str | None = None
    y: str | None = None
    alone: bool = False

    def pair(self, item: Any, where: str) -> tuple[Any, Any]:
        if self.alone:
            item = item[self.x] if isinstance(item, Mapping) else item
            return (item[0] if isinstance(item, tuple | list) and len(item) == 1 else item), 0
        if self.x is not None and isinstance(item, Mapping) and self.x in item and self.y in item:
            return item[self.x], item[self.y]
        if self.x is None and isinstance(item, tuple | list) and len(item) == 2:
            return item[0], item[1]
        wanted = _("a pair (x, y)") if self.x is None else _("a dict with {x} and {y}")
        wanted, names = wanted.format(x=self.x, y=self.y), "features=['image'], target='label'"
        raise ITEM_FORM(where=where, what=_described(item), wanted=wanted, names=names)

    def numbers(self, item: Any, where: str, shape: tuple[int, ...]) -> tuple[Tensor, "Label"]:
        """Return x as a tensor, which must have this shape, and the label. shape: () for any."""
        x, y = self.pair(item, where)
        found = as_numbers(x, where), as_label(y, where)
        check_shape(tuple(found[0].shape), shape, where)
        return found


def item_format(item: Any, features: Sequence[str] | None, target: str | None) -> ItemFormat:
    """Detect the format from the first item. features, target: names of a dict's entries x and y, if they
    are unusual."""
    if not isinstance(item, Mapping):
        ItemFormat().pair(item, _("An item"))
        return ItemFormat()
    names = [str(name) for name in item]
    names_xy = {"x": None if features is None else features[0], "y": target}
    known = all(name is None or name in item for name in names_xy.values())
    if not known or (features is not None and len(features) != 1):
        raise ITEM_ENTRIES(names=", ".join(names), x=names[0], y=names[-1])
    y = names_xy["y"] or next((n for n in names if n.lower() in _TARGETS and n != names_xy["x"]), None)
    x = names_xy["x"] or next((n for n in names if n.lower() in _INPUTS and n != y), None)
    if len(names) == 2 and (x is None) != (y is None):
        (other,) = (n for n in names if n not in (x, y))
        x, y = x or other, y or other
    if x is None or y is None:
        raise ITEM_ENTRIES(names=", ".join(names), x=x or names[0], y=y or names[-1])
    return ItemFormat(x, y)


def as_numbers(value: Any, where: str) -> Tensor:
    """Convert x of an item to a tensor. value: a tensor, array, number, nested lists, or a PIL image, which
    becomes uint8 ``[C, H, W]``."""
    if not isinstance(value, Tensor):
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "biuf":
                raise TypeError(_("numbers are wanted"))
            if hasattr(value, "mode") and hasattr(value, "getbands"):
                array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
            value = torch.from_numpy(np.array(array))
        except (TypeError, ValueError) as error:
            reason = str(error).rstrip(".")
            raise ITEM_NUMBERS(where=where, what=_described(value), error=reason) from error
    if value.is_complex() or value.numel() == 0:
        raise ITEM_NUMBERS(where=where, what=_described(value), error=_("numbers are wanted"))
    tensor: Tensor = value.detach().cpu()
    tensor = tensor if tensor.layout is torch.strided else tensor.to_dense()
    return tensor if tensor.dim() else tensor.reshape(1)


def as_label(value: Any, where: str) -> Label:
    """Convert y of an item to a number, boolean or text."""
    one = value
    if isinstance(value, Tensor | np.ndarray | np.generic):
        one = value.item() if (value.numel() if isinstance(value, Tensor) else value.size) == 1 else None
    elif isinstance(value, tuple | list) and len(value) == 1:
        return as_label(value[0], where)
    if isinstance(one, bytes):
        return one.decode(errors="replace")
    if isinstance(one, str | bool | int | float):
        return one
    raise ITEM_TARGET(where=where, what=_described(value))


def check_shape(shape: tuple[int, ...], first: tuple[int, ...], where: str) -> None:
    """Refuse an item of another shape than the first one. first: () if any shape is allowed."""
    if first and shape != first:
        raise ITEM_SHAPE(where=where, shape=list(shape), first=list(first))


def check_finite(x_B: Tensor, where: Callable[[int], str]) -> None:
    """Refuse numbers that are not finite. where: words the place of one of the items."""
    if x_B.is_floating_point() and not bool(x_B.sum().isfinite()):  # faster than testing every value
        finite_B = x_B.flatten(1).isfinite().all(1)
        if not bool(finite_B.all()):
            raise ITEM_NOT_FINITE(where=where(int(finite_B.int().argmin())))


def scaled(x_B: Tensor) -> Tensor:
    """x as float32. uint8 items with two dimensions or more are pixels and are divided by 255."""
    pixels = x_B.dtype == torch.uint8 and x_B.dim() > 2
    return x_B.float().div_(255) if pixels else x_B.float()


def _described(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return _("a {kind} of shape {shape}").format(kind=type(value).__name__, shape=list(value.shape))
    if isinstance(value, tuple | list):
        return _("a {kind} of {n}").format(kind=type(value).__name__, n=len(value))
    if isinstance(value, Mapping):
        return _("a dict with {names}").format(names=", ".join(map(str, value)))
    return _("a {kind}").format(kind=type(value).__name__)


# ---- targets of a Dataset's items

FEWEST_PER_CLASS = 2
MOST_NUMBERED = 1000
LabelKind = Literal["text", "number", "truth"]


@dataclass(frozen=True, eq=False)
class Labels:
    """The type of the targets, and their conversion to y.

    classes: the class names in the order of their codes; empty for regression, where y = (value - mean) /
    scale. number: the code of each class. kind: the type of the classes in the Dataset, before naming.
    """

    task: Task
    reason: str
    classes: tuple[str, ...] = ()
    number: dict[Label, int] = field(default_factory=dict)
    kind: LabelKind = "number"
    mean: float = 0.0
    scale: float = 1.0

    def fields(self, name: str) -> dict[str, Any]:
        """The fields of a preparation for a target of this name."""
        scaling = {"target_mean": self.mean, "target_scale": self.scale}
        return {"task": self.task, "target": name, "classes": self.classes, "labels": self.kind} | scaling

    def encode(self, labels: Any, place: RowPlace) -> Tensor:
        """Return y of the labels: class codes ``[B]`` int64, or numbers ``[B, 1]`` float32."""
        if self.task == "classification":
            numbers = [self.number.get(label, -1) for label in labels]
            if -1 in numbers:
                row, names = numbers.index(-1), shortened(", ".join(self.classes), 200)
                value = shortened(str(labels[row]))
                raise LABEL_UNKNOWN(place=place(row), value=value, n=len(self.classes), names=names)
            return torch.tensor(numbers, dtype=torch.int64)
        y_N = (_numbers(labels, place) - self.mean) / self.scale
        return torch.from_numpy(y_N.astype(np.float32)).unsqueeze(1)

    def fitted(self, labels: Any, place: RowPlace, link: Link) -> Self:
        """A copy with mean and scale of these labels, which must be the training rows' labels."""
        if self.task == "classification":
            return self
        mean, scale = fit_target(np.sort(_numbers(labels, place)), None, link)  # sorted: equal for any order
        return replace(self, mean=mean, scale=scale)


def labels_of(
    labels: Sequence[Label], request: str | None, names: Sequence[str] | None, place: RowPlace
) -> Labels:
    """Detect the type of the targets.

    request: the task that the user set, or None. names: the class names in the order of their codes, if the
    Dataset has them.
    """
    whole = all(isinstance(label, int) and not isinstance(label, bool) for label in labels)
    numbered = names is not None and whole and set(labels) <= set(range(len(names)))
    if names and numbered and request != "regression" and len(set(labels)) > 1:
        reason = _("the Dataset names {n} classes").format(n=len(names))
        codes: dict[Label, int] = {code: code for code in range(len(names))}
        return Labels("classification", reason, tuple(map(str, names)), codes, "text")
    column = _column(labels, place)
    task, reason = decide_task(column, request, place)
    if request is None and task == "regression" and whole:
        values, counts = np.unique(np.asarray(labels), return_counts=True)
        without_gaps = values[0] == 0 and values[-1] == len(values) - 1
        if without_gaps and len(values) <= MOST_NUMBERED and counts.min() >= FEWEST_PER_CLASS:
            task = "classification"
            reason = _("the targets are the whole numbers from 0 to {n}").format(n=len(values) - 1)
    if task == "regression":
        return Labels(task, reason)
    if ignored := [row for row, label in enumerate(labels) if label == IGNORED]:
        raise TARGET_IGNORED(place=place(ignored[0]), n=len(ignored), of=len(labels))
    classes = class_names(column)
    kind: LabelKind = "truth" if column.boolean else "text" if column.words is not None else "number"
    result = Labels(task, reason, classes, _codes(classes, kind), kind)
    check_classes(result.encode(labels, place).numpy(), classes, column)
    return result


def labels_again(preparation: Preparation) -> Labels:
    """The type of the targets that a network was trained on."""
    p = preparation
    number = _codes(p.classes, p.labels)
    if p.labels == "text":  # a Dataset with named classes yields class codes
        number |= {code: code for code in range(len(p.classes))}
    return Labels(p.task, "", p.classes, number, p.labels, p.target_mean, p.target_scale)


def _codes(classes: Sequence[str], kind: LabelKind) -> dict[Label, int]:
    """The code of each class, by the label that stands for it in a Dataset."""
    of: dict[str, Callable[[str], Label]] = {"truth": "true".__eq__, "number": float, "text": str}
    return {of[kind](name): code for code, name in enumerate(classes)}


def _column(labels: Sequence[Label], place: RowPlace) -> Column:
    if all(isinstance(label, bool) for label in labels):
        words = np.array(["true" if label else "false" for label in labels], dtype=object)
        return Column("target", np.asarray(labels, dtype=np.float64), words, boolean=True)
    text = [isinstance(label, str) for label in labels]
    if any(text) and not all(text):
        row = text.index(not text[0])
        raise TARGET_MIXED(a=place(0), x=labels[0], b=place(row), y=labels[row])
    if any(text):
        return Column("target", None, np.array(labels, dtype=object))
    return Column("target", _numbers(labels, place))


def _numbers(labels: Any, place: RowPlace) -> NDArray[np.float64]:
    value_N = np.asarray(labels, dtype=np.float64).reshape(-1)
    wrong = np.flatnonzero(~np.isfinite(value_N))
    if len(wrong):
        raise TARGET_NOT_FINITE(place=place(int(wrong[0])), value=plain(float(value_N[wrong[0]])))
    return value_N
