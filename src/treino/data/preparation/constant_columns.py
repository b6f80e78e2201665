"""A warning of columns that are constant in the training rows and vary in other rows."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from treino.data.preparation.encoders import Encoder, OneHotEncoder
from treino.data.preparation.fit import comparable_columns
from treino.data.preparation.preparation import Preparation
from treino.data.roles.column_kinds import ColumnRole
from treino.data.splits import TEST, TRAIN, VALIDATION
from treino.data.table import Table, shorten
from treino.words import _


def say_held_back(
    tables: Sequence[Table],
    chosen: Mapping[str, ColumnRole],
    preparation: Preparation,
    part_N: NDArray[np.int64],
) -> list[str]:
    """A note about columns that vary in validation or test rows only, if there are such columns.

    part_N: the part of each row of all tables. Classes that no training row has have a note of their own.
    """
    perhaps = {
        e.column: chosen[e.column]
        for e, at in _first_inputs(preparation)
        if not isinstance(e, OneHotEncoder)
        and not (e.scaled and preparation.normalise and preparation.scale[at])
    }
    train_N, later_N = part_N == TRAIN, (part_N == VALIDATION) | (part_N == TEST)
    counts = {}
    for name, value_N in zip(perhaps, comparable_columns(tables, perhaps), strict=True):
        there_N = ~np.isnan(value_N)
        trained = value_N[train_N & there_N]
        if (trained == trained[:1]).all():
            counts[name] = int((later_N & there_N & ~np.isin(value_N, trained[:1])).sum())
    sentence = _(
        "Never changes in training rows, so nothing is learnt of it, but does in validation or test rows: "
        "{names}."
    )
    return _count_notes(sentence, counts)


def say_new(raw_ND: NDArray[np.float64], preparation: Preparation) -> list[str]:
    """A note about such columns in rows to predict, given as raw inputs ``[N, D]``."""
    counts = {}
    for e, at in _first_inputs(preparation):
        if e.scaled and preparation.normalise and not preparation.scale[at]:
            counts[e.column] = int((raw_ND[:, at] != preparation.mean[at]).sum())
    return _count_notes(
        _("Never changed in training rows, so nothing was learnt of it, but does here: {names}."), counts
    )


def _first_inputs(preparation: Preparation) -> Iterator[tuple[Encoder, int]]:
    """Each encoder with the place of its first input, the only one that is scaled."""
    return ((e, group[0]) for e, group in zip(preparation.encoders, preparation.groups, strict=True))


def _count_notes(sentence: str, counts: Mapping[str, int]) -> list[str]:
    """The sentence with the columns that vary and their numbers of rows; no note if none varies."""
    names = [_("{name} ({n} rows)").format(name=name, n=f"{n:,}") for name, n in counts.items() if n]
    return [sentence.format(names=shorten(", ".join(names), 400))] if names else []
