"""The data part of the exported script: it reads, splits and scales the run's rows."""

import io
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.files import as_portable
from treino.data import sources
from treino.data.builtins import BUILTINS
from treino.data.cell_forms import MISSING, MONTHS, TRUTH_VALUES, DateForm
from treino.data.column_program import ColumnProgram
from treino.data.dataset import Data
from treino.data.preparation.equal_rows import feature_matrix
from treino.data.preparation.interpreter import FUNCTIONS
from treino.data.preparation.preparation import Preparation
from treino.data.readers import ReaderOptions, table_files
from treino.data.readers.delimited import DelimitedFile
from treino.data.readers.reader_options import as_reading
from treino.data.readers.table_files import open_delimited_file
from treino.data.splits import first_equal
from treino.data.table import Column, Table
from treino.engine import LOSSES
from treino.engine.arguments import looks_up
from treino.folders.data_source import data_of, reading_like
from treino.folders.prediction_columns import column_names
from treino.folders.stored_run import StoredRun
from treino.reports.export.folding import copied

EXPORT_DATA_UNKNOWN = Refusal(
    "{run} was trained on {source}, which a script can't read again.",
    "Save the rows as a CSV file and train on that.",
)
EXPORT_ARCHIVE = Refusal(
    "A script reads a folder of pictures, and {source} is none.",
    "Unpack it and train on the folder; or use [[format=onnx]].",
)
EXPORT_ARRAYS = Refusal(
    "The rows of {run} are arrays with axes, which a script can't read from a table.",
    "Use [[format=pt2]]: a program that takes the arrays as forward does.",
)

# ---- script parts, and values as Python source

WIDTH = 110


@dataclass
class ScriptPart:
    """What a run's script replaces in the program: values of capital names, definitions' source, imports;
    and files beside it.
    """

    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    imports: tuple[str, ...] = ()

    def __ior__(self, other: "ScriptPart") -> "ScriptPart":
        self.values |= other.values
        self.texts |= other.texts
        self.files |= other.files
        self.imports += other.imports
        return self


def literal(value: Any) -> str:
    """Return a value's Python source, with double quotes; it evaluates to the value and runs no code.

    Raises:
        TypeError: anything but None, truth values, numbers that are finite, text, and lists, tuples and dicts
            of these.
    """
    if isinstance(value, str):
        text = repr(str(value))  # escapes unprintable characters and those that change the writing direction
        return text if '"' in text else f'"{text[1:-1]}"'
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if value is None or type(value) in (bool, int) or (type(value) is float and math.isfinite(value)):
        return repr(value)
    raise TypeError(f"{value!r} is no literal")


def words_alone(text: str) -> str:
    """Return text that can't end the comment or docstring that contains it."""
    return re.sub(r"[\\\"\s]+", " ", "".join(c for c in text if c.isprintable()))


def listing(name: str, items: Sequence[Any] | dict[Any, Any]) -> str:
    """Return the source of a list, tuple or dict as it follows ``name = ``, wrapped at the line width."""
    whole = literal(items)
    if len(name) + len(whole) + 3 <= WIDTH:
        return whole
    lines, line = [], ""
    pairs = items.items() if isinstance(items, dict) else ()
    sources = [f"{literal(k)}: {literal(v)}," for k, v in pairs] or [f"{literal(item)}," for item in items]
    for word in itertools.chain.from_iterable(map(_words, sources)):
        if line and len(line) + len(word) + 1 > WIDTH - 4:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return f"{whole[0]}\n    " + "\n    ".join([*lines, line]) + f"\n{whole[-1]}  # fmt: skip"


def _words(source: str) -> list[str]:
    """The parts of an item's source between which a line may end: of a long one of numbers all, else one."""
    return source.split(" ") if len(source) > WIDTH and '"' not in source else [source]


def definition(head: str, about: str, *lines: str) -> str:
    """Return a function's source: its signature, docstring and lines."""
    return "\n    ".join([f"def {head}:", f'"""{about[0].upper()}{about[1:]}."""', *lines])


