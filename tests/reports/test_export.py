"""Exported scripts are run and compared with their runs, bit for bit where that is promised."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import treino as tr
from tests.conftest import refusal_of
from tests.reports import export_cases
from tests.reports.export_cases import SHORT, said, table, trained, well_written
from treino.base.errors import TreinoError
from treino.data.readers import idx
from treino.reports.export.formats import FORMATS, exported
from treino.settings.spec import read_settings
from treino.training.loop import JobEnd, JobProgress, JobStart
from treino.training.train import train_events

pytestmark = pytest.mark.usefixtures("bare")


def check_equal(name: str, settings: dict[str, Any], folder: Path) -> None:
    run = trained(name, folder, **settings)
    path = exported(run).paths[0]
    assert path == run.path / "exports" / f"{run.name}.py"
    kept = torch.load(path.with_suffix(".pt"), weights_only=True)
    model, _metadata = run.folder.read_tensors("model.safetensors")
    assert all(torch.equal(kept["net"][name], tensor) for name, tensor in model.items())
    document, last = run.document, json.loads(said(path)[-1])
    losses = [loss for loss in document["loss"]["train"] if loss is not None]
    # of several networks a run rounds the mean of each step, and a script has them one after the other
    assert last["losses"] == (losses if "ensemble" not in settings else pytest.approx(losses, rel=1e-6))
    if last["losses"]:
        assert last["loss"] == last["losses"][-1]
    if run.status != "diverged" and document["metrics"]["test"]:
        wanted = {name: document["metrics"]["test"][name] for name in last["test"]}
        # the rows' losses are added in another order; gates are multiplied in before the run measures, and it
        # answers pictures with channels last
        near = 1e-5 if run.settings["gates"] else 1e-6 if run.spec.net == "cnn" else 1e-12
        assert last["test"] == pytest.approx(wanted, rel=near)
    again = torch.load(path.with_suffix(".pt"), weights_only=True)
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept["net"][k], again["net"][k]) for k in kept["net"])
    assert all(
        torch.equal(torch.as_tensor(kept[k]), torch.as_tensor(again[k])) for k in kept.keys() - {"net"}
    )
    well_written(path)
    assert ("class Residual" in path.read_text()) == bool(settings.get("blocks"))
    with pytest.raises(SystemExit, match="trains from scratch"):
        said(path, "--help", "--now")


@pytest.mark.parametrize(("name", "settings"), export_cases.FEW)
def test_it_trains_to_the_same_numbers(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    check_equal(name, settings, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "settings"), export_cases.MANY)
@pytest.mark.sampled(20)
def test_it_trains_to_the_same_numbers_whatever_was_set(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    check_equal(name, settings, tmp_path)


CNNS = {"net": "cnn", "channels": (4,), "hidden": (8,), "epochs": 2, "dropout": 0.2, "blocks": 1}
ENSEMBLES: list[Any] = [
    ("iris", {"epochs": 40, "patience": 5, "dropout": 0.2, "lr": 0.02}),
    ("diabetes", {"epochs": 4, "keep": "last"}),
    ("breast_cancer", {"epochs": 6, "loss": "bce", "ema": 0.9, "hidden": [8], "metric": "accuracy"}),
    ("iris", {"epochs": 3, "validation": 0, "batch_size": "full"}),
    ("wine", {"epochs": 6, "fault": "missing_zero_grad", "clip": 1.0, "schedule": "cosine", "warmup": 2}),
    ("wine", {"epochs": 6, "net": "mynet.py:Net", "lr": 0.02}),
    ("wine", {"epochs": 6, "recipe": "table", "hidden": [16]}),
    ("diabetes", {"epochs": 3, "recipe": "table", "hidden": [16], "bins": 4}),
    pytest.param("pictures", CNNS, marks=pytest.mark.release),
]


@pytest.mark.slow
@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "settings"), ENSEMBLES, ids=range(len(ENSEMBLES)))
def test_it_trains_several_networks_that_answer_together(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    check_equal(name, {"ensemble": 5, **settings}, tmp_path)


WEIGHED: list[dict[str, Any]] = [
    {"target": "price", "row_weights": "c"},
    {"target": "price", "row_weights": "grade", "batch_size": "full", "loss": "huber", "metric": "r2"},
    {"target": "size", "row_weights": "c", "loss": "bce", "metric": "f1_macro", "inputs": "bins"},
    {"target": "grade", "row_weights": "c", "class_weights": "balanced", "label_smoothing": 0.1},
    {"target": "price", "row_weights": "c", "ensemble": 3, "clip_target": True},
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("settings", WEIGHED, ids=range(len(WEIGHED)))
def test_it_weighs_rows_as_the_run_does(settings: dict[str, Any], tmp_path: Path) -> None:
    check_equal("table.csv", settings, tmp_path)


def test_against_another_kernel_the_first_epoch_is_close(tmp_path: Path) -> None:
    run = trained("wine", tmp_path, engine="batched", dropout=0.2, weight_decay=0.01)
    path = exported(run).paths[0]
    last = json.loads(said(path)[-1])
    assert last["losses"][0] == pytest.approx(run.document["loss"]["train"][0], rel=1e-4)
    assert "batched" in (ast.get_docstring(ast.parse(path.read_text())) or "")


@pytest.mark.slow
def test_only_what_the_run_uses_is_in_it(tmp_path: Path) -> None:
    path = exported(trained("wine", tmp_path)).paths[0]
    text = path.read_text()
    assert "treino" not in text
    for word in ("ropout", "factor", "CLIP", "FAULT", "Sequential()", "step +=", "softmax_before", "DEVICE"):
        assert word not in text
    assert sum(bool(line.strip()) for line in text.splitlines()) < 280
    order = [
        "scale = fitted_scale()",
        "zero_grad()",
        "loss.backward()",
        "optimizer.step()",
        "evaluate(net, x_test",
    ]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    taught = exported(trained("wine", tmp_path, as_taught=True)).paths[0].read_text()
    assert taught.count("# FAULT") == 2
    assert "zero_grad()\n" not in taught


def test_what_was_changed_while_it_trained_is_changed_again(tmp_path: Path) -> None:
    settings = read_settings({**SHORT, "dropout": 0.2, "clip": 1.0, "schedule": "cosine", "epochs": 10})
    changes = [("lr", 0.05, 11), ("clip", 0.01, 12), ("weight_decay", 0.1, 13), ("beta1", 0.5, 14)]
    changes += [("beta2", 0.9, 15), ("dropout", 0.6, 16), ("lr", 0.001, 30), ("lr", 0.002, 30)]
    changes += [("momentum", 0.9, 31)]
    run = None
    for event in train_events("wine", settings, parent=tmp_path):
        if isinstance(event, JobStart):
            for name, value, step in changes:
                event.job.folder.database.add_command(name, value, step)
        if isinstance(event, JobEnd):
            run = event.job.run
    path = exported(tr.open(run.path)).paths[0]
    assert json.loads(said(path)[-1])["losses"] == run.document["loss"]["train"]
    assert "LR_FROM = {11: 0.05, 30: 0.002}" in path.read_text()
    assert "MOMENTUM" not in path.read_text()  # adam has none
    well_written(path)


@pytest.mark.slow
def test_a_run_that_was_broken_off_is_trained_to_its_planned_end(tmp_path: Path) -> None:
    settings = read_settings({**SHORT, "epochs": 1500, "patience": 0})
    for event in train_events("wine", settings, parent=tmp_path):
        if isinstance(event, JobStart):
            folder = event.job.folder
        if isinstance(event, JobProgress) and event.tick.step < event.job.training.steps:
            break
    folder.close()
    run = tr.open(folder.path)
    assert run.status == "interrupted"
    assert refusal_of(exported, run, "safetensors").rule == "no_weights_yet"
    path = exported(run).paths[0]
    assert not path.with_suffix(".pt").exists()
    assert "interrupted" in (ast.get_docstring(ast.parse(path.read_text())) or "")
    text = path.read_text()
    with pytest.raises(SystemExit, match="train it first"):
        said(path, "predict", "new.csv")
    path.write_text(text.replace("EPOCHS = 1500", "EPOCHS = 40"))
    done = trained("wine", tmp_path, epochs=40)
    assert json.loads(said(path)[-1])["losses"] == done.document["loss"]["train"]


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
@pytest.mark.sampled(2)
def test_a_run_of_an_accelerator_is_trained_where_there_is_none(
    device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is one")
    run = trained("diabetes", tmp_path, dropout=0.2, batch_norm=True)
    elsewhere = {"resolved": run.spec.resolved.model_copy(update={"device": device})}
    monkeypatch.setattr(run, "spec", run.spec.model_copy(update=elsewhere))
    path = exported(run).paths[0]
    assert f'DEVICE = "{device}" if torch.' in path.read_text()
    assert path.read_text().count(".to(") == 5  # the network, three tensors of rows, a mask
    assert json.loads(said(path)[-1])["losses"] == run.document["loss"]["train"]
    well_written(path)


def test_bare_weights(tmp_path: Path) -> None:
    run = trained("iris", tmp_path)
    path = exported(run, "safetensors").paths[0]
    assert path == run.path / "exports" / f"{run.name}.safetensors"
    net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))
    net.load_state_dict(load_file(path))
    x = run.data.test.x
    assert torch.equal(net(x), run.module(x))
    run.folder.verify()  # exports lie outside of what is sealed


@pytest.mark.slow
def test_what_can_t_be_exported_is_refused(tmp_path: Path) -> None:
    run = trained("iris", tmp_path)
    with pytest.raises(TreinoError, match="safetensors") as unknown:
        exported(run, "safetensor")
    assert unknown.value.rule == "format_unknown"
    assert FORMATS.keys() == {"script", "onnx", "pt2", "safetensors"}

    given = tr.fit("iris", net=nn.Linear(4, 3), parent=tmp_path, epochs=1, engine="module")
    made = trained("wine", tmp_path, net="mynet.py:made")
    for run, rule in ((given, "export_net_given"), (made, "export_net_made")):
        assert refusal_of(exported, run).rule == rule

    run = trained("table.csv", tmp_path, target="size", features=("a b", "c"))
    (tmp_path / "table.csv").rename(tmp_path / "moved.csv")
    assert refusal_of(exported, tr.open(run.path)).rule == "data_gone"
    path = exported(tr.open(run.path, data=tmp_path / "moved.csv")).paths[0]
    losses = json.loads(said(path, str(tmp_path / "moved.csv"))[-1])["losses"]
    assert losses == run.document["loss"]["train"]
    assert not list((run.path / "exports").glob(".*"))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        pytest.param("frame", {"target": "price"}, marks=pytest.mark.proof),
        pytest.param("wine", {"net": "mynet.py:Net"}, marks=pytest.mark.release),
    ],
)
def test_a_real_process_without_treino_runs_it(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    run = trained(name, tmp_path, **settings)
    path = exported(run).paths[0]
    path = Path(shutil.move(path.parent, tmp_path / "elsewhere")) / path.name  # what it needs lies beside it
    table(3).to_csv(tmp_path / "new.csv", index=False)
    without = (
        "import sys, runpy; sys.modules['treino'] = None; path, new = sys.argv[1:]; "
        "sys.path.insert(0, path.rpartition('/')[0])\n"
        "for words in ([], ['predict', new]):\n"
        "    sys.argv = [path, *words]; runpy.run_path(path, run_name='__main__'); print('done')"
    )
    line = [sys.executable, "-W", "error", "-c", without, str(path), str(tmp_path / "new.csv")]
    ended = subprocess.run(line, capture_output=True, text=True)
    trained_out, _done, predicted = ended.stdout.partition("\ndone\n")
    assert json.loads(trained_out.splitlines()[-1])["losses"] == run.document["loss"]["train"], ended.stderr
    if name == "wine":
        assert (ended.returncode, predicted) == (1, "")
        assert ended.stderr.startswith("Columns are missing")
    else:
        assert (ended.returncode, ended.stderr, predicted.count("\n")) == (0, "", 5)


def test_images_that_come_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files with few different images: equal ones, and some that are test rows too."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    kinds = np.zeros((660, 784), dtype=np.uint8)
    kinds[:, :40] = rng.integers(0, 256, (660, 40))
    for part, rows in (("train", 600), ("t10k", 100)):
        monkeypatch.setitem(idx.ROWS, part, rows)
        pick = rng.integers(0, 660, rows) if part == "train" else np.arange(rows) + 10
        head = b"".join(n.to_bytes(4, "big") for n in (0x803, rows, 28, 28))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + kinds[pick].tobytes())
        head = b"".join(n.to_bytes(4, "big") for n in (0x801, rows))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + (kinds[pick, 0] % 10).tobytes())
    monkeypatch.setenv("TREINO_DATA", str(tmp_path))
    check_equal("fashion-mnist", {"net": "mlp", "hidden": (8,), "steps": 5, "epochs": None}, tmp_path)


def test_a_number_that_is_grouped_otherwise_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"{i % 9},{i % 7}5;{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "eu.csv").write_text("p;y\n" + rows + "1.234,5;a\n")
    run = tr.fit(tmp_path / "eu.csv", target="y", epochs=1, parent=tmp_path)
    (tmp_path / "new.csv").write_text("p\n0.75\n")
    with pytest.raises(SystemExit, match=r"'0\.75' in row 0, which is not a number as in"):
        said(exported(run).paths[0], "predict", str(tmp_path / "new.csv"))


CELLS = ("p", "yes"), ("p", "V"), ("p", "TRUE"), ("q", "5"), ("q", "abc")
KINDS_OF_CELLS = {"p": "a number as in the training rows", "q": "true or false"}


@pytest.mark.parametrize("gap", ["", "3"])  # with encoders, and without
def test_a_cell_is_read_by_the_kind_of_its_column(gap: str, tmp_path: Path) -> None:
    rows = "".join(f"{i % 9 or gap},{'yn'[i % 2] if not gap else i % 2 == 0},{i}.5\n" for i in range(60))
    (tmp_path / "t.csv").write_text("p,q,y\n" + rows)
    settings = {"recipe": "plain", "epochs": 1, "parent": tmp_path, "hidden": [2]}
    script = exported(tr.fit(tmp_path / "t.csv", target="y", **settings)).paths[0]
    row = {"p": "4", "q": "True"}
    for column, cell in CELLS:
        wrong = row | {column: cell}
        (tmp_path / "new.csv").write_text(f"p,q\n{','.join(row.values())}\n{','.join(wrong.values())}\n")
        where = f"Column '{column}' holds '{cell}' in row 1, which is not {KINDS_OF_CELLS[column]}"
        with pytest.raises(SystemExit, match=where):
            said(script, "predict", str(tmp_path / "new.csv"))
