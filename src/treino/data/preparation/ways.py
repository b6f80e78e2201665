"""The table of the ways in which columns become inputs. Packages may add entries."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from treino.base.apps import of_packages
from treino.base.registry import Registry
from treino.base.words import _
from treino.data.column_program import ColumnProgram

Kind = Literal["number", "boolean", "category", "date", "identifier", "row number", "text", "constant"]


@dataclass(frozen=True)
class Way:
    """A way in which a column becomes inputs.

    fit: makes the program, of a ``ColumnFit``. asked: as what ``kinds=`` asks for it. label: what a report
    says that the column is taken as. sentence: what is said of columns that are no plain numbers. detail:
    what it says of each. kind: the column's kind, of a way that is asked for by its own name.
    """

    fit: Callable[[Any], ColumnProgram]
    asked: str
    label: str
    sentence: str = ""
    detail: Callable[[ColumnProgram], str] = lambda program: program.column
    kind: Kind = "number"


def entry(name: str) -> Way | None:
    """The way that an installed package registers as ``column.NAME``; None if none does."""
    way: Way | None = of_packages("column", name)
    return way


WAYS: Registry[Way] = Registry({}, __name__)
"""All ways; ``fit_columns`` adds treino's own. Sentences come in this order."""


def way_label(program: ColumnProgram) -> str:
    """As what a column is taken, in the reader's language."""
    return _(WAYS[program.way].label) if program.way in WAYS else program.way


def way_asked(name: str) -> str:
    """What ``kinds=`` asks for to get this way; of one that isn't known here its name."""
    return WAYS[name].asked if name in WAYS else name
