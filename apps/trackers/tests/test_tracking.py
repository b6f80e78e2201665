"""Trackers: what each real package is told is found in its own local store; none of them ends a training."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from treino.base.apps import entries
from treino.base.errors import TreinoError
from treino.reports.pictures import RunPicture
from treino.reports.pictures.picture_files import PICTURES
from treino_trackers import delivery
from treino_trackers.delivery import TRACKERS
from treino_trackers.tracker import TrackedEnd, TrackedRun


class Memory:
    """A tracker that keeps what it is told."""

    told: list[tuple[str, Any]] = []  # noqa: RUF012

    def begin(self, run: TrackedRun) -> None:
        self.told.append(("begin", run))

    def log(self, step: int, figures: Any) -> None:
        self.told.append(("log", (step, dict(figures))))

    def finish(self, end: TrackedEnd) -> None:
        self.told.append(("finish", end))


class Broken(Memory):
    """A tracker whose server is away."""

    def log(self, step: int, figures: Any) -> None:
        raise PermissionError("no permission to write there")


class Slow(Memory):
    """A tracker that never comes back."""

    def begin(self, run: TrackedRun) -> None:
        threading.Event().wait()


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    for name in ("Memory", "Broken", "Slow"):
        monkeypatch.setitem(TRACKERS, name.lower(), ("json", f"{__name__}:{name}"))
    Memory.told.clear()
    yield Memory.told
    Memory.told.clear()


@pytest.mark.slow
def test_a_run_is_told_from_begin_to_end(memory: list[tuple[str, Any]], tmp_path: Path) -> None:
    run = tr.fit("wine", epochs=3, parent=tmp_path, track="memory")
    plain = tr.fit("wine", epochs=3, parent=tmp_path)
    (_b, begun), *logs, (_f, ended) = memory
    assert (begun.name, begun.project, begun.settings["lr"]) == ("wine-1", "wine", run.settings["lr"])
    assert [step for _log, (step, _figures) in logs] == [4, 8, 12]
    for epoch, (_log, (_step, figures)) in enumerate(logs):
        assert figures["train/loss"] == pytest.approx(run.document["loss"]["train"][epoch])
        measured = run.document["loss"]["validation"][epoch]
        assert figures.get("validation/loss") == (None if measured is None else pytest.approx(measured))
    assert ended.figures["test/accuracy"] == run.metrics["test"]["accuracy"]
    assert ended.folder == run.path
    assert {p.name for p in ended.pictures} == {"boundary.png", "curves.png"}
    assert all(torch.equal(run.state[name], value) for name, value in plain.state.items())
    assert run.spec.asked == plain.spec.asked


def test_a_sweep_is_a_table_and_its_best_are_runs(memory: list[tuple[str, Any]], tmp_path: Path) -> None:
    found = tr.sweep("iris", "lr=1e-3|1e-2|1e-1", epochs=2, fresh=0, parent=tmp_path, track=["memory"])
    ends = [told for what, told in memory if what == "finish"]
    table = ends[0].table
    assert table.columns[:2] == ("member", "lr")
    assert [row[0] for row in table.rows] == [0, 1, 2]
    best = [told.name for what, told in memory if what == "begin"][1:]
    assert best == [f"{found.name}-{leader['member']}" for leader in found.leaderboard]
    assert ends[1].figures["validation/loss"] == found.leaderboard[0]["validation"]["loss"]


def test_a_picture_that_breaks_keeps_no_other_from_the_tracker(
    memory: list[tuple[str, Any]], treino: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_run: object) -> list[tuple[str, bytes]]:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setitem(PICTURES, "boundary", RunPicture(broken))
    said = treino("train", "wine", "--steps", 2, "--track", "memory")
    assert said.status == 0
    assert "A picture is missing: boundary can't be drawn: ZeroDivisionError: no such luck" in said.out
    assert [p.name for p in memory[-1][1].pictures] == ["curves.png"]


@pytest.mark.slow
def test_a_tracker_that_fails_is_said_once_and_ends_nothing(
    memory: list[tuple[str, Any]], treino: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = treino("train", "iris", "--epochs", "3", "--track", "broken,memory", "--name", "r")
    assert said.status == 0
    assert said.err.count("broken was not told all of it: PermissionError: no permission") == 1
    assert [what for what, _told in memory][-1] == "finish"
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 0.2)
    with pytest.warns(UserWarning, match="slow was not told all of it: it took longer than 0.2 s"):
        assert tr.fit("iris", epochs=2, track="slow").status == "finished"


@pytest.mark.slow
def test_an_alert_that_sends_back_makes_no_second_run(memory: list[tuple[str, Any]], tmp_path: Path) -> None:
    run = tr.fit("iris", parent=tmp_path, epochs=4, lean=True, track="memory", alerts="loss < 100: rewind")
    kinds = [what for what, _told in memory]
    assert kinds.count("begin") == kinds.count("finish") == 1
    assert len(run.spec.segments or []) == 4


def test_what_is_not_there_is_refused_before_anything_is_trained(
    treino: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = treino("train", "iris", "--track", "tensorbord")
    assert (said.status, "Did you mean 'tensorboard'?" in said.err) == (2, True)
    monkeypatch.setattr(delivery.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(TreinoError, match="not installed") as caught:
        tr.fit("iris", track="mlflow", parent=tmp_path)
    assert "pip install 'treino[mlflow]'" in caught.value.hint
    assert not list(tmp_path.glob("iris*"))


def trained(name: str, **settings: Any) -> tr.Run:
    before = threading.active_count()
    run = tr.fit("wine", epochs=3, name="seen", track=name, **settings)
    assert threading.active_count() <= before + 4  # its own thread is over; packages keep theirs
    return run


@pytest.mark.slow
def test_tensorboard_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorboard")
    monkeypatch.chdir(tmp_path)
    run = trained("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path / "tensorboard" / "seen"))
    found.Reload()
    losses = [event.value for event in found.Scalars("train/loss")]
    assert losses == pytest.approx(run.document["loss"]["train"], rel=1e-6)
    assert [event.step for event in found.Scalars("train/loss")] == [4, 8, 12]
    assert set(found.Tags()["images"]) == {"boundary", "curves"}
    assert found.Tensors("status/text_summary")[0].tensor_proto.string_val[0] == b"finished"
    plugins = found.summary_metadata["_hparams_/session_start_info"].plugin_data
    assert b"batch_size" in plugins.content
    assert found.Scalars("end/test/accuracy")[0].value == pytest.approx(run.metrics["test"]["accuracy"])


UNSHARE = shutil.which("unshare")
MAY_MOUNT = UNSHARE and subprocess.run([UNSHARE, "-rm", "true"], capture_output=True).returncode == 0


@pytest.mark.release
@pytest.mark.skipif(not MAY_MOUNT, reason="needs a name space of its own, to mount a small disk")
def test_a_full_disk_is_a_sentence_and_the_training_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").mkdir()
    disk = "mount -t tmpfs -o size=4k none tensorboard"
    train = f"{sys.executable} -m treino train wine --epochs 20 --name r --track tensorboard"
    line = [str(UNSHARE), "-rm", "sh", "-c", f"{disk} && exec {train}"]
    said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0
    full = "tensorboard was not told all of it: OSError: [Errno 28] No space left on device"
    assert [line for line in said.stderr.splitlines() if not line.startswith("epoch ")] == [full]
    assert tr.open(tmp_path / "runs/r").status == "finished"


@pytest.mark.release
@pytest.mark.filterwarnings("ignore")  # its own
def test_mlflow_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow: pip install 'treino[mlflow]'")
    pytest.importorskip("sqlalchemy", reason="needs sqlalchemy: pip install sqlalchemy")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    run = trained("mlflow")
    client = mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("wine").experiment_id])
    assert found.info.status == "FINISHED"
    assert float(found.data.params["lr"]) == run.settings["lr"]
    history = [metric.value for metric in client.get_metric_history(found.info.run_id, "train/loss")]
    assert history == pytest.approx([*run.document["loss"]["train"], run.metrics["train"]["loss"]])
    assert "seen/manifest.json" in {f.path for f in client.list_artifacts(found.info.run_id, "seen")}


@pytest.mark.release
@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_what_it_can_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model predicts a frame as the run does; a run that no service can answer by says so."""
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow: pip install 'treino[mlflow]'")
    pytest.importorskip("sqlalchemy", reason="needs sqlalchemy: pip install sqlalchemy")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'treino[onnx]'")
    if "service" not in entries("treino.formats"):
        pytest.skip("needs the app service")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 300.0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    run, client = trained("mlflow"), mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("wine").experiment_id])
    model = mlflow.pyfunc.load_model(f"runs:/{found.info.run_id}/model")
    assert model.metadata.signature.inputs.input_names() == list(run.preparation.features)
    assert model.input_example is not None
    frame = pd.DataFrame(run.preparation.inverse(run.data.test.x.numpy()), columns=run.preparation.features)
    wanted = run.predict(frame)
    for one, own in zip(model.predict(frame), wanted.to_dict("records"), strict=True):
        assert one["prediction"] == own["prediction"]
        shares = {f"probability_{name}": share for name, share in one["probabilities"].items()}
        assert shares == pytest.approx({name: own[name] for name in shares}, abs=1e-5)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (30, 6, 6)).astype(np.uint8), rng.integers(0, 2, 30)
    tr.fit(pictures, epochs=1, net="mlp", name="pictures", track="mlflow")
    (found,) = client.search_runs([client.get_experiment_by_name("arrays").experiment_id])
    assert "rows of a table" in found.data.tags["treino.model"]


@pytest.mark.release
@pytest.mark.filterwarnings("ignore")
def test_wandb_has_it_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb.sdk", reason="needs wandb: pip install 'treino[wandb]'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    trained("wandb")
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    assert next(iter(folder.glob("*.wandb"))).stat().st_size > 1000


@pytest.mark.release
@pytest.mark.filterwarnings("ignore")
def test_trackio_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "store"))
    pytest.importorskip("trackio", reason="needs trackio: pip install 'treino[trackio]'")
    monkeypatch.chdir(tmp_path)
    run = trained("trackio")
    import trackio.utils
    from trackio.sqlite_storage import SQLiteStorage

    assert tmp_path / "store" == trackio.utils.TRACKIO_DIR
    told = SQLiteStorage.get_logs("wine", "seen")
    losses = [row["train/loss"] for row in told if "train/loss" in row]
    assert losses[:3] == pytest.approx(run.document["loss"]["train"])
