"""Holes of a pandas table that are filled with what its own columns are on average, over all of its rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from treino.diagnosis.reading.names import says_train
from treino.diagnosis.reading.source import names_in, statement_at
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.scalers import NONE
from treino.diagnosis.watch.tables import DataSeen, FitSeen

MOST = 200_000  # rows
COLUMNS = 64
VARIED = 20  # different values of a column, whose mean or median is then no other part's by chance
FITS = 50


def filled(data: DataSeen, table: Any, value: Any) -> None:
    """Before ``table.fillna(value)``: a fit of so many rows, where the value is their mean or median."""
    if len(data.fits) > FITS or not VARIED <= len(table) <= MOST:
        return
    if any(_own(column, number) for column, number in _pairs(table, value)):
        site = here()
        statement = statement_at(site) if site is not None else None
        if statement is None or not says_train(names_in(statement)):
            data.fits.append(FitSeen(site, "fillna", len(table), 0, NONE))


def _pairs(table: Any, value: Any) -> list[tuple[Any, float]]:
    """Columns, and the number that each one's holes are filled with."""
    if table.ndim == 1:
        return [(table, float(value))] if isinstance(value, (int, float, np.number)) else []
    if not isinstance(value, Mapping) and not hasattr(value, "index"):
        return []
    found: list[tuple[Any, float]] = []
    for name in list(table.columns)[:COLUMNS]:
        number = value.get(name)
        if isinstance(number, (int, float, np.number)):
            found.append((table[name], float(number)))
    return found


def _own(column: Any, number: float) -> bool:
    """Whether a column has holes, and this is the mean or the median of all that it holds."""
    if getattr(column.dtype, "kind", "") != "f":
        return False
    values = column.to_numpy()
    known = values[~np.isnan(values)]
    if len(known) == len(values) or len(known) < VARIED or len(np.unique(known)) < VARIED:
        return False
    return bool(np.isclose(number, [known.mean(), np.median(known)], rtol=1e-12, atol=0.0).any())
