"""A run's figures, network and predictions against scikit-learn and a plain forward pass."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import torch
from torch import nn

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.base.errors import TreinoError
from treino.training.findings import lower_rate

KEYS = """
run path status task rows features inputs classes parameters settings engine steps epochs seconds
epoch_seconds evaluation_seconds loss loss_std metrics intervals baseline findings device kept_epoch
reproducible
"""


@pytest.mark.slow
def test_the_document_of_the_main_job(treino: Treino, tmp_path: Path) -> None:
    said = treino("train", "wine", "--json")
    assert said.status == 0
    d = said.document
    assert set(d) >= set(KEYS.split())
    assert (d["run"], d["status"], d["task"]) == ("wine-1", "finished", "classification")
    assert (tmp_path / d["path"]).is_dir()
    assert sum(d["rows"].values()) == 178
    assert d["inputs"] == 13
    assert d["parameters"] == 13 * 64 + 64 + 64 * 32 + 32 + 32 * 3 + 3
    assert set(d["metrics"]["test"]) == {"loss", "accuracy", "f1_macro"}
    assert set(d["intervals"]["test"]) == {"loss", "accuracy", "f1_macro"}
    assert set(d["baseline"]) == {"majority", "linear"}
    assert d["metrics"]["test"]["accuracy"] > 0.9
    low, high = d["intervals"]["test"]["accuracy"]
    assert low <= d["metrics"]["test"]["accuracy"] <= high
    epochs = d["epochs"]
    assert len(d["loss"]["train"]) == len(d["loss"]["validation"]) == len(d["loss_std"]["train"]) == epochs
    assert len(d["loss_std"]["validation"]) == len(d["epoch_seconds"]) == epochs
    assert [v is None for v in d["loss_std"]["validation"]] == [v is None for v in d["loss"]["validation"]]
    run = tr.open(tmp_path / d["path"])
    with torch.no_grad():
        validation = run.data.validation
        loss_N = torch.nn.functional.cross_entropy(
            run.module(validation.x).double(), validation.y, reduction="none"
        )
    deviation = float(loss_N.std(unbiased=False)) / len(loss_N) ** 0.5  # fewer rows than a batch has
    assert d["loss_std"]["validation"][d["kept_epoch"] - 1] == pytest.approx(deviation, rel=1e-4)
    assert sum(d["epoch_seconds"]) + d["evaluation_seconds"] <= d["seconds"]
    assert "pictures" not in {path.name for path in run.path.iterdir()}
    assert "no pictures yet: treino plot wine-1" in treino("show", "wine-1").out
    assert treino("plot", "last").status == 0
    for name in ("boundary.png", "curves.png"):
        assert name in treino("show", "wine-1").out
        assert (tmp_path / d["path"] / "pictures" / name).read_bytes().startswith(b"\x89PNG")
    shown = treino("show", "last", "--json").document
    assert shown == d
    assert [r["run"] for r in treino("runs", "--json").document["runs"]] == ["wine-1"]


@pytest.mark.slow
def test_no_path_of_this_machine_is_in_a_run(treino: Treino, tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text("p,q,kind\n" + rows)
    assert treino("train", tmp_path / "t.csv", "--target", "kind", "--steps", 3).status == 0
    for path in (tmp_path / "runs/t-1").rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path
    where = tmp_path / "elsewhere"
    where.mkdir()
    (tmp_path / "runs").rename(where / "runs")
    (tmp_path / "t.csv").rename(where / "t.csv")
    assert treino("plot", where / "runs/t-1", "--json").status == 0


def test_figures_are_those_of_its_own_predictions(tmp_path: Path) -> None:
    run = tr.fit("breast_cancer", epochs=20, parent=tmp_path)
    data = run.data
    with torch.no_grad():
        p_NC = torch.softmax(run.module(data.test.x).double(), 1).numpy()
    truth, said = data.test.y.numpy(), p_NC.argmax(1)
    figures = run.metrics["test"]
    assert figures["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(truth, said))
    assert figures["f1_macro"] == pytest.approx(sklearn.metrics.f1_score(truth, said, average="macro"))
    assert figures["auc"] == pytest.approx(sklearn.metrics.roc_auc_score(truth, p_NC[:, 1]))
    assert figures["loss"] == pytest.approx(sklearn.metrics.log_loss(truth, p_NC), rel=1e-5)
    assert not run.module.training


def test_regression_speaks_in_the_target_s_own_units(tmp_path: Path) -> None:
    run = tr.fit("diabetes", epochs=30, parent=tmp_path)
    data = run.data
    own = data.test.y[:, 0].numpy() * data.target_scale + data.target_mean
    with torch.no_grad():
        said = run.module(data.test.x)[:, 0].numpy() * data.target_scale + data.target_mean
    figures = run.metrics["test"]
    assert figures["rmse"] == pytest.approx(sklearn.metrics.root_mean_squared_error(own, said), rel=1e-4)
    assert figures["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(own, said), rel=1e-4)
    assert figures["r2"] == pytest.approx(sklearn.metrics.r2_score(own, said), abs=1e-4)
    assert run.document["baseline"].keys() == {"mean", "linear"}


@pytest.mark.usefixtures("bare")
def test_the_course_s_own_dictionary(tmp_path: Path) -> None:
    args = {"batch_size": 20, "num_workers": 4, "num_classes": 3, "lr": 1e-4, "weight_decay": 5e-4}
    args |= {"num_epochs": 3, "device": torch.device("cpu")}
    run = tr.fit("wine", parent=tmp_path, **args)
    assert run.settings["epochs"] == 3
    assert run.settings["batch_size"] == 20
    assert run.document["epochs"] == 3
    with pytest.raises(TreinoError, match="num_classes is 10"):
        tr.fit("wine", parent=tmp_path, **{**args, "num_classes": 10})


class Wide(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(13, 9), nn.BatchNorm1d(9), nn.Tanh(), nn.Dropout(0.2))
        self.head = nn.Linear(9, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


NET = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(13, 9), nn.BatchNorm1d(9), nn.Tanh(), nn.Dropout(0.2))
        self.head = nn.Linear(9, 3)
    def forward(self, x):
        return self.head(self.body(x))
"""