# ---- the data part of the exported script

UNKNOWN = {"split_group", "split_time", "split_column", "fold"}
UNKNOWN |= {"kinds", "duplicates", "reading", "row_weights", "log_target"}
"""Arguments of ``load`` that no short script can reproduce."""


def features_text(names: Sequence[str]) -> str:
    """Return the source of the list of features; regular names (pixels, x1 to x20) as a comprehension."""
    side = round(len(names) ** 0.5)
    if list(names) == [f"pixel_{row}_{column}" for row in range(side) for column in range(side)]:
        return f'[f"pixel_{{row}}_{{column}}" for row in range({side}) for column in range({side})]'
    if len(names) > 8 and list(names) == [f"x{j}" for j in range(1, len(names) + 1)]:
        return f'[f"x{{j}}" for j in range(1, {len(names) + 1})]'
    return listing("FEATURES", list(names))


def source_part(run: StoredRun, data: Data) -> ScriptPart:
    """Return the part for all of the rows.

    Raises:
        TreinoError: the data is gone or changed.
    """
    prep, shape = data.preparation, run.item_shape
    table = None if prep.fit is not None else _plain_table(run, data)
    part = ScriptPart(
        {
            "CLASSES": [list(t.classes) for t in prep.targets if t.classes] or list(prep.classes),
            "TARGETS": [t.name for t in prep.targets],
            "SIZES": [len(t.classes) or 1 for t in prep.targets],
            "COLUMNS_OF": _prediction_columns(prep),
            "THRESHOLDED": run.threshold is not None,
            "THRESHOLD": run.threshold,
            "LOG_TARGET": prep.target_log,
            "LOG_OUTPUT": prep.link.kind == "exp",
            "SPREAD": prep.link.kind == "normal",
            "QUANTILES": list(prep.link.levels),
            "POINT": prep.link.point,
            "IMAGES": prep.kind == "image",
            "NORMALISE": prep.normalise,
            "ITEM": tuple(shape) if shape and len(shape) > 1 else (),
            "NUMBERED": bool(data.classes) and prep.labels == "number",
        },
        {} if prep.fit else {"FEATURES": f"FEATURES = {features_text(prep.features)}"},
    )
    if prep.clip is not None and prep.normalise:
        part.values |= {"CLIP_INPUTS": prep.clip, "NORMALISED": np.flatnonzero(prep.scaled).tolist()}
    if (prep.fit is not None or table is not None) and not prep.targets:
        part.values |= {"MEAN": list(prep.mean), "STD": list(prep.scale)} if prep.normalise else {}
        part.values["TARGET_SCALE"] = target_scale_of(data)
    if prep.fit is not None:
        return _pictures(part, run)
    if table is not None:
        return _table(part, run, data, table)
    part |= _rows_part(run, data)
    on_disk = run.spec.data.kind == "file"
    if prep.programs and (on_disk or not prep.plain):
        part |= _programs(run, data)
        part.values |= _shape_values(_shape(data)) if on_disk else {}
    return part


def _prediction_columns(prep: Preparation) -> list[list[str]]:
    """Return the names of each target's columns of predictions, if there are several targets of classes."""
    each = [t for t in prep.targets if t.classes]
    parts = [
        part
        for t in each
        for part in (("prediction", t.name), *(("probability", t.name, c) for c in t.classes))
    ]
    names = iter(column_names(parts, ["row"]))
    return [list(itertools.islice(names, 1 + len(t.classes))) for t in each]


