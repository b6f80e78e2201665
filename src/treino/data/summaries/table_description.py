"""The description of a table or of images: its columns, its target, and the warnings about it."""

from dataclasses import dataclass
from typing import Any

from treino.data.summaries.histograms import NumberHistogram, WordCounts
from treino.data.summaries.image_description import ImagesDescription
from treino.errors import TreinoError


@dataclass(frozen=True)
class ColumnDescription:
    """The description of a column. way: how it would become inputs: number, rank, category, date, out.

    missing, unique, outliers: counts. minimum, maximum: of numbers, or of dates as text, else None.
    correlation: with the target: signed between two numbers; else from 0 to 1 (correlation ratio, or Cramér's
    V between classes); None without one. shape: the histogram.
    """

    name: str
    kind: str
    way: str
    missing: int
    unique: int
    minimum: float | str | None
    maximum: float | str | None
    outliers: int
    correlation: float | None
    shape: NumberHistogram | WordCounts | None

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"shape": self.shape and self.shape.to_json()}


@dataclass(frozen=True)
class TargetDescription:
    """The description of the target. name: None if none is chosen. task: None if its cells allow none.

    classes: their names, and how many rows each has; empty for regression. rows_without_target: how many.
    """

    name: str | None = None
    task: str | None = None
    task_reason: str | None = None
    classes: tuple[str, ...] = ()
    class_rows: tuple[int, ...] = ()
    rows_without_target: int = 0


@dataclass(frozen=True)
class TableWarning:
    """A warning: something that training would refuse or a person should know. row: words for its place, if
    any."""

    rule: str
    message: str
    hint: str
    column: str | None = None
    row: str | None = None

    @classmethod
    def of(cls, error: TreinoError, column: str | None) -> "TableWarning":
        """The warning of an error that training would raise."""
        return cls(error.rule, error.message, error.hint, column)

    def to_json(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class TableDescription:
    """The description of a table.

    likely_targets: columns that may be the target, if none is chosen. notes: choices made in reading. images:
    if the rows are images, which count as one column.
    """

    name: str
    source: str
    rows: int
    columns: tuple[ColumnDescription, ...]
    target: TargetDescription
    likely_targets: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[TableWarning, ...]
    images: ImagesDescription | None = None

    def to_json(self) -> dict[str, Any]:
        """The document of ``treino data``."""
        return {
            "name": self.name,
            "source": self.source,
            "rows": self.rows,
            "columns": [column.to_json() for column in self.columns],
            "target": self.target.name,
            "task": self.target.task,
            "task_reason": self.target.task_reason,
            "classes": list(self.target.classes),
            "class_rows": list(self.target.class_rows),
            "rows_without_target": self.target.rows_without_target,
            "likely_targets": list(self.likely_targets),
            "notes": list(self.notes),
            "warnings": [warning.to_json() for warning in self.warnings],
            **({} if self.images is None else {"images": self.images.to_json()}),
        }
