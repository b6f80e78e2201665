"""MLflow: a run in the experiment named after its data, on the server ``MLFLOW_TRACKING_URI``.

https://mlflow.org/docs/latest/ml/tracking/
"""

import csv
import io
import json
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import mlflow.pyfunc
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from treino.base.apps import entries
from treino.base.errors import TreinoError
from treino.folders import RunFolder, StoredRun
from treino.reports.export.formats import exported
from treino_trackers.tracker import TrackedEnd, TrackedRun, plain_settings

SERVICE = "service"  # the format of export
LONGEST = 6000  # maximum number of characters of a parameter's value
STATUS = {"finished": "FINISHED", "diverged": "FAILED", "interrupted": "KILLED", "stopped": "KILLED"}


class MLflow:
    """A client of the tracking server; a resumed run is recognised by its folder's path."""

    def __init__(self) -> None:
        self.client = MlflowClient()

    def begin(self, run: TrackedRun) -> None:
        client, path = self.client, str(run.path.resolve())
        known = client.get_experiment_by_name(run.project)
        number = client.create_experiment(run.project) if known is None else known.experiment_id
        quoted = path.replace("'", "''")
        before = client.search_runs([number], f"tags.`treino.path` = '{quoted}'", max_results=1)
        if before:
            self.run = before[0].info.run_id
            client.update_run(self.run, status="RUNNING")
            return
        tags = {"treino.path": path, "mlflow.source.name": "treino"}
        self.run = client.create_run(number, run_name=run.name, tags=tags).info.run_id
        parameters = [
            Param(name, str(value)[:LONGEST]) for name, value in plain_settings(run.settings).items()
        ]
        for first in range(0, len(parameters), 100):
            client.log_batch(self.run, params=parameters[first : first + 100])

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        self.client.log_batch(self.run, [Metric(name, value, now, step) for name, value in figures.items()])

    def finish(self, end: TrackedEnd) -> None:
        client, now = self.client, int(time.time() * 1000)
        tags = [RunTag("treino.status", end.status), *(RunTag(f"treino.{tag}", "found") for tag in end.tags)]
        client.log_batch(self.run, [Metric(n, v, now, 0) for n, v in end.figures.items()], tags=tags)
        for path in end.pictures:
            client.log_artifact(self.run, str(path), "pictures")
        if end.table is not None:
            text = io.StringIO()
            csv.writer(text).writerows([end.table.columns, *end.table.rows])
            client.log_text(self.run, text.getvalue(), "members.csv")
        if end.folder is not None:
            client.log_artifacts(self.run, str(end.folder), end.folder.name)
            self._log_model(end.folder)
        client.set_terminated(self.run, STATUS.get(end.status, "FINISHED"))

    def _log_model(self, folder: Path) -> None:
        """Log a run as a model that MLflow serves: its export as a service. The tag ``treino.model`` says why
        where there is none.

        https://mlflow.org/docs/latest/ml/model/
        """
        opened = RunFolder.open(folder)
        if opened.kind != "run" or not (SERVICE in entries("treino.formats") and find_spec("onnxruntime")):
            return
        try:
            service = exported(StoredRun(opened), SERVICE).paths[0]
        except TreinoError as error:  # pictures, or a layer without a form in ONNX
            self.client.set_tag(self.run, "treino.model", str(error))
            return
        about = json.loads((service / "service.json").read_text("utf-8"))
        types = {"number": "double"}
        columns: list[ColSpec | TensorSpec] = [
            ColSpec(types.get(one["type"], one["type"]), one["name"]) for one in about["columns"]
        ]
        experiment = self.client.get_run(self.run).info.experiment_id
        model = self.client.create_logged_model(experiment, "model", source_run_id=self.run)
        Model.log(
            None,
            mlflow.pyfunc,
            run_id=self.run,
            model_id=model.model_id,
            loader_module="app",
            data_path=str(service),
            code_paths=[str(service / "app.py")],
            signature=ModelSignature(Schema(columns)),
            input_example=[about["example"]],
            pip_requirements=str(service / "requirements.txt"),
        )
