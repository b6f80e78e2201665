"""Targets of a Dataset's items: classes or numbers, detected from all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.data.preparation.preparation import Preparation, Task, fit_target
from treino.data.roles.target import check_classes, class_names, decide_task
from treino.data.table import Column, plain, shorten
from treino.data.torch_datasets.item import Label
from treino.errors import TreinoError
from treino.words import _

FEWEST_PER_CLASS = 2
IGNORED = -100  # torch's ignore_index: its losses leave such rows out
MOST_NUMBERED = 1000
Place = Callable[[int], str]


@dataclass(frozen=True, eq=False)
class Labels:
    """The type of the targets, and their conversion to y.

    classes: the classes' names in the order of their numbers; empty for regression, where y = (value - mean)
    / scale. kind: the type of a class before it had a name.
    """

    task: Task
    reason: str
    classes: tuple[str, ...]
    number: dict[Label, int]
    kind: Literal["text", "number", "truth"]
    mean: float = 0.0
    scale: float = 1.0

    def encode(self, labels: Sequence[Label], place: Place) -> Tensor:
        """``[B]`` int64, or ``[B, 1]`` float32."""
        if self.task == "classification":
            numbers = [self.number.get(label, -1) for label in labels]
            if -1 in numbers:
                row = numbers.index(-1)
                raise TreinoError(
                    "class_unknown",
                    _("The target of {place} is '{value}', which is none of the {n} classes.").format(
                        place=place(row), value=shorten(str(labels[row])), n=len(self.classes)
                    ),
                    _("The classes are those of a first pass: {names}.").format(
                        names=shorten(", ".join(self.classes), 200)
                    ),
                )
            return torch.tensor(numbers, dtype=torch.int64)
        y_N = (_numbers(labels, place) - self.mean) / self.scale
        return torch.from_numpy(y_N.astype(np.float32)).unsqueeze(1)

    def fitted(self, labels: Sequence[Label], place: Place) -> "Labels":
        """The same with mean and deviation of these labels, those of the training rows."""
        if self.task == "classification":
            return self
        mean, scale = fit_target(np.sort(_numbers(labels, place)))  # the same sum for any order of the rows
        return replace(self, mean=mean, scale=scale)


def labels_of(
    labels: Sequence[Label], request: str | None, names: Sequence[str] | None, place: Place
) -> Labels:
    """Detect the type of all targets.

    names: the classes' names in the order of their numbers, if the Dataset has them.
    """
    whole = all(isinstance(label, int) and not isinstance(label, bool) for label in labels)
    numbered = names is not None and whole and set(labels) <= set(range(len(names)))
    if names and numbered and request != "regression" and len(set(labels)) > 1:
        reason = _("the Dataset names {n} classes").format(n=len(names))
        return Labels("classification", reason, tuple(map(str, names)), _places(range(len(names))), "text")
    column = _column(labels, place)
    task, reason = decide_task(column, request, place)
    if request is None and task == "regression" and whole:
        values, counts = np.unique(np.asarray(labels), return_counts=True)
        without_gaps = values[0] == 0 and values[-1] == len(values) - 1
        if without_gaps and len(values) <= MOST_NUMBERED and counts.min() >= FEWEST_PER_CLASS:
            task, reason = (
                "classification",
                _("the targets are the whole numbers from 0 to {n}").format(n=len(values) - 1),
            )
    if task == "regression":
        return Labels(task, reason, (), {}, "number")
    _check_ignored(labels, place)
    classes = class_names(column)
    if column.boolean:
        number: dict[Label, int] = {name == "true": i for i, name in enumerate(classes)}
    elif column.numbers is not None:
        number = {float(name): i for i, name in enumerate(classes)}
    else:
        number = _places(classes)
    kind: Literal["text", "number", "truth"] = (
        "truth" if column.boolean else "text" if column.words is not None else "number"
    )
    result = Labels(task, reason, classes, number, kind)
    check_classes(result.encode(labels, place).numpy(), classes, column)
    return result


def _check_ignored(labels: Sequence[Label], place: Place) -> None:
    """Refuse the class -100, which marks rows without a class in torch."""
    ignored = [row for row, label in enumerate(labels) if label == IGNORED]
    if ignored:
        raise TreinoError(
            "target_ignored",
            _(
                "The target of {place} is -100, which torch's losses leave out (ignore_index): no class."
                " Such items: {n} of {of}."
            ).format(place=place(ignored[0]), n=len(ignored), of=len(labels)),
            _(
                "Leave them out: torch.utils.data.Subset(data, [i for i in range(len(data)) if data[i][1] != "
                "-100]). If it is a class, return it as text: '-100'."
            ),
        )


def labels_again(preparation: Preparation) -> Labels:
    """The type of the targets of a trained network."""
    p = preparation
    number: dict[Label, int] = {}
    for i, name in enumerate(p.classes):
        number[name == "true" if p.labels == "truth" else float(name) if p.labels == "number" else name] = i
    if p.labels == "text":  # a Dataset with named classes yields their numbers
        number |= _places(range(len(p.classes)))
    return Labels(p.task, "", p.classes, number, p.labels, p.target_mean, p.target_scale)


def _places(names: Sequence[Label]) -> dict[Label, int]:
    return {name: i for i, name in enumerate(names)}


def _column(labels: Sequence[Label], place: Place) -> Column:
    if all(isinstance(label, bool) for label in labels):
        words = np.array(["true" if label else "false" for label in labels], dtype=object)
        return Column("target", np.asarray(labels, dtype=np.float64), words, boolean=True)
    text = [isinstance(label, str) for label in labels]
    if any(text) and not all(text):
        row = text.index(not text[0])
        raise TreinoError(
            "target_mixed",
            _("The target of {a} is {x!r}, and that of {b} {y!r}: words and numbers don't mix.").format(
                a=place(0), x=labels[0], b=place(row), y=labels[row]
            ),
            _("Return one kind of value as y."),
        )
    if any(text):
        return Column("target", None, np.array(labels, dtype=object))
    return Column("target", _numbers(labels, place))


def _numbers(labels: Sequence[Label], place: Place) -> NDArray[np.float64]:
    value_N = np.asarray(labels, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(value_N))
    if len(wrong):
        raise TreinoError(
            "target_not_finite",
            _("The target of {place} is {value}.").format(
                place=place(int(wrong[0])), value=plain(float(value_N[wrong[0]]))
            ),
            _("Leave the item out."),
        )
    return value_N
