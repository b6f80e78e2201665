"""Reads an experiment's trials from Ray Tune's folder: ``params.json`` and ``result.json`` of each.

https://docs.ray.io/en/latest/tune/tutorials/tune-output.html. Its pickles are not read.
"""

import json
from pathlib import Path
from typing import Any

from treino.errors import TreinoError
from treino.trials.cells import cell, flat, numbers_in, parsed, seconds_or_none, state_of
from treino.trials.folder_files import PlainFolder
from treino.trials.table import State, TrialFile, TrialRecord, few_enough
from treino.words import _

RESULTS, PARAMETERS, STATE = "result.json", "params.json", "experiment_state-"
OF_RAY = frozenset(
    """
    timestamp training_iteration time_this_iter_s time_total_s pid time_since_restore
    iterations_since_restore timesteps_total episodes_total timesteps_since_restore warmup_time
    """.split()  # noqa: SIM905
)
"""Columns that Ray Tune adds to what a trial reports."""


def is_experiment(folder: PlainFolder) -> bool:
    """Whether the folder is one of an experiment of Ray Tune."""
    if any(name.startswith(STATE) and name.endswith(".json") for name in folder.names()):
        return True
    return any({RESULTS, PARAMETERS} <= set(each.names()) for each in folder.folders())


def ray_trials(folder: PlainFolder) -> TrialFile:
    """Read the trials in the order in which they were made, each with its last result.

    Raises:
        TreinoError: a file is damaged, or too large.
    """
    states, metric = _experiment(folder)
    records: list[TrialRecord] = []
    iterations = set()
    for each in folder.folders():
        settings = _settings(each)
        if settings is None:
            continue
        result = _last(each)
        few_enough(len(records) + 1)
        identity = str((result or {}).get("trial_id") or _identity(each.path.name, states))
        state: State = "running" if result is None else "finished"
        if identity in states:
            state = state_of(states[identity])
        values = flat({k: v for k, v in (result or {}).items() if k != "config"})
        lists, figures = numbers_in({k: v for k, v in values.items() if k not in OF_RAY})
        if state == "finished":
            iterations.add(values.get("training_iteration"))
        name, took = identity or each.path.name, seconds_or_none(values.get("time_total_s"))
        records.append(TrialRecord(name, state, settings, figures, lists, took))
    notes = folder.notes()
    numbers = sorted(n for n in iterations if isinstance(n, int))
    if len(numbers) > 1:
        text = _("Trials ended after {low:,} to {high:,} iterations; the last result of each counts.")
        notes.append(text.format(low=numbers[0], high=numbers[-1]))
    records.sort(key=lambda record: record.name)
    score = metric if any(metric in record.figures for record in records) else None
    return TrialFile("ray", folder.path.name, tuple(records), score, notes=tuple(notes))


def _experiment(folder: PlainFolder) -> tuple[dict[str, str], str | None]:
    """Read each trial's status, and the metric, from the newest file of the experiment's state."""
    names = sorted(n for n in folder.names() if n.startswith(STATE) and n.endswith(".json"))
    state = parsed_object(folder, names[-1]) if names else {}
    trials = state.get("trial_data", state.get("checkpoints", []))
    states = {}
    for entry in trials if isinstance(trials, list) else []:
        about = entry[0] if isinstance(entry, list) and entry else entry
        about = parsed(about) if isinstance(about, str) else about
        if isinstance(about, dict) and "trial_id" in about:
            states[str(about["trial_id"])] = str(about.get("status", ""))
    runner = state.get("runner_data")
    metric = runner.get("_metric") if isinstance(runner, dict) else None
    return states, metric if isinstance(metric, str) else None


def _settings(folder: PlainFolder) -> dict[str, Any] | None:
    if PARAMETERS not in folder.names():
        return None
    return {name: cell(value) for name, value in flat(parsed_object(folder, PARAMETERS)).items()}


def _last(folder: PlainFolder) -> dict[str, Any] | None:
    """Read a trial's last result; None before the first. A line that is still being written doesn't count."""
    text = folder.text(RESULTS) or ""
    whole = [line for line in text.splitlines(keepends=True) if line.strip() and line.endswith("\n")]
    if not whole:
        return None
    try:
        result = json.loads(whole[-1])
    except (ValueError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise _damaged(folder.path / RESULTS)
    return result


def _identity(name: str, states: dict[str, str]) -> str:
    return next((identity for identity in states if identity in name), "")


def parsed_object(folder: PlainFolder, name: str) -> dict[str, Any]:
    """The object in a JSON file of the folder.

    Raises:
        TreinoError: it holds none.
    """
    try:
        value = json.loads(folder.text(name) or "")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _damaged(folder.path / name)
    return value


def _damaged(path: Path) -> TreinoError:
    return TRIALS_DAMAGED(path=path)
