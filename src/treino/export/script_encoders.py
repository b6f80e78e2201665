"""The encoders part of the exported script: a table of encoders, and the functions that they need."""

from pathlib import Path
from typing import Any

from treino.data import sources
from treino.data.dataset import Data
from treino.data.preparation import encoders
from treino.data.table import MISSING, TRUTH, Column
from treino.export.script_part import WIDTH, ScriptPart, literal
from treino.records.stored_run import StoredRun


def encoders_part(run: StoredRun, data: Data, delimiter: str, encoding: str) -> ScriptPart:
    """Flags and values of the encoders, and of how the cells of the run's table are written."""
    made = data.preparation.encoders
    columns = _columns(run, data)
    writing = " ".join(c.writing for c in columns)
    marks = sorted({word for c in columns for word in _symbols(c)})
    truth = {word.lower(): value for c in columns for word, value in _truth(c).items()}
    if not columns:  # of rows in memory nobody knows how a file of them will be written
        truth = TRUTH | {"no": 0.0, "yes": 1.0, "não": 0.0, "sim": 1.0}
    written = run.spec.data.written
    nothing = tuple(written.missing) if written and written.missing else ()
    part = ScriptPart()
    kinds = {name for name, kind in encoders.ENCODERS.items() if any(isinstance(e, kind) for e in made)}
    part.flag(
        numbers="number" in kinds, ranks="rank" in kinds, one_hot="one-hot" in kinds, truth=truth,
        hashed_columns="hashed" in kinds, dates="date" in kinds, times="time" in kinds, marks=marks,
        binned=any(e.edges for e in made),
        comma="decimal comma" in writing, gaps=nothing, levels=kinds & {"rank", "one-hot", "hashed"},
    )  # fmt: skip
    functions = ", ".join(
        f"{literal(name)}: as_{name.replace('-', '_')}" for name in encoders.ENCODERS if name in kinds
    )
    last = "(c, b, a)" if "month/day" not in writing else "(c, a, b)"
    part.values |= {
        "encoders": _table([encoders.to_json(e) for e in made]),
        "missing": literal(tuple(sorted(MISSING))),
        "gaps": literal(nothing),
        "truth_words": literal(truth),
        "marks": literal(tuple(marks)),
        "ways": functions,
        "date_order": f"(a, b, c) if a > 999 else {last}",
        "number_doc": "A number as it is written in the table; NaN for a cell without a value.",
        "encoding": literal(encoding),
        "delimiter": "" if delimiter == "," else f", delimiter={literal(delimiter)}",
        "read": "encode(read_csv(path))",
    }
    return part


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
