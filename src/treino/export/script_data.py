"""The data part of the exported script: how it reads, splits and scales the run's rows."""

import csv
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.data import sources
from treino.data.builtins.registry import BUILTINS
from treino.data.dataset import Data
from treino.data.preparation.fit import feature_matrix
from treino.data.roles.target import encode
from treino.data.splits import first_equal
from treino.data.table import Table
from treino.errors import TreinoError
from treino.export.script_encoders import encoders_part
from treino.export.script_part import ScriptPart, listing, literal
from treino.records.stored_run import StoredRun
from treino.words import _

UNKNOWN = {
    "kinds", "split_group", "split_time", "split_column", "fold", "duplicates", "reading",
}  # fmt: skip
"""Arguments of ``load`` that no short script can repeat."""


def features_text(names: Sequence[str]) -> str:
    """The list of features; what follows a rule (pixels, x1 to x20) as the rule."""
    side = round(len(names) ** 0.5)
    if list(names) == [f"pixel_{row}_{column}" for row in range(side) for column in range(side)]:
        return f'[f"pixel_{{row}}_{{column}}" for row in range({side}) for column in range({side})]'
    if len(names) > 8 and list(names) == [f"x{j}" for j in range(1, len(names) + 1)]:
        return f'[f"x{{j}}" for j in range(1, {len(names) + 1})]'
    return listing("FEATURES", names)


def source_part(run: StoredRun, data: Data) -> ScriptPart:
    """Everything about the rows.

    Raises:
        TreinoError: the data is gone or changed.
    """
    prep, part = data.preparation, ScriptPart()
    image, regression = prep.kind == "image", data.task == "regression"
    table = _plain_table(run, data)
    memory, on_disk = table is None, run.spec.data.kind == "file"
    encoded = bool(prep.encoders) and memory and (on_disk or not prep.plain)
    part.flag(
        classes=not regression, image=image, memory=memory, normalise=prep.normalise and not memory,
        fits=(prep.normalise or regression) and not memory, constant=0.0 in prep.scale, encoded=encoded,
    )  # fmt: skip
    threshold = run.result.threshold if run.result is not None else None
    part.flag(threshold=threshold is not None)
    if threshold is not None:
        part.values["threshold"] = literal(threshold.value)
    one = "its class number for each row" if not regression else "the number to predict for each row"
    values = "torch.as_tensor(raw).double() / 255" if image else "torch.as_tensor(raw)"
    scaled = f"(({values} - mean) / std)" if prep.normalise else f"({values})" if image else values
    if prep.clip is not None and prep.normalise:
        scaled = f"clipped{scaled}"
        part.flag(clipped=True)
        part.values |= {
            "clip_inputs": literal(prep.clip),
            "normalised": listing("NORMALISED", np.flatnonzero(prep.scaled).tolist()),
        }
    shape = run.item_shape
    shaped = f".reshape({', '.join(map(str, (-1, *shape)))})" if shape and len(shape) > 1 else ""
    how = "mean 0 and deviation 1 on the training rows" if prep.normalise else "as they are"
    part.values |= {
        "features": features_text(prep.features),
        "classes": listing("CLASSES", prep.classes),
        "y_is": one,
        "y_name": "target" if regression else "label",
        "prepare_args": "raw, mean, std" if prep.normalise else "raw",
        "prepared": f"{_shape(shape)} float32, {how}",
        "scaled": scaled,
        "read": "read_csv(path)",
        "shaped": shaped,
        "delimiter": "",
        "load_call": "load()",
        "load_lines": "",
        "columns": "",
        "value": "float",
    }
    if table is None:
        part |= _rows_part(run, data)
        if encoded:
            part |= encoders_part(run, data, *_dialect(Path(data.source), data))
    else:
        part |= _table(run, data, table)
    return part


def _plain_table(run: StoredRun, data: Data) -> Table | None:
    """The table that a short script can read, split and scale again; None: it is given the rows."""
    where, prep = run.spec.data, data.preparation
    if where.kind == "memory" or not prep.plain:
        return None
    if data.files or UNKNOWN & set(data.arguments):
        return None
    if where.kind == "file":
        table = sources.read(Path(data.source))
        columns = [table.column(name) for name in (*data.features, data.target)]
        written = [
            c
            for c in columns
            if c.writing or (c.words is not None and c.numbers is not None and not c.boolean)
        ]
        truth = {w for c in columns if c.boolean and c.words is not None for w in set(c.words.tolist())}
        dropped = any(c.missing_N.any() for c in columns)
        if written or dropped or not truth <= {"true", "false"} or not _delimiter(Path(data.source), data):
            return None
        return table
    if known := BUILTINS.get(where.name):
        table = known.read(where.name)
        return table if known.sklearn or known.lines or table.matrix is not None else None
    raise TreinoError(
        "export_data_unknown",
        _("{run} was trained on {source}, which a script can't read again.").format(
            run=run.name, source=where.source
        ),
        _("Save the rows as a CSV file and train on that."),
    )


def _shape(shape: Sequence[int] | None) -> str:
    return f"[N, {', '.join(map(str, shape))}]" if shape and len(shape) > 1 else "[N, D]"


def _rows_part(run: StoredRun, data: Data) -> ScriptPart:
    """Rows that were given in Python: a copy beside the script, split and prepared."""
    prep, file = data.preparation, f"{run.name}_data.npz"
    arrays: dict[str, NDArray[Any]] = {
        f"{axis}_{split}": getattr(rows, axis).numpy()
        for split, rows in data.splits.items()
        for axis in ("x", "y")
        if len(rows)
    }
    if prep.normalise:
        mean, std = scale_of(data)
        arrays |= {"mean": mean, "std": std}
    if data.task == "regression":
        arrays["target"] = np.array([prep.target_mean, prep.target_scale])
    kept = io.BytesIO()
    np.savez(kept, **arrays)  # type: ignore[arg-type]
    return ScriptPart(values={"npz": literal(file)}, files={file: kept.getvalue()})


