"""The data of a training: its training and validation rows in any form, checked and converted to tensors."""

from dataclasses import dataclass
from typing import Any, Literal

import torch

from treino.data.dataset import Data
from treino.data.out_of_core.mapped_rows import as_mapped
from treino.data.torch_datasets.dataset_source import is_torch_dataset, load_torch_dataset, steps_of
from treino.engine.array_inputs import ArrayPair, check_class_count, pairs_of
from treino.errors import TreinoError
from treino.words import _


@dataclass(frozen=True, eq=False)
class Inputs:
    """A data set as ``train`` uses it.

    classes: the number of classes, or of target values. item_shape: the shape of one row for the user's
    module.
    scale: a regression target's standard deviation. class_names: in the order of the class numbers.
    seed: of the row order, if the data has one. kind: the key of its default settings (``DEFAULTS``). steps:
    the batches of an epoch, if a DataLoader makes the batches; batch: the rows of the largest one. columns:
    the source's column of each input; empty: each input is a column. bins: whether each input is a bin of its
    column; empty: none is.
    """

    train: ArrayPair
    validation: ArrayPair
    task: Literal["classification", "regression"]
    classes: int
    item_shape: tuple[int, ...]
    scale: float = 1.0
    class_names: tuple[str, ...] = ()
    seed: int | None = None
    kind: Literal["table", "image"] = "table"
    steps: int | None = None
    batch: int | None = None
    columns: tuple[int, ...] = ()
    bins: tuple[bool, ...] = ()


def inputs_of(data: Any, dtype: torch.dtype) -> Inputs:
    """The inputs from the result of ``load``, a Dataset or DataLoader, or pairs of arrays.

    Raises:
        TreinoError: another form, no training rows, numbers that ``dtype`` can't hold.
    """
    if is_torch_dataset(data):
        data = load_torch_dataset(data)
    if isinstance(data, Data):
        return _loaded(data)
    (x, y), validation = pairs_of(data, dtype)
    shape = tuple(x.shape[1:])
    if y.is_floating_point():
        return Inputs((x, y), validation, "regression", y.shape[1], shape)
    classes = max(int(t.max()) + 1 for t in (y, validation[1]) if len(t))
    check_class_count(classes, len(x))
    names = tuple(map(str, range(max(2, classes))))
    return Inputs((x, y), validation, "classification", len(names), shape, class_names=names)


def _loaded(data: Data) -> Inputs:
    check_training_rows(data)
    classes = len(data.classes) if data.task == "classification" else data.train.y.shape[1]
    if data.task == "classification":
        check_class_count(classes, len(data.train))
    train, validation = ((as_mapped(rows.x), rows.y) for rows in (data.train, data.validation))
    return Inputs(
        train,
        validation,
        data.task,
        classes,
        data.item_shape,
        data.target_scale,
        tuple(data.classes),
        data.data_seed,
        data.kind,
        steps_of(data),
        getattr(data.train.x, "batch", None),
        data.input_columns,
        data.input_bins,
    )


def check_training_rows(data: Data) -> None:
    """Refuse data without training rows."""
    if not len(data.train):
        raise TreinoError(
            "no_training_rows",
            _("There are no training rows."),
            _("Lower [[validation]] or [[test]]."),
        )
