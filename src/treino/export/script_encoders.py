"""The encoders of the exported script, as a table, and how its cells are written."""

from pathlib import Path
from typing import Any

from treino.data import sources
from treino.data.dataset import Data
from treino.data.preparation import encoders
from treino.data.table import MISSING, TRUTH, Column
from treino.export.script_part import WIDTH, ScriptPart, literal
from treino.records.stored_run import StoredRun


def encoders_part(run: StoredRun, data: Data) -> ScriptPart:
    """The encoders, and how the cells of the run's table are written."""
    made = data.preparation.encoders
    columns = _columns(run, data)
    writing = " ".join(c.writing for c in columns)
    truth = {word.lower(): value for c in columns for word, value in _truth(c).items()}
    if not columns:  # of rows in memory nobody knows how a file of them will be written
        truth = TRUTH | {"no": 0.0, "yes": 1.0, "não": 0.0, "sim": 1.0}
    written = run.spec.data.written
    kinds = [name for name, kind in encoders.ENCODERS.items() if any(isinstance(e, kind) for e in made)]
    functions = [f"    {literal(name)}: as_{name.replace('-', '_')}," for name in kinds]
    rows = [encoders.to_json(e) for e in made]
    return ScriptPart(
        {
            "ENCODERS": rows,
            "MISSING": tuple(sorted(MISSING)),
            "GAPS": tuple(written.missing) if written and written.missing else (),
            "TRUTH": truth,
            "MARKS": tuple(sorted({word for c in columns for word in _symbols(c)})),
            "COMMA": "decimal comma" in writing,
            "MONTH_FIRST": "month/day" in writing,
        },
        {
            "ENCODERS": f"ENCODERS = {_table(rows)}",
            "ENCODE": "\n".join(["ENCODE = {", *functions, "}"]),
        },
    )


def _columns(run: StoredRun, data: Data) -> list[Column]:
    """The features' columns of the run's file, for how they are written; none of rows that were in memory."""
    if run.spec.data.kind != "file":
        return []
    table = sources.read(Path(data.source))
    return [table.column(name) for name in data.features]


def _symbols(column: Column) -> list[str]:
    """What stands around the numbers of a column."""
    if not column.writing or column.numbers is None:
        return []
    symbols = ["%"] if "percent" in column.writing else []
    if "money " in column.writing:
        symbols.append(column.writing.partition("money ")[2].split(",")[0])
    if "commas between" in column.writing:
        symbols.append(",")
    return [*symbols, " ", "\u00a0", "\u202f", "'"]


def _truth(column: Column) -> dict[str, float]:
    if not column.boolean or column.words is None or column.numbers is None:
        return {}
    return {str(w): float(v) for w, v in zip(column.words, column.numbers, strict=True) if w}


def _table(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        line = f"    {literal(row)},"
        lines.append(line if len(line) <= WIDTH else line + "  # noqa: E501")
    return "[\n" + "\n".join(lines) + "\n]  # fmt: skip"