def _plain_table(run: StoredRun, data: Data) -> Table | None:
    """Return the table that a short script can read, split and scale; None if the script needs the rows."""
    where, prep = run.spec.data, data.preparation
    if where.kind == "memory" or not prep.plain or data.file_names or prep.targets:
        return None
    if data.files or UNKNOWN & data.arguments.to_json().keys():
        return None
    if where.kind == "file":
        table = sources.read(Path(data.source))
        columns = [table.column(name) for name in (*data.features, data.target)]
        written = [
            c
            for c in columns
            if c.writing or (c.words is not None and c.numbers is not None and not c.boolean)
        ]
        dropped = any(c.missing_N.any() for c in columns)
        file = _shape(data)
        plain = file is not None and "SHAPED" not in _shape_values(file)
        if written or dropped or not plain:
            return None
    elif known := BUILTINS.get(where.name):
        table = known.read(where.name)
        if table.official_test or not (known.sklearn or known.source):
            return table if table.matrix is not None else None
    else:
        raise EXPORT_DATA_UNKNOWN(run=run.name, source=where.source)
    first_N = first_equal(feature_matrix(table, data.features))
    return table if len(np.unique(first_N)) == table.rows else None  # equal ones may be parted


def _rows_part(run: StoredRun, data: Data) -> ScriptPart:
    """Return the part for rows given in Python: a copy beside the script, split and prepared."""
    prep, file, shape = data.preparation, f"{as_portable(run.name)}_data.npz", run.item_shape
    if prep.target_shape or prep.apart or (prep.arrays and prep.normalise):
        raise EXPORT_ARRAYS(run=run.name)
    one_output = LOSSES[run.first_settings["loss"]].outputs == 1
    arrays: dict[str, NDArray[Any]] = {}
    whole = bool(prep.arrays) and looks_up(run.module)
    for split, rows in data.splits.items():
        if len(rows):
            x, y = rows.x.numpy(), rows.y.numpy()
            x = x.astype(np.int64) if whole else x
            arrays[f"x_{split}"] = x.reshape(len(x), *shape) if shape and len(shape) > 1 else x
            arrays[f"y_{split}"] = y.astype(np.float32)[:, None] if data.classes and one_output else y
            if rows.weight is not None:
                arrays[f"weight_{split}"] = rows.weight.numpy()
    if prep.normalise:
        arrays["mean"], arrays["std"] = scale_of(data)
    if data.task == "regression":
        arrays["target"] = np.array(target_scale_of(data))
    kept = io.BytesIO()
    np.savez(kept, **arrays)  # type: ignore[arg-type]
    return ScriptPart({"NPZ": file}, files={file: kept.getvalue()})


def target_scale_of(data: Data) -> tuple[Any, Any]:
    """Return mean and deviation of the target, or of each target."""
    each = [(one.target_mean, one.target_scale) for one in data.preparation.by_target]
    if len(each) == 1:
        return each[0]
    means, scales = zip(*each, strict=True)
    return means, scales


def scale_of(data: Data) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation as the script stores them: inf for a column that is constant."""
    prep = data.preparation
    mean, scale = np.array(prep.mean), np.array(prep.scale)
    return mean, np.where(scale == 0, np.inf, scale)


def _table(part: ScriptPart, run: StoredRun, data: Data, table: Table) -> ScriptPart:
    """Return the part for rows that the script itself reads (scikit-learn, IDX or CSV), splits and scales."""
    part |= _csv(run, data, table) if run.spec.data.kind == "file" else _builtin(data, table)
    if table.official_test:
        part.values["OWN_ROWS"] = table.rows - table.official_test
    return part


def _builtin(data: Data, table: Table) -> ScriptPart:
    names, known = tuple(n for n in table.names if n != table.target), BUILTINS[data.name]
    part = ScriptPart()
    if data.features != names:
        part.values["COLUMNS"] = [names.index(n) for n in data.features]
    if table.matrix is not None:
        part.values["IDX"] = data.name
        return part
    call = known.sklearn or (f"{known.source.__name__}()" if known.source else "")
    before = "\n\n\n".join([*copied([known.source] if known.source else []).values(), ""])
    what = "class number" if data.classes else "number to predict"
    if known.sklearn:
        part.imports = (f"from sklearn.datasets import {call.partition('(')[0]}",)
    part.texts["load"] = (
        f'{before}def load():\n    """raw [N, D] in the data\'s own units, and each row\'s {what}."""\n'
        f"    return {call}"
    )
    return part


