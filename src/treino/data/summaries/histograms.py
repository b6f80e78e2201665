"""Histograms of columns, small enough for a picture the size of a line."""

from typing import Any

import numpy as np

from treino.data.table import Column, shorten

BINS = 24
VALUES = 8


def shape(column: Column) -> dict[str, Any] | None:
    """``{"edges": [BINS + 1], "counts": [BINS]}`` of finite numbers, with ``dates`` seconds since 1970,
    with ``times`` since midnight.

    ``{"values", "counts", "others"}`` of words and of few different numbers, the commonest word first. None
    where nothing is there.
    """
    values = column.numbers if column.numbers is not None else column.seconds
    if values is None or column.boolean:
        return _words(column)
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        return None
    distinct = np.unique(finite[:1000])
    if len(distinct) <= VALUES and column.seconds is None:
        distinct = np.unique(finite)
        if len(distinct) <= VALUES:
            counts = [int((finite == value).sum()) for value in distinct]
            return {"values": [f"{value:g}" for value in distinct], "counts": counts, "others": 0}
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = finite.min(), finite.max()
        if not np.isfinite(high - low):
            return None
        counts_B, edges = np.histogram(finite, bins=BINS, range=(low, high))
    dates = {"times" if column.clock else "dates": True} if column.seconds is not None else {}
    return {"edges": edges.tolist(), "counts": counts_B.tolist()} | dates


def _words(column: Column) -> dict[str, Any] | None:
    words = column.words
    if words is None:
        return None
    present = words[words != ""].astype(str)
    if not len(present):
        return None
    found, count = np.unique(present, return_counts=True)
    order = np.argsort(-count, kind="stable")
    first = order[:VALUES]
    return {
        "values": [shorten(found[i], 24) for i in first],
        "counts": count[first].tolist(),
        "others": int(count[order[VALUES:]].sum()),
    }
