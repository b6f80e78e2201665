"""Reads an experiment's trials from MLflow's store (a SQLite file or a folder ``mlruns``), by MLflow itself.

https://mlflow.org/docs/latest/ml/tracking/backend-stores/
"""

import os
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from treino.base.errors import Refusal
from treino.base.words import _
from treino_judge.cells import one_of
from treino_judge.exported_tables import read_table
from treino_judge.table import MOST, TrialFile, few_enough

MLFLOW_MISSING = Refusal(
    "'{path}' is a store of MLflow, and the package mlflow is not installed.",
    'Install it, or write a table where it is: mlflow.search_runs().to_csv("runs.csv")',
)

TABLES = {"experiments", "runs", "latest_metrics"}
META = "meta.yaml"


def is_mlruns(folder: Path) -> bool:
    """Whether the folder holds experiments of MLflow, or is one."""
    return (folder / META).is_file() or any(folder.glob(f"*/{META}"))


def mlflow_trials(store: Path, study: str | None) -> TrialFile:
    """Read the trials of the experiment with this name, or of the only one that has runs.

    Raises:
        TreinoError: MLflow is not installed; several experiments with runs.
    """
    if find_spec("mlflow") is None:
        raise MLFLOW_MISSING(path=store)
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow, before = import_module("mlflow"), os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(f"sqlite:///{store}" if store.is_file() else store.as_uri())
    try:
        every = {each.name: [each.experiment_id] for each in mlflow.search_experiments()}
        used = [name for name, key in every.items() if len(mlflow.search_runs(key, max_results=1))]
        name = one_of(used[::-1], study, _("experiment"))
        runs = mlflow.search_runs(every[name], max_results=MOST + 1)
    finally:
        mlflow.set_tracking_uri(before)
    few_enough(len(runs))
    with TemporaryDirectory() as folder:
        table = Path(folder) / "runs.csv"
        runs.to_csv(table, index=False)
        return replace(read_table(table), study=name)
