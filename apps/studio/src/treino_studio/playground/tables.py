"""Tables in the playground's page: built-in ones, and one of the reader's own."""

from functools import cache
from typing import Any

import numpy as np

from treino.base.errors import TreinoError
from treino.base.words import _
from treino.data import BuiltinName, Column, Table, choose_target, read
from treino_studio.playground.address import GENERATED

BUILTINS = "wine", "iris", "digits"
TAKEN = {*GENERATED, *BUILTINS, "points", "table", "__proto__"}  # names that mean something else in a page
LETTERS = "0123456789abcdefg"  # of pixels from 0 to 16
MOST_CELLS = 200_000  # maximum number of cells of a table in a page
Cell = str | float | None


@cache
def tables_in_page() -> dict[str, dict[str, Any]]:
    """The built-in tables that every page has, by their names."""
    tables = {name: read(BuiltinName(name)) for name in BUILTINS}
    return {
        name: {**(_pixels if name == "digits" else _document)(table, "target"), "builtin": True}
        for name, table in tables.items()
    }


def table_of(source: str, target: str | None) -> dict[str, Any]:
    """A table as the page's modules take it: ``{name, columns: [{name, cells}], target}``.

    A cell is a number, a word, or null if it is missing.

    Raises:
        TreinoError: the source can't be read, its target isn't known, or it is too large for a page.
    """
    table = read(source)
    column = choose_target(table, target)
    cells = table.rows * len(table.columns)
    if cells > MOST_CELLS or table.matrix is not None:
        raise TreinoError(
            "table_too_large",
            _("{name} has {cells} cells; a page holds at most {most}.").format(
                name=table.name, cells=cells, most=MOST_CELLS
            ),
            _("treino studio {name} trains on it in a page, too, on this machine.").format(name=source),
        )
    document = _document(table, column.name)
    return document | {"name": f"{table.name}-table"} if table.name in TAKEN else document


def _document(table: Table, target: str) -> dict[str, Any]:
    columns = [{"name": column.name, "cells": _cells(column)} for column in table.columns]
    return {"name": table.name, "columns": columns, "target": target}


def _pixels(table: Table, target: str) -> dict[str, Any]:
    """A table of pixels from 0 to 16, a letter each: ``web/pixel_table.js`` makes a table of it."""
    number_DN = np.array([column.numbers for column in table.columns if column.name != target])
    side = round(len(number_DN) ** 0.5)
    number_WNH = number_DN.reshape(side, side, -1).transpose(1, 2, 0)  # strips of one place compress best
    text = "".join(LETTERS[int(pixel)] for pixel in number_WNH.ravel())
    classes = "".join(table.column(target).cell(row) for row in range(table.rows))
    return {"name": table.name, "target": target, "picture": [side, side], "pixels": text, "classes": classes}


def _cells(column: Column) -> list[Cell]:
    """The cells of a column: numbers where all of them are numbers, else words."""
    values = column.numbers
    if values is None or column.boolean or not np.isfinite(values[~column.missing_N]).all():
        return [column.cell(row) or None for row in range(len(column))]
    return [
        None if missing else _number(value) for value, missing in zip(values, column.missing_N, strict=True)
    ]


def _number(value: Any) -> float:
    """The number, as an int if it is whole: its JSON is shorter, and the same number in JavaScript."""
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