def _csv(run: StoredRun, data: Data, table: Table) -> ScriptPart:
    where, column = run.spec.data, table.column(data.target)
    names = data.features if data.classes else (*data.features, data.target)
    truths = [name for name in names if table.column(name).boolean]
    path = literal(Path(where.source).as_posix())
    return ScriptPart(
        {
            "READS_TABLE": True,
            "TARGET": data.target,
            "SHA256": where.sha256,
            "BOOLEAN": column.boolean,
            "TRUTHS": truths,
            "TRUTH": TRUTH_VALUES if truths else {},
            **_shape_values(_shape(data)),
        },
        {"DATA": f"DATA = Path(__file__).resolve().parent.parent / {path}"},
    )


def _pictures(part: ScriptPart, run: StoredRun) -> ScriptPart:
    """Return the part for a folder of pictures: the script reads it, by a list of each split's files."""
    data = data_of(run.folder, run.access.data_file)  # all rows, also those that aren't in memory
    prep, where = data.preparation, run.spec.data
    if not Path(data.source).is_dir():
        raise EXPORT_ARCHIVE(source=where.source)
    listed: dict[str, dict[str, str | float]] = {}
    for split, rows in data.splits.items():
        y = rows.y.flatten().double()
        targets: list[Any] = prep.values(y).tolist()
        if data.classes:
            targets = [data.classes[int(c)] for c in y.tolist()]
        files = [data.file_names[i] for i in rows.index.tolist()]
        if files:
            listed[split] = dict(zip(files, targets, strict=True))
    name = f"{as_portable(run.name)}_files.json"
    part.files[name] = json.dumps(listed, ensure_ascii=False, indent=0).encode()
    part.values |= {
        "FILES": name,
        "SHAPE": prep.picture_shape,
        "CROPS": prep.fit == "crop",
        "PADS": prep.fit == "pad",
    }
    path = literal(Path(where.source).as_posix())
    part.texts["FOLDER"] = f"FOLDER = Path(__file__).resolve().parent.parent / {path}  # of the pictures"
    return part


def _shape(data: Data) -> DelimitedFile | None:
    """Return the data's file; None if it is no text file with a header that csv reads alone."""
    file = open_delimited_file(
        Path(data.source), as_reading(data.arguments.to_json().get("reading")) or ReaderOptions()
    )
    return file if file is not None and file.dialect.head and file.tidy else None


def _shape_values(file: DelimitedFile | None) -> dict[str, Any]:
    """Return how the table's file is split into cells, and which lines below its header are not rows."""
    if file is None:
        return {}
    dialect, values = file.dialect, {"DELIMITER": file.dialect.delimiter, "ENCODING": file.text.codec}
    values["ENCODING"] = "utf-8-sig" if file.text.codec == "utf-8" else file.text.codec
    if not dialect.remarks and dialect.quote == '"':
        return values
    records = itertools.islice(file.records(), 1, dialect.head)
    labels = [[cell.strip() for cell in cells] for cells in records]
    return values | {"SHAPED": True, "QUOTE": dialect.quote or "\0", "LABELS": labels}


# ---- columns' programs

LONG = 1000  # characters of a column's table, from which on it goes into a file beside the script
LONG_TABLES = """\
# long tables of columns, such as known classes and target means
TABLES = json.loads(Path(__file__).with_name({file}).read_text("utf-8"))
for one in PROGRAMS:
    for step, table in zip(one["steps"], TABLES.get(one["column"], []), strict=False):
        step.update(table)"""


