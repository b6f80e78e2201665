"""Reads trials from tables: exports of W&B, MLflow, Optuna, Ray and scikit-learn, and any other table.

A tool's table is recognised by the names of its columns. In any other table, only the cells are known:
the command says which column is what.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data import Column, InputFile, Table, decide, open_file, read_file
from treino_judge.cells import (
    STATE_WORDS,
    as_float,
    cell,
    flat,
    is_number,
    number_or_word,
    numbers_in,
    parsed,
    seconds_or_none,
    state_of,
)
from treino_judge.optuna_study import seconds_between
from treino_judge.ray_folder import OF_RAY
from treino_judge.table import TITLES, TRIALS_NONE, Cell, State, TrialFile, TrialRecord, Unit

TRIALS_LARGE = Refusal(
    "'{path}' has {size:,} MiB, and at most {most:,} MiB are read.",
    "Export one line for each trial, without the curves.",
)
JSON_BROKEN = Refusal("'{path}' is no JSON: {reason}.", "Export it again, or restore it from a copy.")
JSON_FORM = Refusal(
    "'{path}' is JSON, but neither a list of trials nor columns of equal length.",
    "Write it with pandas: to_json(path, orient='records').",
    rule="trials_unknown",
)
LARGEST = 1 << 29  # maximum size of a file in bytes
_SPLIT = re.compile(r"split\d+_test_(.+)")
_OF_WANDB = frozenset(
    """
    Name,State,Notes,User,Username,Tags,Created,Updated,Runtime,Sweep,ID,Hostname,Host,Description,Commit,
    GitHub,GPU Count,GPU Type,Job Type,Group,Start Time,End Time,Relative Runtime
    """.replace("\n", "")
    .replace("    ", "")
    .split(",")
)
_SECONDS = "seconds", "duration_seconds", "runtime_seconds", "time_total_s"

Line = Mapping[str, Any]


def read_table(path: Path) -> TrialFile:
    """Read the trials in a table: any that a training reads, such as CSV, or JSON.

    Raises:
        TreinoError: the file is too large, damaged, or no table.
    """
    file = open_file(path)
    if file.size > LARGEST:
        raise TRIALS_LARGE(path=path, size=file.size >> 20, most=LARGEST >> 20)
    start = file.head(1 << 12).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    is_json = file.content == "text" and start in (b"{", b"[")
    lines = _json_lines(file) if is_json else _lines_of(read_file(path, least_columns=1))
    if not lines:
        raise TRIALS_NONE()
    return trials_in(lines, path.name.partition(".")[0])


def trials_in(lines: Sequence[Line], name: str) -> TrialFile:
    """Read the trials in a table's lines, in the format of the tool that the columns' names indicate."""
    names = list(dict.fromkeys(n for line in lines for n in line))
    if any(n.startswith("mean_test_") for n in names):
        return _of_sklearn(lines, names, name)
    if {"number", "state"} <= set(names) and any(n.startswith(("value", "params_")) for n in names):
        return _of_optuna(lines, name)
    if "run_id" in names and any(n.startswith("metrics.") for n in names):
        return _of_mlflow(lines, name)
    if {"config", "summary"} <= set(names) or (_prefixed(names, "config.") and _prefixed(names, "summary.")):
        return _of_wandb(lines, name)
    if {"Name", "State"} <= set(names) and len(_OF_WANDB & set(names)) > 2:
        return _of_wandb_page(lines, name)
    if "trial_id" in names and _prefixed(names, "config/"):
        return _of_ray(lines, name)
    return _of_any(lines, names, name)


def _prefixed(names: Sequence[str], start: str) -> bool:
    return any(name.startswith(start) for name in names)


def _below(line: Line, start: str) -> dict[str, Any]:
    """Return the cells whose names have this prefix, by their names without it."""
    return {name[len(start) :]: value for name, value in line.items() if name.startswith(start)}


def _cells(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: cell(value) for name, value in values.items()}


# ---- the tables of tools


def _of_sklearn(lines: Sequence[Line], names: Sequence[str], name: str) -> TrialFile:
    """Read ``cv_results_`` of a search: https://scikit-learn.org/stable/modules/grid_search.html"""
    metrics = [n for n in names if n.startswith("mean_test_")]
    most = max((as_float(line.get("n_resources", 0)) for line in lines), default=0)
    records = []
    for number, line in enumerate(lines):
        params = _below(line, "param_")
        if not params and isinstance(told := _taken_apart(line.get("params")), Mapping):
            params = dict(told)
        lists: dict[str, tuple[float, ...]] = {}
        for column, value in line.items():
            if (found := _SPLIT.fullmatch(column)) and is_number(value):
                lists[found[1]] = (*lists.get(found[1], ()), as_float(value))
        figures = {n: as_float(line[n]) for n in metrics if is_number(line.get(n))}
        each = [as_float(line.get(n)) for n in ("mean_fit_time", "mean_score_time")]
        seconds = sum(each) * max(map(len, lists.values()), default=1)
        state: State = "finished" if any(v == v for v in figures.values()) else "failed"
        if as_float(line.get("n_resources", 0)) < most:
            state = "pruned"
        shown = {n: v for n, v in params.items() if v is not None}
        records.append(
            TrialRecord(
                str(number), state, _cells(shown), figures, lists, seconds if seconds == seconds else None
            )
        )
    parts: dict[str, tuple[str, Unit]] = {
        metric: (of, "fold")
        for metric in metrics
        if any(len(r.lists.get(of := metric.removeprefix("mean_test_"), ())) > 1 for r in records)
    }
    return TrialFile(
        "sklearn", name, tuple(records), metrics[0] if len(metrics) == 1 else None, better=1, in_lists=parts
    )


