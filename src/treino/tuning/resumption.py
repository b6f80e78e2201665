"""Resuming a sweep: its data, and its members' settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from treino.data.dataset import Data
from treino.data.sources import BuiltinName
from treino.documents import read_spec
from treino.engine.metrics import METRICS
from treino.errors import TreinoError
from treino.search.halving import Rung
from treino.search.space import Config
from treino.store import RunFolder
from treino.tuning.sweep_state import SweepTraining
from treino.words import _


def source_of(folder: RunFolder, data: Data, data_file: str | Path | None = None) -> Any:
    """What the sweep's data is loaded from; the loaded rows where they were in memory only."""
    where = read_spec(folder).data
    if where.kind == "file":
        return Path(data_file) if data_file else Path(os.path.normpath(folder.path / where.source))
    return BuiltinName(where.source) if where.kind == "builtin" else data


def restore_members(sweep: SweepTraining, members: Mapping[str, Any]) -> None:
    """The members as they were sampled; the sampler's state is restored."""
    sweep.configs = [_as_json(c) for c in members["configs"]]
    sweep.asks = members["asks"]
    sweep.brackets = [
        (first, count, tuple(Rung(*rung) for rung in rungs)) for first, count, rungs in members["heats"]
    ]
    figures = {row["member"]: row for row in sweep.rows.last()}
    over = sum(count for _first, count, _rungs in sweep.brackets[: sweep.done])
    first = 0
    for count in sweep.asks:
        again = sweep.sampler.again(sweep.configs[first : first + count])
        if [_as_json(c) for c in again] != sweep.configs[first : first + count]:
            raise TreinoError(
                "sampler_differs",
                _("The sampler asks for other settings than it did, from network {n} on.").format(n=first),
                _("Use the versions that the sweep was begun with, or start a new one."),
            )
        for member in range(first, min(first + count, over)):
            sweep.sampler.tell(member, _sampler_figure(figures.get(member), sweep.metric))
        first += count


def _sampler_figure(row: Mapping[str, Any] | None, metric: str) -> float | None:
    if row is None or row["best"] is None or row["status"] == "diverged":
        return None
    return -METRICS[metric].better * float(row["best"])


def _as_json(config: Mapping[str, Any]) -> Config:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}