def _programs(run: StoredRun, data: Data) -> ScriptPart:
    """Return the part for the columns' programs, and for how the table's cells are written."""
    made = data.preparation.programs
    columns, forms = _columns(run, data)
    writing = " ".join(c.writing for c in columns)
    truths = [c.name for c in columns if c.boolean]
    truths = truths or [program.column for program in made if program.truth]
    written = run.spec.data.written
    used = {step.do for program in made for step in program.steps}
    functions = [f"    {literal(do)}: {each.__name__}," for do, each in FUNCTIONS.items() if do in used]
    grouped = {c.name for c in columns} & set(written.grouped if written else ())
    rows = [
        {"column": p.column, "steps": [*map(dict, p.plain_steps)], "shown": p.shown}
        | _date_reading(p, forms)
        | ({"grouped": True} if p.column in grouped else {})
        for p in made
    ]
    long = {row["column"]: tables for row in rows if any(tables := [*map(_long_tables, row["steps"])])}
    name = f"{as_portable(run.name)}_columns.json"
    listed, files = f"PROGRAMS = {_lines(rows)}", dict[str, bytes]()
    if long:
        listed = f"{listed}\n{LONG_TABLES.format(file=literal(name))}"
        files[name] = json.dumps(long, ensure_ascii=False, indent=0).encode()
    return ScriptPart(
        {
            "PROGRAMS": rows,
            "MISSING": tuple(sorted(MISSING)),
            "GAPS": tuple(written.missing) if written and written.missing else (),
            "TRUTHS": truths,
            "TRUTH": TRUTH_VALUES if truths else {},
            "MARKS": tuple(sorted({word for c in columns for word in _symbols(c)}, key=len, reverse=True)),
            "COMMA": "decimal comma" in writing,
            "MONTHS": MONTHS,
            "TREES": [tree.parts for tree in data.preparation.trees],
            "TREE_ANSWERS": data.preparation.answers,
        },
        {
            "PROGRAMS": listed,
            "OPERATIONS": "\n".join(["OPERATIONS = {", *functions, "}"]),
        },
        files,
    )


def _long_tables(step: dict[str, Any]) -> dict[str, Any]:
    """Take the long values out of a step, and return them."""
    long = [name for name, value in step.items() if len(literal(value)) > LONG]
    return {name: step.pop(name) for name in long}


def _columns(run: StoredRun, data: Data) -> tuple[list[Column], dict[str, tuple[DateForm, str]]]:
    """Return the feature columns of the run's file, and the form and order of its dates, to see how cells are
    written; none for rows in memory."""
    if run.spec.data.kind != "file":
        return [], {}
    table, types = table_files.read_table(data.source, reading_like(run.spec.data), 1)
    forms = {n: (one.form, one.order) for n, one in types.decisions.items() if one.form is not None}
    return [table.column(name) for name in data.features], forms


def _date_reading(program: ColumnProgram, forms: Mapping[str, tuple[DateForm, str]]) -> dict[str, Any]:
    """Return how the script reads a column's dates or times; as 2024-12-31 10:00:00 if they weren't text."""
    if program.measure != "seconds":
        return {}
    usual = DateForm("time") if program.clock else DateForm("year first", "-", (True, False, False))
    form, order = forms.get(program.column, (usual, "ymd"))
    short = form.order.startswith("short")
    return {"pattern": form.pattern, "order": "" if program.clock else order, "short": short}


def _symbols(column: Column) -> list[str]:
    """Return the symbols around the numbers of a column."""
    if not column.writing or column.numbers is None:
        return []
    symbols = ["%"] if "percent" in column.writing else []
    if "money " in column.writing:
        symbols.append(column.currency)
    if "unit " in column.writing:
        symbols.append(column.writing.partition("unit ")[2].split(",")[0])
    return [*symbols, " ", "\u00a0", "\u202f", "\u2009", "'", "’"]


def _lines(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        line = f"    {literal(row)},"
        lines.append(line if len(line) <= WIDTH else line + "  # noqa: E501")
    return "[\n" + "\n".join(lines) + "\n]  # fmt: skip"