def _of_optuna(lines: Sequence[Line], name: str) -> TrialFile:
    """Read the table of Optuna's ``trials_dataframe()``."""
    records = []
    for line in sorted(lines, key=lambda line: as_float(line.get("number"))):
        attributes = {n: _taken_apart(v) for n, v in _below(line, "user_attrs_").items()}
        lists, figures = numbers_in(attributes)
        figures |= {n: as_float(v) for n, v in line.items() if n.startswith("value") and is_number(v)}
        seconds = seconds_between(line.get("datetime_start"), line.get("datetime_complete"))
        settings = {n: v for n, v in _below(line, "params_").items() if v is not None}
        number = cell(line.get("number"))
        shown = f"{number:g}" if isinstance(number, float) else str(number)
        records.append(
            TrialRecord(shown, state_of(line.get("state")), _cells(settings), figures, lists, seconds)
        )
    score = "value" if any("value" in record.figures for record in records) else None
    return TrialFile("optuna", name, tuple(records), score)


def _of_mlflow(lines: Sequence[Line], name: str) -> TrialFile:
    """Read what ``mlflow.search_runs()`` returns, where the newest run stands first."""
    parents = {str(line.get("tags.mlflow.parentRunId")) for line in lines}
    ordered = sorted(enumerate(lines), key=lambda at: (str(at[1].get("start_time") or ""), -at[0]))
    records = [
        TrialRecord(
            str(line.get("tags.mlflow.runName") or line.get("run_id")),
            state_of(line.get("status")),
            _cells({n: v for n, v in _below(line, "params.").items() if v is not None}),
            numbers_in(_below(line, "metrics."))[1],
            seconds=seconds_between(line.get("start_time"), line.get("end_time")),
        )
        for _place, line in ordered
        if str(line.get("run_id")) not in parents
    ]
    notes = []
    if left := len(lines) - len(records):
        notes.append(_("{n:,} runs are the parents of others, and no trials.").format(n=left))
    return TrialFile("mlflow", name, tuple(records), notes=tuple(notes))


def _of_wandb(lines: Sequence[Line], name: str) -> TrialFile:
    """Runs of W&B by its public API, with ``config`` and ``summary``: https://docs.wandb.ai/guides/track/public-api-guide"""
    records = []
    for number, line in enumerate(_by_time(lines, "created_at", "createdAt")):
        parts = {n: _taken_apart(line.get(n)) for n in ("config", "summary")}
        of = {
            n: flat(part) if isinstance(part, Mapping) else _below(line, f"{n}.") for n, part in parts.items()
        }
        lists, figures = numbers_in({n: v for n, v in of["summary"].items() if n[:1] != "_"})
        seconds = of["summary"].get("_wandb.runtime", of["summary"].get("_runtime"))
        settings = {
            n.removesuffix(".value"): v for n, v in of["config"].items() if n[:1] != "_" and v is not None
        }
        state = state_of(line["state"]) if line.get("state") is not None else "finished"
        run, took = str(line.get("name", number)), seconds_or_none(seconds)
        records.append(TrialRecord(run, state, _cells(settings), figures, lists, took))
    return TrialFile("wandb", name, tuple(records))


def _of_wandb_page(lines: Sequence[Line], name: str) -> TrialFile:
    """Read the table that W&B's page exports; nothing in it tells settings from results."""
    records = []
    for line in _by_time(lines, "Created"):
        cells = {n: v for n, v in line.items() if n not in _OF_WANDB and n[:1] != "_"}
        state, figures, took = state_of(line.get("State")), numbers_in(cells)[1], line.get("Runtime")
        more: dict[str, Any] = {"seconds": seconds_or_none(took), "cells": _cells(cells)}
        records.append(TrialRecord(str(line.get("Name")), state, {}, figures, **more))
    return TrialFile("wandb", name, tuple(records))


