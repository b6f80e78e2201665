"""``load``: from any source to prepared rows in three splits, with every decision noted."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data import sources
from treino.data.dataset import Data, Rows, Task
from treino.data.kinds import is_row_number
from treino.data.preparation import Preparation, fit_pixels, fit_table, fit_target
from treino.data.splitting import TEST, TRAIN, VALIDATION, first_equal, split
from treino.data.table import Column, Numbers, Table, fault
from treino.data.target import check_classes, choose_target, class_names, decide_task, encode
from treino.errors import TreinoError, nearest
from treino.words import _


def load(
    source: Any,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    task: str | None = None,
    validation: float = 0.15,
    test: float = 0.15,
    data_seed: int = 0,
    normalise: bool = True,
) -> Data:
    """Read a source, split its rows, and prepare them by what the training rows alone say.

    source: a built-in's name, a CSV file's path, a pandas frame, or (X ``[N, D]``, y ``[N]``).
    target: the column to learn; a built-in and (X, y) have their own. features: the columns to learn from,
    in this order; all others by default. task: ``classification`` or ``regression`` instead of what the
    target's values say. validation, test: shares of all distinct rows, or of those that are no official
    test set. data_seed: of the split. normalise: mean 0 and deviation 1 by the training rows.

    Raises TreinoError naming the rule, the value and its place, and the next move.
    """
    _check_shares(validation, test, data_seed)
    table = sources.read(source)
    column = choose_target(table, target)
    if table.rows == 1:
        raise TreinoError(
            "rows_one", _("'{source}' has a single row.").format(source=table.source), _("Add rows.")
        )
    notes = list(table.notes)
    names = _choose_features(table, column.name, features, notes)
    raw_ND = feature_matrix(table, names)
    decided, reason = decide_task(column, task, table.place)
    classes: tuple[str, ...] = ()
    if decided == "classification":
        classes = class_names(column)
        label_N = encode(column, classes, table.place)
        check_classes(label_N, classes, column, table.place)
    else:
        label_N = np.zeros(table.rows, dtype=np.int64)
    part_N = _parts(table, raw_ND, label_N, classes, validation, test, data_seed, notes)

    train_N = np.flatnonzero(part_N == TRAIN)
    preparation = _fit(table, raw_ND, names, column, decided, classes, train_N, normalise)
    y = prepare_target(column, label_N, preparation)

    def rows(part: int) -> Rows:
        index = np.flatnonzero(part_N == part)
        index_N = torch.from_numpy(index)
        return Rows(preparation.transform(raw_ND[index]), y.index_select(0, index_N), index_N)

    return Data(
        name=table.name,
        source=table.source,
        sha256=table.sha256,
        kind=preparation.kind,
        task=decided,
        task_reason=reason,
        features=names,
        target=column.name,
        classes=classes,
        item_shape=preparation.item_shape,
        train=rows(TRAIN),
        validation=rows(VALIDATION),
        test=rows(TEST),
        preparation=preparation,
        arguments={
            "target": target,
            "features": None if features is None else list(names),
            "task": task,
            "validation": validation,
            "test": test,
            "data_seed": data_seed,
            "normalise": normalise,
        },
        target_mean=preparation.target_mean,
        target_scale=preparation.target_scale,
        official_test=table.official_test > 0,
        notes=tuple(notes),
    )


def _fit(
    table: Table,
    raw_ND: Numbers,
    names: tuple[str, ...],
    column: Column,
    task: Task,
    classes: tuple[str, ...],
    train_N: NDArray[np.int64],
    normalise: bool,
) -> Preparation:
    """What the training rows say about features and target; no other row is looked at."""
    is_image = raw_ND.dtype == np.uint8
    mean, scale = (fit_pixels if is_image else fit_table)(raw_ND[train_N], normalise)
    target_mean, target_scale = 0.0, 1.0
    if task == "regression" and column.numbers is not None:
        target_mean, target_scale = fit_target(column.numbers[train_N].astype(np.float64))
    as_found = tuple(name for name in table.names if name != column.name) == names
    return Preparation(
        kind="image" if is_image else "table",
        features=names,
        divisor=255.0 if is_image else 1.0,
        mean=mean,
        scale=scale,
        normalise=normalise,
        task=task,
        target=column.name,
        classes=classes,
        target_mean=target_mean,
        target_scale=target_scale,
        item_shape=table.item_shape if table.item_shape and as_found else (len(names),),
        labels="truth" if column.boolean else "number" if column.words is None else "text",
    )


def prepare_target(column: Column, label_N: NDArray[np.int64], preparation: Preparation) -> torch.Tensor:
    """y as a kernel wants it: ``[N]`` int64 classes, or ``[N, 1]`` float32 standardised values."""
    if preparation.task == "classification":
        return torch.from_numpy(label_N)
    assert column.numbers is not None
    with np.errstate(over="ignore"):
        scaled_N = (column.numbers - preparation.target_mean) / preparation.target_scale
        y_N = torch.from_numpy(scaled_N.astype(np.float32))
    if not y_N.isfinite().all():
        raise TreinoError(
            "value_range",
            _("The target '{name}' holds {value}, which is too large for float32.").format(
                name=column.name, value=column.cell(int(np.abs(column.numbers).argmax()))
            ),
            _("Correct it, or scale the target down."),
        )
    return y_N.unsqueeze(1)


def feature_matrix(table: Table, names: Sequence[str]) -> Numbers:
    """``[N, D]`` raw values of the named columns; the first cell that is no finite number is refused."""
    if table.matrix is not None:
        positions = {name: j for j, name in enumerate(table.names)}
        if tuple(names) == table.names[: table.matrix.shape[1]]:
            return table.matrix
        return np.ascontiguousarray(table.matrix[:, [positions[name] for name in names]])
    for name in names:
        found = fault(table.column(name), table.place)
        if found:
            fine = [n for n in names if n != name and fault(table.column(n), table.place) is None]
            move = _("{what}, or leave the column out: --features {names}.").format(
                what=found[2], names=",".join(fine) if len(fine) <= 8 else ",".join([*fine[:7], "…"])
            )
            raise TreinoError(found[0], found[1], move if fine else found[2] + ".")
    raw_ND = np.empty((table.rows, len(names)))
    for j, name in enumerate(names):
        raw_ND[:, j] = table.column(name).numbers
    return raw_ND


def _check_shares(validation: Any, test: Any, data_seed: Any) -> None:
    for name, share in (("validation", validation), ("test", test)):
        if isinstance(share, bool) or not isinstance(share, Real) or not 0 <= float(share) < 1:
            raise TreinoError(
                f"{name}_range",
                _("The share of {name} rows is {share}; it must be at least 0 and less than 1.").format(
                    name=name, share=share
                ),
                _("0.15 is usual."),
            )
    if validation + test >= 1:
        raise TreinoError(
            "shares_sum",
            _("{validation} for validation and {test} for the test leave no rows to train on.").format(
                validation=validation, test=test
            ),
            _("Make them sum to less than 1; 0.15 and 0.15 are usual."),
        )
    if isinstance(data_seed, bool) or not isinstance(data_seed, Integral) or data_seed < 0:
        raise TreinoError(
            "data_seed_range",
            _("The data seed is {seed}; it must be a whole number of at least 0.").format(seed=data_seed),
            _("0 is usual."),
        )


def _choose_features(
    table: Table, target: str, features: Sequence[str] | None, notes: list[str]
) -> tuple[str, ...]:
    if features is not None:
        return _named_features(table, target, features.split(",") if isinstance(features, str) else features)
    names = [name for name in table.names if name != target]
    if table.keep_constant:
        return tuple(names)
    constant = [name for name in names if table.column(name).constant]
    if constant:
        notes.append(_("Left out, for they never change: {names}.").format(names=", ".join(constant)))
    names = [name for name in names if not table.column(name).constant]
    if not names:
        raise TreinoError(
            "features_none",
            _("No column of '{source}' but the target '{target}' ever changes.").format(
                source=table.source, target=target
            ),
            _("Give a table with at least one feature."),
        )
    counting = [name for name in names if is_row_number(table.column(name))]
    if counting:
        notes.append(
            _(
                "Looks like a row number and is used all the same: {names}. Leave it out with --features."
            ).format(names=", ".join(counting))
        )
    return tuple(names)


def _named_features(table: Table, target: str, features: Sequence[str]) -> tuple[str, ...]:
    known = {name for name in table.names if name != target}
    seen: set[str] = set()
    for name in features:
        if name == target:
            raise TreinoError(
                "features_target",
                _("'{name}' is the target; it can't be a feature too.").format(name=name),
                _("Take it out of --features."),
            )
        if name not in known:
            raise TreinoError(
                "features_unknown",
                _("There is no column '{name}' in '{source}'.").format(name=name, source=table.source),
                nearest(str(name), known),
            )
        if name in seen:
            raise TreinoError(
                "features_duplicate",
                _("'{name}' is named twice in --features.").format(name=name),
                _("Name it once."),
            )
        seen.add(name)
    if not features:
        raise TreinoError("features_none", _("--features names no column."), _("Name at least one."))
    return tuple(features)


def _parts(
    table: Table,
    raw_ND: Numbers,
    label_N: NDArray[np.int64],
    classes: tuple[str, ...],
    validation: float,
    test: float,
    data_seed: int,
    notes: list[str],
) -> NDArray[np.int64]:
    """``[N]``: each row's split, -1 for a row that is left out."""
    first_N = first_equal(raw_ND)
    own = table.rows - table.official_test
    repeated = int((first_N[:own] != np.arange(own)).sum())
    if repeated:
        notes.append(
            _("Rows that equal an earlier one in all features: {n}; equal rows are never parted.").format(
                n=repeated
            )
        )
    wanted = 1 + (validation > 0) + (test > 0 and not table.official_test)
    distinct = own - repeated
    if distinct < max(wanted, 2):
        raise TreinoError(
            "rows_too_few",
            _("Different rows: {n}. That is too few for {wanted} splits.").format(n=distinct, wanted=wanted),
            _("Add rows, or set --validation 0 --test 0.") if distinct > 1 else _("Add rows."),
        )
    if not table.official_test:
        part_N = split(first_N, label_N, validation, test, data_seed)
    else:
        part_N = np.full(table.rows, TEST)
        part_N[:own] = split(first_N[:own], label_N[:own], validation, 0.0, data_seed)
        leaked = np.isin(first_N[:own], first_N[own:])
        part_N[:own][leaked] = -1
        if leaked.any():
            notes.append(
                _("Training rows left out because they equal a test row: {n}.").format(n=int(leaked.sum()))
            )
    untested = [
        name
        for c, name in enumerate(classes)
        if validation + test > 0 and len(np.unique(part_N[label_N == c])) == 1
    ]
    if untested:
        notes.append(
            _("Too few different rows to be in every split, so only trained on: {names}.").format(
                names=", ".join(untested[:8])
            )
        )
    return part_N
