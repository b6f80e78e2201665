"""Reads an experiment's trials from Ray Tune's folder: ``params.json`` and ``result.json`` of each.

https://docs.ray.io/en/latest/tune/tutorials/tune-output.html. Its pickles are not read.
"""

import json
from pathlib import Path
from typing import Any

from treino.base import files
from treino.base.errors import Refusal
from treino.base.words import _
from treino_judge.cells import cell, flat, numbers_in, parsed, seconds_or_none, state_of
from treino_judge.table import State, TrialFile, TrialRecord, few_enough

TRIALS_DAMAGED = Refusal(
    "'{path}' is damaged: it holds no JSON object.",
    "Restore it from a copy, or move this trial's folder away.",
)

RESULTS, PARAMETERS, STATES = "result.json", "params.json", "experiment_state-*.json"
OF_RAY = frozenset(
    """
    timestamp training_iteration time_this_iter_s time_total_s pid time_since_restore
    iterations_since_restore timesteps_total episodes_total timesteps_since_restore warmup_time
    """.split()  # noqa: SIM905
)
"""Columns that Ray Tune adds to what a trial reports."""


def is_experiment(folder: Path) -> bool:
    """Whether the folder is one of an experiment of Ray Tune."""
    trials = (path.parent for path in folder.glob(f"*/{PARAMETERS}"))
    return any(folder.glob(STATES)) or any((trial / RESULTS).is_file() for trial in trials)


def ray_trials(folder: Path) -> TrialFile:
    """Read the trials in the order in which they were made, each with its last result.

    Raises:
        TreinoError: a file is damaged.
    """
    states, metric = _experiment(folder)
    records: list[TrialRecord] = []
    iterations = set()
    for parameters in sorted(folder.glob(f"*/{PARAMETERS}")):
        settings = {name: cell(value) for name, value in flat(_object(parameters)).items()}
        result = _last(parameters.with_name(RESULTS))
        few_enough(len(records) + 1)
        by_name = (each for each in states if each in parameters.parent.name)
        identity = str((result or {}).get("trial_id") or next(by_name, ""))
        state: State = "running" if result is None else "finished"
        if identity in states:
            state = state_of(states[identity])
        values = flat({k: v for k, v in (result or {}).items() if k != "config"})
        lists, figures = numbers_in({k: v for k, v in values.items() if k not in OF_RAY})
        if state == "finished":
            iterations.add(values.get("training_iteration"))
        name, took = identity or parameters.parent.name, seconds_or_none(values.get("time_total_s"))
        records.append(TrialRecord(name, state, settings, figures, lists, took))
    notes = []
    numbers = sorted(n for n in iterations if isinstance(n, int))
    if len(numbers) > 1:
        text = _("Trials ended after {low:,} to {high:,} iterations; the last result of each counts.")
        notes.append(text.format(low=numbers[0], high=numbers[-1]))
    records.sort(key=lambda record: record.name)
    score = metric if any(metric in record.figures for record in records) else None
    return TrialFile("ray", folder.name, tuple(records), score, notes=tuple(notes))


def _experiment(folder: Path) -> tuple[dict[str, str], str | None]:
    """Read each trial's status, and the metric, from the newest file of the experiment's state."""
    newest = max(folder.glob(STATES), default=None)
    state = {} if newest is None else _object(newest)
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


def _last(path: Path) -> dict[str, Any] | None:
    """Read a trial's last result; None before the first. A line that is still being written doesn't count."""
    lines = _content(path).splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.strip() and line.endswith(b"\n")]
    return _object(path, whole[-1]) if whole else None


def _object(path: Path, text: bytes | None = None) -> dict[str, Any]:
    """Read the JSON object in a file, or in this text of it.

    Raises:
        TreinoError: it holds none.
    """
    try:
        value = json.loads(_content(path) if text is None else text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TRIALS_DAMAGED(path=path)
    return value


def _content(path: Path) -> bytes:
    with files.trouble(path):
        return path.read_bytes()