def _of_ray(lines: Sequence[Line], name: str) -> TrialFile:
    """Read what ``ResultGrid.get_dataframe()`` of Ray Tune returns."""
    records = []
    for line in sorted(lines, key=lambda line: str(line.get("trial_id"))):
        figures = {
            n: as_float(v)
            for n, v in line.items()
            if is_number(v) and n not in OF_RAY and not n.startswith("config/")
        }
        settings, took = _cells(_below(line, "config/")), seconds_or_none(line.get("time_total_s"))
        records.append(TrialRecord(str(line.get("trial_id")), "finished", settings, figures, {}, took))
    return TrialFile("ray", name, tuple(records))


def _of_any(lines: Sequence[Line], names: Sequence[str], name: str) -> TrialFile:
    """Read any other table. A column named state or status is used if it holds known states alone."""
    notes: list[str] = []
    state = None
    for n in ("state", "status"):
        words = {str(line[n]): None for line in lines if line.get(n) is not None}
        other = next((word for word in words if word.lower() not in STATE_WORDS), None)
        if other is not None:
            text = _("The column {name} isn't used: '{word}' is no known state. All rows count as finished.")
            notes.append(text.format(name=n, word=other[:40]))
        elif words and state is None:
            state = n
    title = next(
        (n for n in TITLES if n in names and len({str(line.get(n)) for line in lines}) == len(lines)), None
    )
    took = next((n for n in _SECONDS if n in names), None)
    known = {state, title}
    records = []
    for number, line in enumerate(lines):
        cells = {n: v for n, v in line.items() if n not in known}
        lists, figures = numbers_in({n: _taken_apart(v) for n, v in cells.items()})
        shown = cell(line.get(title)) if title is not None else float(number)
        records.append(
            TrialRecord(
                f"{shown:g}" if isinstance(shown, float) else str(shown),
                "finished" if state is None else state_of(line.get(state)),
                {},
                figures,
                lists,
                seconds_or_none(line.get(took)) if took is not None else None,
                _cells(cells),
            )
        )
    return TrialFile("table", name, tuple(records), notes=() if state is not None else tuple(notes))


def _by_time(lines: Sequence[Line], *columns: str) -> list[Line]:
    """Sort the lines by the time in one of these columns, if each line has one."""
    for column in columns:
        times = []
        for line in lines:
            try:
                times.append(datetime.fromisoformat(str(line.get(column))))
            except ValueError:
                break
        if len(times) == len(lines) and len({time.tzinfo is None for time in times}) == 1:
            return [line for _time, line in sorted(zip(times, lines, strict=True), key=lambda at: at[0])]
    return list(lines)


def _taken_apart(value: Any) -> Any:
    """Return the list or object that a text holds; any other value unchanged."""
    if isinstance(value, str) and value[:1] in ("[", "{", "("):
        found = parsed(value)
        return value if found is None else found
    return value


# ---- lines of a table


def _lines_of(table: Table) -> list[dict[str, Cell]]:
    columns = {column.name: _cells_of(column) for column in table.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cells_of(column: Column) -> list[Cell]:
    """List a column's cells as numbers, words or truth values; None for a missing cell."""
    cells: list[Cell]
    if column.boolean and column.numbers is not None:
        cells = [value > 0 for value in column.numbers.tolist()]
    elif column.numbers is not None:
        cells = column.numbers.tolist()
    else:
        cells = [number_or_word(word) for word in (() if column.words is None else column.words)]
    return [None if gone else cell for gone, cell in zip(column.missing_N, cells, strict=True)]


# ---- lines of JSON


def _json_lines(file: InputFile) -> list[dict[str, Any]]:
    """Read the rows of a JSON file: a list of objects, an object of columns, or one object to a line."""
    text = b"".join(decide(file, None).chunks()).decode("utf-8-sig")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = [_object(line) for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and all(line is not None for line in lines):
            return [flat_line(line) for line in lines if line is not None]
        raise JSON_BROKEN(path=file.path, reason=str(error)[:100]) from None
    rows = _rows(value)
    if rows is None:
        raise JSON_FORM(path=file.path)
    return [flat_line(row) for row in rows]


def flat_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Name the values of a row's nested objects by path, except W&B's settings and summary."""
    own = ("config", "summary", "params")
    return {n: v for n, v in line.items() if n in own} | flat({n: v for n, v in line.items() if n not in own})


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _rows(value: Any) -> list[dict[str, Any]] | None:
    """Return the rows of a list of objects, or of columns: lists, or values by row number."""
    if isinstance(value, dict) and value:
        columns = [dict(enumerate(c)) if isinstance(c, list) else c for c in value.values()]
        if not all(isinstance(column, dict) for column in columns):
            return None
        places = dict.fromkeys(place for column in columns for place in column)
        return [{n: c.get(place) for n, c in zip(value, columns, strict=True)} for place in places]
    return value if isinstance(value, list) and all(isinstance(row, dict) for row in value) else None