def scale_of(data: Data) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation as the script keeps them: infinite for a column that never changed."""
    prep = data.preparation
    mean, scale = np.array(prep.mean), np.array(prep.scale)
    if prep.kind == "image":
        mean, scale = mean[0], scale[0]
    return mean, np.where(scale == 0, np.inf, scale)


def _table(run: StoredRun, data: Data, table: Table) -> ScriptPart:
    """Rows that the script reads again, from scikit-learn, IDX files or a CSV file, splits and scales."""
    part, s, prep = ScriptPart(), run.settings, data.preparation
    part |= _csv(run, data, table) if run.spec.data.kind == "file" else _builtin(data, table)
    raw_ND = feature_matrix(table, prep.features)
    own = table.rows - table.official_test
    first_N = first_equal(raw_ND)
    leaked = table.official_test > 0 and bool(np.isin(first_N[:own], first_N[own:]).any())
    first_N = first_N[:own]
    repeats = bool((first_N != np.arange(own)).any())
    label_N = np.zeros(own, dtype=np.int64)
    if data.classes:
        label_N = encode(table.column(data.target), data.classes, table.place)[:own]
    shares = (s["validation"], 0.0 if table.official_test else s["test"])
    part.flag(
        repeats=repeats, leaked=leaked, official=table.official_test > 0, shares=not table.official_test,
        scarce=_scarce(first_N, label_N, shares),
    )  # fmt: skip
    args = ", ".join(
        [*(["raw"] if repeats or not data.classes else []), *(["label"] if data.classes else [])]
    )
    call = args.replace("raw", f"raw[:{own}]").replace("label", f"label[:{own}]")
    part.values |= {
        "validation": literal(s["validation"]),
        "test": literal(s["test"]),
        "share_list": "1 - VALIDATION, VALIDATION, 0.0"
        if table.official_test
        else "1 - VALIDATION - TEST, VALIDATION, TEST",
        "at_least_one": ", each at least one" if "scarce" in part.flags else "",
        "split_args": args,
        "split_call": args,
        "split_first": "label" if data.classes else "raw",
        "divided": ": each class is divided by itself" if data.classes else "",
        "positive": "raw" if raw_ND.dtype == np.uint8 else "raw + 0.0",
        "own_rows": literal(own),
        "official_split": f"train, validation, _ = split({call})\n    test = np.arange({own}, len(raw))",
    }
    return part


def _scarce(first_N: NDArray[np.int64], label_N: NDArray[np.int64], shares: tuple[float, float]) -> bool:
    """Whether some class has so few different rows that a split might get none by its share alone."""
    rank_C = np.bincount(label_N).argsort(kind="stable").argsort()
    group_N = np.full(len(first_N), len(rank_C))
    np.minimum.at(group_N, first_N, rank_C[label_N])
    sizes = np.bincount(group_N[first_N == np.arange(len(first_N))], minlength=len(rank_C))
    least = min(share for share in (1 - sum(shares), *shares) if share > 0)
    return bool(sizes.min() * least < 1)


def _builtin(data: Data, table: Table) -> ScriptPart:
    name, known = data.name, BUILTINS[data.name]
    all_names = tuple(n for n in table.names if n != table.target)
    part = ScriptPart(values={"data_name": literal(name)})
    part.flag(
        generated=bool(known.lines), idx=table.matrix is not None, loads=not known.sklearn,
        subset=data.features != all_names,
    )  # fmt: skip
    part.values["load_call"] = known.sklearn or "load()"
    part.values["load_lines"] = textwrap.indent(known.lines.strip(), "    ").lstrip()
    part.values["columns"] = listing("COLUMNS", [all_names.index(n) for n in data.features])
    return part


def _csv(run: StoredRun, data: Data, table: Table) -> ScriptPart:
    where = run.spec.data
    column = table.column(data.target)
    part = ScriptPart()
    truth = any(table.column(n).boolean for n in data.features) or (column.boolean and not data.classes)
    part.flag(
        csv=True, loads=True, numbered=bool(data.classes) and data.preparation.labels == "number", truth=truth
    )
    mark = _delimiter(Path(data.source), data)
    part.values |= {
        "target": literal(data.target),
        "source": literal(Path(where.source).as_posix()),
        "sha256": literal(where.sha256),
        "delimiter": "" if mark == "," else f", delimiter={literal(mark)}",
        "value": "value" if truth else "float",
        "lower": ".lower()" if column.boolean else "",
        "read": "features_of(read_csv(path))",
    }
    return part


def _dialect(path: Path, data: Data) -> tuple[str, str]:
    """(what separates the cells, the encoding) of the table; as is usual where it is no text."""
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        if mark := _delimiter(path, data, encoding):
            return mark, encoding
    return ",", "utf-8-sig"


def _delimiter(path: Path, data: Data, encoding: str = "utf-8-sig") -> str | None:
    """What separates the cells: that by which the header has the names; None for what is no such file."""
    names = {*data.features, data.target}
    for mark in ",;\t|":
        try:
            with path.open(newline="", encoding=encoding) as file:
                file.read()  # all of it has to be of this encoding
                file.seek(0)
                header = next((cells for cells in csv.reader(file, delimiter=mark) if cells), [])
        except (OSError, UnicodeError, csv.Error):
            return None
        if names <= {name.strip() for name in header}:
            return mark
    return None
