"""The table of the ways in which columns become inputs. Packages may add entries."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from treino.base.registry import OwnKind, Registry
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


OWN = OwnKind[Way]("column", lambda name, way: way, of_users=False)
WAYS: Registry[Way] = Registry({}, __name__)
"""All ways; ``fit_columns`` adds treino's own. Sentences come in this order."""


def way_label(program: ColumnProgram) -> str:
    """As what a column is taken, in the reader's language."""
    return program.way if (way := WAYS.find(program.way)) is None else _(way.label)


def way_asked(name: str) -> str:
    """What ``kinds=`` asks for to get this way; of one that isn't known here its name."""
    return name if (way := WAYS.find(name)) is None else way.asked
