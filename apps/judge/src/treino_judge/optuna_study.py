"""Reads a study's trials from the SQLite file in which Optuna stores it.

https://optuna.readthedocs.io/en/stable/reference/generated/optuna.storages.RDBStorage.html
"""

import json
import math
import sqlite3
from contextlib import suppress
from datetime import datetime
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import _
from treino_judge.cells import as_float, cell, is_number, numbers_in, one_of, parsed, state_of
from treino_judge.table import Cell, TrialFile, TrialRecord, few_enough

TRIALS_OLD = Refusal(
    "This study was written by an Optuna before 2.4.",
    "Bring it up to date by the command of Optuna: optuna storage upgrade",
)
SEVERAL_OBJECTIVES = Refusal(
    "The study '{name}' has {n} objectives, and so no single best trial.",
    (
        'Write it as a table, study.trials_dataframe().to_csv("trials.csv"), and judge one '
        "objective: [[score=values_0]], with [[minimize]] or [[maximize]]."
    ),
)

TABLES = {"studies", "trials", "trial_params"}
_NEEDED = {"study_directions", "trial_values", "trial_user_attributes", "trial_intermediate_values"}
_SPECIAL = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}


def optuna_trials(connection: sqlite3.Connection, tables: set[str], study: str | None) -> TrialFile:
    """Read the trials of the study with this name, or of the only one.

    Raises:
        TreinoError: several studies, or several objectives; a storage of Optuna 2.3 or older.
    """
    if not tables >= _NEEDED:
        raise TRIALS_OLD()
    studies = dict(connection.execute("SELECT study_name, study_id FROM studies ORDER BY study_id"))
    name = one_of(list(studies), study, _("study"))
    key = (studies[name],)
    directions = connection.execute(
        "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", key
    ).fetchall()
    if len(directions) > 1:
        raise SEVERAL_OBJECTIVES(name=name, n=len(directions))
    rows = connection.execute(
        "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials WHERE study_id = ?"
        " ORDER BY number",
        key,
    ).fetchall()
    few_enough(len(rows))

    def by_trial(columns: str, table: str, order: str) -> dict[Any, list[tuple[Any, ...]]]:
        found: dict[Any, list[tuple[Any, ...]]] = {}
        text = (
            f"SELECT trial_id, {columns} FROM {table}"
            f" WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?) ORDER BY {order}"
        )
        for identity, *rest in connection.execute(text, key):
            found.setdefault(identity, []).append(tuple(rest))
        return found

    typed = "value_type" in {row[1] for row in connection.execute("PRAGMA table_info(trial_values)")}
    value_of = by_trial("value, value_type" if typed else "value, NULL", "trial_values", "objective")
    params = by_trial("param_name, param_value, distribution_json", "trial_params", "param_id")
    attributes = by_trial("key, value_json", "trial_user_attributes", "trial_user_attribute_id")
    steps = by_trial("intermediate_value", "trial_intermediate_values", "step")
    metric = _metric(connection, key)
    records = []
    for identity, place, state, start, end in rows:
        lists, figures = numbers_in({n: parsed(text) for n, text in attributes.get(identity, ())})
        reported = tuple(as_float(value) for (value,) in steps.get(identity, ()))
        if len(reported) > 1:
            lists[_("reported values")] = reported
        for value, kind in value_of.get(identity, ())[:1]:
            figures[metric] = _SPECIAL.get(str(kind), as_float(value))
        settings = {n: _parameter(value, text) for n, value, text in params.get(identity, ())}
        records.append(
            TrialRecord(str(place), state_of(state), settings, figures, lists, seconds_between(start, end))
        )
    better = {"MAXIMIZE": 1, "MINIMIZE": -1}.get(str(directions[0][0])) if directions else None
    return TrialFile("optuna", name, tuple(records), metric, better)


def _metric(connection: sqlite3.Connection, key: tuple[Any, ...]) -> str:
    """The name that ``study.set_metric_names`` gave the objective; else value."""
    query = "SELECT value_json FROM study_system_attributes WHERE study_id = ? AND key = 'study:metric_names'"
    found = connection.execute(query, key).fetchone()
    names = parsed(found[0]) if found else None
    return str(names[0]) if isinstance(names, list) and names else "value"


def _parameter(value: Any, distribution: Any) -> Cell:
    """Return a parameter's value; for a categorical parameter, the choice behind its index."""
    with suppress(ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        choices = json.loads(distribution)["attributes"].get("choices")
        if choices is not None and is_number(value) and value >= 0:
            return cell(choices[int(value)])
    return cell(value)


def seconds_between(start: Any, end: Any) -> float | None:
    """Return the seconds between two ISO times; None if one is missing or the second is earlier."""
    with suppress(TypeError, ValueError):
        seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
        return seconds if seconds >= 0 else None
    return None