@pytest.mark.usefixtures("bare")
def test_a_network_of_your_own_in_python(tmp_path: Path) -> None:
    torch.manual_seed(0)
    mine = Wide()
    before = {k: v.clone() for k, v in mine.state_dict().items()}
    run = tr.fit("wine", mine, epochs=15, parent=tmp_path)
    assert all(torch.equal(v, before[k]) for k, v in mine.state_dict().items()), "the given module is changed"
    assert run.document["engine"] == "module"
    assert (run.metrics["test"] or {})["accuracy"] > 0.7
    with pytest.raises(TreinoError, match="network of your own"):
        tr.open(run.path).module  # noqa: B018
    again = tr.open(run.path, net=Wide()).module
    with torch.no_grad():
        assert torch.equal(again(run.data.test.x), run.module(run.data.test.x))
    with pytest.raises(TreinoError, match="other tensors"):
        tr.open(run.path, net=nn.Linear(13, 3)).module  # noqa: B018


@pytest.mark.slow
def test_a_network_of_your_own_in_a_file(treino: Treino, tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(NET)
    first = treino("train", "wine", "--net", "my.py:Net", "--epochs", 10, "--json").document
    second = treino("train", "wine", "--net", "my.py:Net", "--epochs", 10, "--json").document
    assert first["loss"] == second["loss"]
    run = tr.fit("wine", "my.py:Net", epochs=10, parent=tmp_path / "fitted")
    assert run.document["loss"] == first["loss"]
    (tmp_path / "my.py").unlink()
    said = treino("predict", "last", "wine", "--json")
    assert said.status == 2
    assert "--trust" in said.document["error"]["hint"]
    assert treino("predict", "last", "wine", "--trust", "--json").document["metrics"]["accuracy"] > 0.5
    for words in (("--like", "wine-1"), ("--branch", "wine-1:4", "--lr", 1e-4)):
        assert treino("train", *words, "--json").document["error"]["rule"] == "net_not_trusted"
        assert treino("train", *words, "--trust", "--name", words[0][2:]).status == 0
    assert tr.open("like").losses.tolist() == tr.open("wine-1").losses.tolist()
    assert treino("train", "wine", "--trust", "--json").document["error"]["rule"] == "trust_of_nothing"
    said = treino("train", "--like", "branch", "--trust")
    assert (said.status, "treino train --branch wine-1:4 --lr 0.0001" in said.err) == (2, True)


@pytest.mark.slow
def test_bare_treino_and_help(treino: Treino) -> None:
    bare = treino()
    assert bare.status == 0
    assert "treino train" in bare.out
    for verb in ("data", "train", "predict", "runs", "show", "resume", "plot", "export", "sweep"):
        said = treino(verb, "--help")
        assert said.status == 0
        assert "treino " + verb in said.out
        assert "xample" in said.out
    assert "--weight-decay" in treino("train", "--help").out
    assert "--folds" in treino("train", "--help").out
    assert "--watch" not in treino("train", "--help").out
    assert treino("--version").out.strip() == tr.__version__


def test_the_rate_to_try_after_a_divergence_has_a_chance(treino: Treino) -> None:
    diverged = treino("train", "wine", "--lr", 1000, "--epochs", 3)
    assert tr.open("last").status == "diverged"
    rates = re.findall(r"--lr ([\d.e-]*\d)", diverged.out)
    assert set(rates) == {"0.003"}
    assert "diverged" not in treino("train", "wine", "--lr", rates[0], "--epochs", 3).out
    for lr in (1e6, 3.0, 0.1, 3e-3, 1e-5):
        assert lower_rate(lr) <= min(lr / 10, 0.03) * 1.001


def test_no_test_rows_no_test_figure(treino: Treino) -> None:
    d = treino("train", "wine", "--test", 0, "--validation", 0, "--epochs", 3, "--json").document
    assert d["metrics"]["test"] is None
    assert d["metrics"]["validation"] is None
    assert d["settings"]["keep"] == "last"


@pytest.mark.slow
def test_a_file_named_like_a_built_in_does_not_come_between(treino: Treino, tmp_path: Path) -> None:
    assert treino("train", "wine", "--steps", 3).status == 0
    (tmp_path / "wine").write_text("mine")
    assert treino("plot", "last", "--json").status == 0
    assert treino("train", "wine", "--json").document["error"]["rule"] == "data_ambiguous"


@pytest.mark.usefixtures("bare")
def test_data_that_was_loaded_with_arguments_of_its_own_is_found_again(tmp_path: Path) -> None:
    data = tr.load(
        "wine", features=["hue", "alcohol"], test=0.3, validation=0.2, data_seed=5, normalise=False
    )
    run = tr.fit(data, epochs=2, seed=1, parent=tmp_path)
    again = tr.open(run.path)
    assert torch.equal(again.data.train.x, data.train.x)
    assert torch.equal(again.data.test.index, data.test.index)
    assert again.settings["test"] == 0.3
    assert again.settings["data_seed"] == 5
    assert again.settings["normalise"] is False
    counted = tr.fit("wine", features="hue", num_classes=3, epochs=1, parent=tmp_path)
    assert tr.open(counted.path).data.features == ("hue",)
    assert "split and prepared already" in str(refusal_of(tr.fit, data, test=0.1, parent=tmp_path))


def test_a_diverged_run_can_be_shown(tmp_path: Path) -> None:
    run = tr.fit("diabetes", optimizer="sgd", lr=1e6, epochs=5, parent=tmp_path)
    assert "diverged" in repr(tr.open(run.path))
    d = run.document
    assert d["steps"] == d["kept_step"] < 10
    assert len(run.losses) == d["steps"] + 1
    intervals = d["intervals"]["test"]
    assert all(ends is None or np.isfinite(ends).all() for ends in intervals.values())
    assert {name for name, ends in intervals.items() if ends is None} == {
        name for name, value in d["metrics"]["test"].items() if value is None
    }


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("labels", [[3, 7], [True, False], [0.5, 1.5], ["a", "b"]])
def test_predictions_are_what_the_labels_were(tmp_path: Path, labels: list[object]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2))
    y = np.array(labels)[(x.sum(axis=1) > 0).astype(int)]
    how: dict[str, Any] = {"task": "classification", "recipe": "plain", "epochs": 20, "lr": 0.03}
    run = tr.fit((x, y), parent=tmp_path, **how)
    said = run.predict(x)
    assert said.dtype.kind == y.dtype.kind
    assert np.mean(said == y) > 0.9
    frame = pd.DataFrame(x, columns=["a", "b"]).assign(y=y)
    framed = tr.fit(frame, target="y", parent=tmp_path, **how)
    assert np.mean(framed.predict(frame)["prediction"] == frame["y"]) > 0.9


