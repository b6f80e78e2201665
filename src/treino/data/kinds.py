"""What a column seems to hold: number, boolean, category, date, identifier, text, constant."""

import re
from typing import Literal

import numpy as np

from treino.data.table import Column, date_like, missing, numeric_like

Kind = Literal["number", "boolean", "category", "date", "identifier", "text", "constant"]

_NAME_OF_IDENTIFIER = re.compile(r"(^|_|\s)(id|ids|uuid|guid|index|key|unnamed: 0)$", re.IGNORECASE)


def kind(column: Column) -> Kind:
    """The kind by all of the column's cells that are not missing.

    constant: one value. identifier: all different, and named or built like one (row numbers that count up
    by 1; codes without blanks that hold digits). number: at least nine of ten cells read as numbers.
    category: text in which the average value comes at least twice.
    """
    if column.constant:
        return "constant"
    if column.boolean:
        return "boolean"
    named = _NAME_OF_IDENTIFIER.search(column.name) is not None
    if column.numbers is not None:
        whole = bool((column.numbers == np.floor(column.numbers)).all())
        unique = whole and column.distinct == len(column)
        return "identifier" if unique and (named or is_row_number(column)) else "number"
    assert column.words is not None
    if column.categories:
        return "category"
    present = [word for word in column.words if not missing(word)]
    if not present:
        return "constant"
    if sum(map(numeric_like, present)) >= 0.9 * len(present):
        return "number"
    if all(map(date_like, present)):
        return "date"
    distinct = set(present)
    if len(distinct) == len(present) > 1:
        code = all(any(c.isdigit() for c in word) and not any(c.isspace() for c in word) for word in present)
        return "identifier" if named or code else "text"
    return "category" if 2 * len(distinct) <= len(present) else "text"


def is_row_number(column: Column) -> bool:
    """Whether the cells are whole numbers that count the rows up by 1, in any order."""
    numbers = column.numbers
    if numbers is None or len(numbers) < 10 or not np.isfinite(numbers).all():
        return False
    if float(numbers.min()) + len(numbers) - 1 != float(numbers.max()):  # the common case, without sorting
        return False
    return bool((np.diff(np.sort(numbers)) == 1).all())
