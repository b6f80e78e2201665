"""The refit of a run: a network for new rows that learnt from all of them, beside the one that was judged."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import treino
from tests.conftest import Treino, refusal_of
from treino.api import Run
from treino.api import open as open_result
from treino.fit_events import FitRequest, fit_events
from treino.folders.network_source import UserFiles
from treino.reports.export.formats import exported
from treino.sklearn import Classifier, Regressor
from treino.training.loop import JobEnd, JobRefit, last_event

pytestmark = pytest.mark.usefixtures("bare")


@pytest.fixture
def frame() -> pd.DataFrame:
    r = np.random.default_rng(0)
    n = 240
    a, b, when = r.normal(size=n), r.choice(["x", "y", "z"], n), np.arange(0.0, 2 * n, 2)
    price = 50 + 9 * a + 5 * (b == "x") + r.normal(size=n)
    label = np.where(price > 50, "high", "low")
    return pd.DataFrame({"a": a, "b": b, "when": r.permutation(when), "price": price, "label": label})


def fitted(frame: pd.DataFrame, parent: Path, target: Any = "price", **settings: Any) -> Run:
    left_out = {"price", "label"} - set([target] if isinstance(target, str) else target)
    columns = [c for c in frame if c not in left_out]
    own: dict[str, Any] = {"recipe": "plain", "epochs": 12, "lr": 0.01} | settings
    return treino.fit(frame[columns], target=target, parent=parent, **own)


def same_weights(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_judged_run_is_the_same_to_the_bit(frame: pd.DataFrame, tmp_path: Path) -> None:
    plain, refit = (fitted(frame, tmp_path / str(on), refit=on) for on in (False, True))
    for name in ("model.safetensors", "preparation.json", "data.safetensors", "row_hashes.safetensors"):
        assert plain.folder.read_bytes(name) == refit.folder.read_bytes(name), name
    told = [dict(run.document) for run in (plain, refit)]
    for document in told:
        document["settings"] = {k: v for k, v in document["settings"].items() if k != "refit"}
        for name in ("path", "seconds", "evaluation_seconds", "epoch_seconds", "refit", "waited"):
            document.pop(name, None)
    assert told[0] == told[1]
    np.testing.assert_array_equal(plain.losses, refit.losses)
    assert plain.refit is None
    assert plain.refit_note == ""
    same_weights(plain.state, refit.state)


@pytest.mark.parametrize("more", [{"schedule": "cosine", "ema": 0.9, "dropout": 0.2}, {"steps": 90}])
def test_it_equals_a_training_on_all_rows(frame: pd.DataFrame, tmp_path: Path, more: dict[str, Any]) -> None:
    if "steps" in more:
        more = more | {"epochs": None}
    run = fitted(frame, tmp_path, refit=True, patience=3, **more)
    assert run.refit is not None
    length: dict[str, Any] = {"epochs": run.document["kept_epoch"]}
    if "steps" in more:  # as many passes: 8 steps an epoch instead of 6
        length = {"epochs": None, "steps": round(run.document["kept_step"] * 8 / 6)}
    alone = fitted(frame, tmp_path, validation=0, test=0, **more | length)
    same_weights(run.refit.state, alone.state)
    assert run.refit.preparation.to_json() == alone.preparation.to_json()
    assert run.refit.facts.rows == {"train": 240, "validation": 0, "test": 0}


def test_networks_that_answer_train_each_for_as_long_as_it_did(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = fitted(frame, tmp_path, refit=True, ensemble=4, epochs=60, patience=4, lr=0.1)
    refit, result = run.refit, run.result
    assert refit is not None
    assert result is not None
    assert refit.result is not None
    assert sorted(refit.result.answering) == sorted(result.answering)
    kept = [member.kept_epoch for member in result.members]
    assert len({kept[n] for n in result.answering}) > 1  # else this tests nothing
    for place, number in enumerate(refit.result.answering):
        own = {"seed": result.members[number].seed, "data_seed": 0, "epochs": kept[number]}
        alone = fitted(frame, tmp_path, validation=0, test=0, **own | {"lr": 0.1})
        same_weights(dict(refit.module.members[place].state_dict()), dict(alone.module.state_dict()))


def test_it_predicts(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = fitted(frame, tmp_path, refit=True)
    own = open_result(run.path / "refit")
    found, judged = run.predict(frame), run.as_judged().predict(frame)
    np.testing.assert_array_equal(found["prediction"], own.predict(frame)["prediction"])
    assert np.abs(found["prediction"] - judged["prediction"]).max() > 1e-3
    # the intervals are as wide as the judged network's errors on held-back rows make them
    quantile = run.document["prediction_intervals"]["quantile"]
    for each in (found, judged):
        np.testing.assert_allclose((each["high"] - each["low"]) / 2, quantile, rtol=1e-5)
        np.testing.assert_allclose((each["high"] + each["low"]) / 2, each["prediction"], rtol=1e-5)


def test_a_threshold_stays_the_judged_one(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = fitted(frame, tmp_path, "label", refit=True, threshold="cost=1:9", coverage=0.8)
    found, threshold = run.predict(frame), run.document["threshold"]["value"]
    positive = run.document["threshold"]["positive"]
    said = (found["prediction"] == positive).to_numpy()
    np.testing.assert_array_equal(said, found[f"probability_{positive}"] >= threshold)
    assert threshold < 0.45
    assert {len(each) for each in found["set"]} <= {0, 1, 2}


@pytest.mark.parametrize(
    "how",
    [
        {"split_time": "when", "test": 0},
        {"split_group": "b", "validation": 0, "keep": "last"},
        {"fold": "2/5", "batch_size": "full"},
        {"target": ["price", "a"], "row_weights": "when=0"},
    ],
)
def test_all_rows_train(frame: pd.DataFrame, tmp_path: Path, how: dict[str, Any]) -> None:
    run = fitted(frame, tmp_path, **{"target": "price", "refit": True, "epochs": 3} | how)
    assert run.refit is not None
    rows = 239 if "row_weights" in how else 240  # a weight of 0 leaves a row out
    assert run.refit.facts.rows == {"train": rows, "validation": 0, "test": 0}
    assert "rows" in run.refit_note
    assert len(run.predict(frame)) == 240


def test_a_column_that_splits_is_no_feature_of_it(frame: pd.DataFrame, tmp_path: Path) -> None:
    part = np.where(frame.index % 5 == 0, "test", np.where(frame.index % 5 == 1, "validation", "train"))
    run = fitted(frame.assign(part=part), tmp_path, refit=True, split_column="part")
    assert run.refit is not None
    assert run.refit.facts.features == run.facts.features == ("a", "b", "when")
    assert run.refit.facts.rows["train"] == 240


def test_rows_in_a_file_of_their_own_stay_out(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = fitted(frame[:200], tmp_path, refit=True, test=frame[200:].drop(columns=["label"]))
    assert run.refit is not None
    assert run.refit.facts.rows == {"train": 200, "validation": 0, "test": 0}
    assert run.facts.rows["test"] == 40


@pytest.mark.slow
def test_what_predicts_was_trained_on_all_rows_says_predict(
    frame: pd.DataFrame, treino: Treino, tmp_path: Path
) -> None:
    frame.drop(columns="label").to_csv(tmp_path / "t.csv", index=False)
    treino("train", "t.csv", "--target", "price", "--epochs", "5", "--recipe", "plain", "--refit")
    judged = treino("predict", "t-1", "t.csv", "--judged", "--json").document
    found = treino("predict", "t-1", "t.csv", "--json").document
    assert judged["training_rows"] == 168
    assert "other_metrics" in judged
    assert found["training_rows"] == 240
    assert "other_metrics" not in found
    assert any("all 240 rows" in note for note in found["notes"])
    assert not any("all 240 rows" in note for note in judged["notes"])
    document = treino("show", "t-1", "--json").document
    assert document["refit"]["path"].endswith("refit")
    assert "all 240 rows" in treino("show", "t-1").out
    assert treino("verify", "t-1/refit", "--json").document["verdict"] == "equal"
    assert treino("verify", "t-1", "--json").document["verdict"] == "equal"


KINDS: dict[str, dict[str, Any]] = {"one": {}, "several": {"ensemble": 3, "patience": 2, "epochs": 20}}


def events_to_a_refit(frame: pd.DataFrame, parent: Path, **settings: Any) -> Path:
    """Train, and be killed amid the refit. -> the run's folder."""
    stream, _rates = fit_events(FitRequest(frame, settings | {"refit": True}, UserFiles(), parent=parent))
    for event in stream:
        if isinstance(event, JobRefit):
            break
    path: Path = event.job.folder.path.parent
    stream.close()
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_refit_that_was_cut_short_goes_on(
    frame: pd.DataFrame, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.training.train.CHUNK_SECONDS", 0.0005)
    whole = fitted(frame, tmp_path / "whole", refit=True, **KINDS[kind])
    own = {"recipe": "plain", "epochs": 12, "lr": 0.01, "target": "price"} | KINDS[kind]
    path = events_to_a_refit(frame.drop(columns="label"), tmp_path / "cut", **own)
    run = open_result(path)
    assert run.status == "finished"
    assert run.refit is None
    assert run.awaits_refit
    assert "resume" in run.refit_note
    np.testing.assert_array_equal(
        run.predict(frame)["prediction"], whole.as_judged().predict(frame)["prediction"]
    )
    again = run.resume()
    assert again.path == path
    assert again.refit is not None
    assert not again.awaits_refit
    same_weights(again.refit.state, whole.refit.state)
    assert refusal_of(again.resume).rule == "nothing_to_resume"


@pytest.mark.slow
def test_a_file_is_read_again_for_a_resumed_run(frame: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    frame.drop(columns="label").to_csv(file, index=False)
    own = {"recipe": "plain", "epochs": 12, "lr": 0.01, "target": "price", "split_time": "when"}
    whole = treino.fit(str(file), parent=tmp_path / "whole", refit=True, **own)
    stream, _rates = fit_events(FitRequest(str(file), own | {"refit": True}, UserFiles(), parent=tmp_path))
    path = next(stream).job.folder.path
    stream.close()
    again = open_result(path).resume()
    same_weights(again.refit.state, whole.refit.state)
    file.write_text(file.read_text() + "1,x,999,3\n")
    assert again.predict(frame[:3]).shape[0] == 3  # which needs no data


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layers(x)
        return answer


def test_a_network_of_ones_own_begins_with_the_same_weights(frame: pd.DataFrame, tmp_path: Path) -> None:
    net = Net()
    own: dict[str, Any] = {"target": "price", "epochs": 4, "recipe": None, "lr": 0.01}
    rows = frame.drop(columns="label")
    run = treino.fit(rows, copy.deepcopy(net), refit=True, parent=tmp_path, **own)
    kept = run.document["kept_epoch"]
    alone = treino.fit(
        rows, copy.deepcopy(net), validation=0, test=0, parent=tmp_path, **own | {"epochs": kept}
    )
    assert run.refit is not None
    same_weights(run.refit.state, alone.state)
    again = open_result(run.path, net=copy.deepcopy(net))
    np.testing.assert_array_equal(again.predict(rows)["prediction"], alone.predict(rows)["prediction"])


def test_a_network_too_narrow_for_all_rows_is_refused_before_it_trains(tmp_path: Path) -> None:
    words = ["x"] * 60 + ["y"] * 60
    frame = pd.DataFrame({"a": np.arange(120.0), "b": words, "when": np.arange(120)})
    frame.loc[119, "b"] = "z"  # only the latest row has it
    frame["price"] = frame["a"] * 2

    class Narrow(Net):
        def __init__(self) -> None:
            super().__init__()
            self.layers[0] = nn.Linear(2, 6)

    how: dict[str, Any] = {"target": "price", "split_time": "when", "epochs": 2, "parent": tmp_path}
    assert treino.fit(frame, Narrow(), **how).status == "finished"
    with pytest.raises(treino.TreinoError):
        treino.fit(frame, Narrow(), refit=True, name="no", **how)
    assert not (tmp_path / "no").exists()


@pytest.mark.slow
def test_settings_that_changed_on_the_way_have_no_refit(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = fitted(frame, tmp_path, refit=True)
    assert run.refit is not None
    later = run.rewind(20, lr=0.002)
    assert later.refit is None
    assert not later.awaits_refit
    assert "settings changed" in later.refit_note
    branch = run.at(20).branch(lr=0.003)
    assert branch.refit is None
    assert "settings changed" in branch.refit_note
    found = later.predict(frame)["prediction"]
    np.testing.assert_array_equal(found, later.as_judged().predict(frame)["prediction"])


@pytest.mark.slow
@pytest.mark.parametrize("step", [8, 20])
def test_a_way_gone_again_without_a_change_leads_to_the_same_refit(
    frame: pd.DataFrame, tmp_path: Path, step: int
) -> None:
    run = fitted(frame, tmp_path, refit=True)
    assert run.refit is not None
    later = run.rewind(step)
    assert all(later.tensors[name].equal(tensor) for name, tensor in run.tensors.items())
    assert later.refit is not None
    assert later.refit.path == run.refit.path
    assert "Its refit predicts" in later.refit_note
    branch = run.at(step).branch()
    assert branch.refit is not None
    same_weights(branch.refit.tensors, run.refit.tensors)


def test_a_sweep_refits_its_winner(frame: pd.DataFrame, tmp_path: Path) -> None:
    own: dict[str, Any] = {"target": "price", "epochs": 4, "parent": tmp_path, "fresh": 0}
    rows = frame.drop(columns="label")
    sweep = treino.sweep(rows, "lr=1e-3|1e-2", refit=True, **own)
    best = sweep.best
    assert best.refit is not None
    assert best.refit.facts.rows["train"] == 240
    np.testing.assert_array_equal(
        sweep.predict(rows)["prediction"], open_result(best.path / "refit").predict(rows)["prediction"]
    )


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ({"seeds": 2}, "refit_of_several"),
        ({"folds": 2}, "refit_of_several"),
        ({"validation": 0, "test": 0}, "refit_nothing"),
    ],
)
def test_what_can_have_no_refit(frame: pd.DataFrame, tmp_path: Path, how: dict[str, Any], rule: str) -> None:
    assert refusal_of(fitted, frame, tmp_path, refit=True, **how).rule == rule
    assert not list(tmp_path.iterdir())


def test_loaded_rows_were_prepared_before(frame: pd.DataFrame, tmp_path: Path) -> None:
    data = treino.load(frame.drop(columns="label"), target="price")
    assert refusal_of(treino.fit, data, refit=True, parent=tmp_path).rule == "data_is_loaded"
    assert refusal_of(treino.study, data, refit=True, parent=tmp_path).rule == "not_in_a_study"


@pytest.mark.slow
def test_estimators_predict_with_it(frame: pd.DataFrame) -> None:
    x, y = frame[["a", "when"]].to_numpy(), frame["price"].to_numpy()
    own = {"recipe": "plain", "epochs": 8, "lr": 0.01, "random_state": 3}
    judged, refit = Regressor(**own).fit(x, y), Regressor(refit=True, **own).fit(x, y)
    same_weights(dict(judged.module_.state_dict()), dict(refit.run_.module.state_dict()))
    assert np.abs(judged.predict(x) - refit.predict(x)).max() > 1e-3
    assert refit.run_.refit is not None
    np.testing.assert_allclose(refit.predict(x), refit.run_.predict(x), rtol=1e-5)
    wide = np.diff(refit.predict_interval(x), axis=1)
    np.testing.assert_allclose(wide, np.diff(judged.predict_interval(x), axis=1), rtol=1e-6)
    of_classes = Classifier(refit=True, epochs=8, random_state=3).fit(x, frame["label"])
    shares = of_classes.predict_proba(x)
    np.testing.assert_array_equal(of_classes.predict(x), of_classes.classes_[shares.argmax(1)])
    assert of_classes.run_.refit is not None


def test_a_script_is_of_the_refit(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.drop(columns="label").to_csv(tmp_path / "t.csv", index=False)
    how = {"target": "price", "recipe": "table", "epochs": 6, "refit": True, "name": "r", "parent": tmp_path}
    code = exported(treino.fit(tmp_path / "t.csv", **how)).paths[0].read_text()
    assert "MEMBER_EPOCHS" in code
    assert "the refit of r" in code.replace("\n", " ")


def test_events_end_once(frame: pd.DataFrame, tmp_path: Path) -> None:
    own = {"recipe": "plain", "epochs": 3, "target": "price", "refit": True}
    stream, _rates = fit_events(FitRequest(frame.drop(columns="label"), own, UserFiles(), parent=tmp_path))
    seen = list(stream)
    assert [isinstance(event, JobEnd) for event in seen].count(True) == 1
    assert any(isinstance(event, JobRefit) for event in seen)
    assert seen[-1].document["refit"]["path"].endswith("refit")
    assert last_event(iter(seen)).job.run.name == "frame-1"


def test_a_sweep_that_answers_together_has_no_refit(frame: pd.DataFrame, tmp_path: Path) -> None:
    rows = frame.drop(columns="label")
    found = refusal_of(
        treino.sweep, rows, "lr=1e-3|1e-2", target="price", ensemble=2, refit=True, parent=tmp_path
    )
    assert found.rule == "refit_of_ensemble"


@pytest.mark.parametrize("net", ["file, several", "pictures", "lean"])
def test_of_every_kind_of_network_and_rows(tmp_path: Path, net: str) -> None:
    (tmp_path / "mynet.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Linear(13, 5), nn.ReLU(), nn.Linear(5, 3))\n"
    )
    own: dict[str, Any] = {"epochs": 3, "refit": True, "parent": tmp_path}
    source: Any = "wine"
    if net.startswith("file"):
        own |= {"net": f"{tmp_path / 'mynet.py'}:Net", "ensemble": 3}
    else:
        r = np.random.default_rng(0)
        source = r.integers(0, 255, (90, 12, 12)).astype(np.uint8), r.integers(0, 2, 90)
        own |= {"net": treino.cnn(3)} if net == "pictures" else {"lean": True}
    run = treino.fit(source, **own)
    assert run.refit is not None
    assert run.refit.facts.rows["train"] == sum(run.facts.rows.values())
    again = open_result(run.path, trust=True)
    assert again.refit is not None
    same_weights(again.refit.state, dict(run.refit.module.state_dict()))
    if net == "file, several":
        assert again.result is not None
        assert set(again.refit.result.answering) == set(again.result.answering)


def test_members_with_their_own_lengths_replay(frame: pd.DataFrame, tmp_path: Path) -> None:
    own = {"validation": 0, "test": 0, "ensemble": 3, "epochs": None, "member_epochs": [3, 0, 5], "every": 9}
    run = fitted(frame, tmp_path, **own)
    assert run.document["epochs"] == 5
    assert run.document["answering"] == [0, 2]
    assert [member["kept_epoch"] for member in run.document["members"]] == [3, 0, 5]
    per = run.spec.steps_per_epoch
    assert [member["steps"] for member in run.document["members"]] == [3 * per, 0, 5 * per]
    assert run.verify()["verdict"] == "equal"
    for step in (0, 2 * per, 4 * per + 1):  # from keyframes and from the start
        assert run.at(step).step == step
    x = run.data.train.x[:5]
    torch.testing.assert_close(run.at(5 * per).net(x), run.module(x))


@pytest.mark.slow
def test_two_runs_are_compared_by_the_networks_that_predict(frame: pd.DataFrame, tmp_path: Path) -> None:
    rows = frame.drop(columns="label")
    one, other = fitted(frame, tmp_path, refit=True), fitted(frame, tmp_path, seed=1)
    more = rows.assign(a=rows["a"] + 0.01)
    found = one.compare(other, more)
    error = one.predict(more)["prediction"] - more["price"]
    rmse = next(figure for figure in found.figures if figure.metric == "rmse")
    assert rmse.a == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
    assert any("all 240 rows" in note for note in found.notes)
    assert one.compare(other, rows).trained_on == {"a": 240, "b": 168}