@pytest.mark.usefixtures("bare")
def test_a_described_network_is_found_again(tmp_path: Path) -> None:
    run = tr.fit("wine", tr.mlp(8, activation="tanh"), epochs=3, parent=tmp_path)
    again = tr.open(run.path)
    assert torch.equal(again.module(again.data.test.x), run.module(again.data.test.x))
    assert again.settings["hidden"] == [8]
    for net in (tr.mlp(8), nn.Linear(13, 3)):
        assert "hidden" in str(refusal_of(tr.fit, "wine", net, hidden=[4], parent=tmp_path))


@pytest.mark.usefixtures("bare")
def test_a_network_that_is_given_to_open_stays_as_it_is(tmp_path: Path) -> None:
    mine = nn.Linear(13, 3)
    run = tr.fit("wine", nn.Linear(13, 3), epochs=2, parent=tmp_path)
    before = mine.weight.detach().clone()
    found = tr.open(run.path, net=mine).module
    assert torch.equal(mine.weight, before)
    assert mine.weight.requires_grad
    assert not torch.equal(found.weight, before)


@pytest.mark.usefixtures("bare")
def test_an_epoch_that_is_cut_short_is_in_the_lists(tmp_path: Path) -> None:
    run = tr.fit("moons", steps=37, parent=tmp_path)  # 22 steps an epoch
    d = run.document
    assert d["epochs"] == 2 == d["kept_epoch"]
    assert d["loss"]["train"] == pytest.approx([run.losses[:22].mean(), run.losses[22:].mean()], rel=1e-6)
    assert len(d["loss"]["validation"]) == len(d["loss_std"]["train"]) == len(d["epoch_seconds"]) == 2
    assert min(v for v in d["loss"]["validation"] if v is not None) == pytest.approx(
        (run.metrics["validation"] or {})["loss"], rel=1e-5
    )


def test_weights_of_a_run_that_goes_on_are_not_there_yet(tmp_path: Path) -> None:
    from treino.settings.spec import read_settings
    from treino.training.train import train_events

    events = train_events("wine", read_settings({"epochs": 5000, "name": "run"}), parent=tmp_path)
    next(events)
    next(events)
    assert "running" in str(refusal_of(tr.open(tmp_path / "run").predict, "wine"))
    events.close()
    assert "treino resume" in str(refusal_of(tr.open(tmp_path / "run").predict, "wine"))
