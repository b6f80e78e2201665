"""A run trained again from its folder: equal in every bit; and where anything was changed, it says where."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader, Subset

from tests.conftest import refusal_of
from tests.forging import forge, reseal
from tests.reports.test_pictures_exported import save
from tests.training.test_moments import CASES, Items, Own, watched
from tests.waiting import until
from tests.workflows.test_resume import in_a_child
from treino import api
from treino.api import Run
from treino.api import open as open_result
from treino.base.errors import TreinoError
from treino.engine.kernels.lanes_library import why_missing
from treino.folders.documents.reading import check
from treino.folders.store.database import Database
from treino.settings.spec import read_settings
from treino.training.retraining import Comparison
from treino.training.train import Start, drain, train_events


def verified(run: Run, **how: Any) -> dict[str, Any]:
    """The document, which its own model accepts, and after which the folder is what it was."""
    before = content_of(run.path)
    document = run.verify(**how)
    assert content_of(run.path) == before
    check("run", "exports/verification.json", json.loads(json.dumps(document)), run.path)
    return document


def content_of(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def equal(run: Run, **how: Any) -> dict[str, Any]:
    document = verified(open_result(run.path) if not how.get("data") else run, **how)
    assert document["verdict"] == "equal", document["first_difference"]
    assert document["explanations"] == []
    assert document["compared"]["losses"]["compared"] == document["steps"]["trained"]
    return document


def trained(parent: Path, **asked: Any) -> Run:
    return api.fit("wine", parent=parent, lean=True, **{"epochs": 20, "every": 8, "seed": 1} | asked)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("verification"))


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    """A copy of it, of the test's own."""
    return open_result(shutil.copytree(made.path, tmp_path / "run"))


# ---- runs of every kind


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.parametrize("case", [*CASES][::-1])
def test_a_run_of_each_kind_and_kernel_is_equal(case: str, tmp_path: Path) -> None:
    run = trained(tmp_path, **{"epochs": 40} | CASES[case])
    whole = equal(run)
    assert whole["steps"]["trained"] == len(run.losses)
    assert whole["compared"]["states"]["compared"] > 3 * whole["compared"]["weights"]["compared"]


def test_ensembles(tmp_path: Path) -> None:
    equal(trained(tmp_path, ensemble=4, patience=5, dropout=0.2))


@pytest.mark.proof
def test_a_run_that_was_steered_rewound_and_branched(tmp_path: Path) -> None:
    run, _seen = watched("wine", {"epochs": 80, "every": 20}, tmp_path, command=(60, "lr", 0.05))
    equal(run)
    rewound = run.rewind(75, lr=1e-3, batch_size=16)
    again = rewound.rewind(100, optimizer="sgd", epochs=90)
    assert len(equal(again)["compared"]) == 6
    branch = again.at(130).branch(hidden=[80, 32, 8], epochs=100)
    equal(branch)
    ensemble = trained(tmp_path, ensemble=3).at(20).branch(weight_decay=0.1)
    equal(ensemble)


@pytest.mark.slow
def test_rows_networks_and_weights_from_elsewhere(tmp_path: Path) -> None:
    first = trained(tmp_path, epochs=3)
    run, _seen = watched("wine", {"seed": 9}, tmp_path, start=Start("first", first.tensors))
    equal(run)

    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"a": chance.normal(size=90), "b": chance.normal(size=90)})
    frame["y"], frame["z"] = np.where(frame.a * frame.b > 0, "yes", "no"), frame.a + frame.b
    equal(api.fit(frame, target="y", parent=tmp_path, epochs=5))
    equal(api.fit(frame, target="z", parent=tmp_path, epochs=5, recipe="table"))
    lean = api.fit(frame, target="y", parent=tmp_path, epochs=2, lean=True)
    document = verified(open_result(lean.path))
    assert (document["verdict"], document["now"]) == ("unverifiable", None)
    assert "keeps no copy" in document["reason"]

    own, _seen = watched("wine", {"every": 10}, tmp_path, net=Own())
    assert verified(open_result(own.path, net=Own()))["verdict"] == "equal"
    assert "given in Python" in str(refusal_of(open_result(own.path).verify))


@pytest.mark.slow
def test_a_dataset_is_given_again_and_a_stream_can_not_be(tmp_path: Path) -> None:
    equal(api.fit(Items(), parent=tmp_path, epochs=3))  # small: its rows are kept
    run = api.fit(Items(0.1), parent=tmp_path, lean=True, epochs=3, every=4)
    equal(open_result(run.path), data=Items(0.1))
    with pytest.raises(TreinoError, match="given in Python") as caught:
        open_result(run.path).verify()
    assert "run.verify(data)" in caught.value.hint
    other = Items(0.1)
    other.x = other.x * 2
    assert verified(open_result(run.path), data=other)["first_difference"]["kind"] == "losses"
    assert "not the data" in str(refusal_of(open_result(run.path).verify, Subset(Items(0.1), range(100))))
    loader = DataLoader(Items(), batch_size=16, shuffle=True)
    stream = api.fit(loader, parent=tmp_path, lean=True, epochs=3)
    document = verified(stream)
    assert document["verdict"] == "unverifiable"
    assert document["reason"]


@pytest.mark.slow
def test_photographs_several_targets_and_a_recipe(tmp_path: Path) -> None:
    for number in range(40):
        save(tmp_path / f"lights/{('dark', 'light')[number % 2]}/{number}.png", 40 + number % 2 * 110, number)
    equal(api.fit(tmp_path / "lights", parent=tmp_path / "runs", epochs=2, net="cnn", every=2))
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(chance.normal(size=(150, 3)), columns=["a", "b", "c"])
    frame["y"], frame["z"], frame["w"] = frame.a * frame.b, frame.a - frame.c, chance.integers(1, 4, 150)
    frame["k"] = np.where(frame.y > 0, "p", "q")
    frame.to_csv(tmp_path / "t.csv", index=False)
    for asked in (
        {"target": ["y", "z"], "every": 6},
        {"target": "k", "recipe": "table", "ensemble": 4, "threshold": "auto"},
        {"target": "z", "row_weights": "w", "coverage": 0.8, "inputs": "bins", "gates": 1},
    ):
        run = api.fit(str(tmp_path / "t.csv"), parent=tmp_path / "runs", epochs=6, **asked)
        assert equal(run)["compared"]["figures"]["compared"] > 10


def test_a_run_on_a_gpu_is_not_tried(run: Run) -> None:
    forge(run.path, "spec.json", lambda spec: put(spec, "cuda", "resolved", "device"))
    document = verified(open_result(run.path))
    assert document["verdict"] == "unverifiable"
    assert "cuda" in document["reason"]


@pytest.mark.slow
def test_an_interrupted_run_is_verified_up_to_where_it_is(tmp_path: Path) -> None:
    settings = read_settings({"steps": 100_000, "every": 500, "name": "run", "hidden": [4]})
    pid = in_a_child(lambda: drain(train_events("wine", settings, parent=tmp_path, checkpoint_seconds=0.1)))
    path = tmp_path / "run"
    until(lambda: (path / "spec.json").exists() and len(open_result(path).losses) > 2000)
    assert "is training" in str(refusal_of(open_result(path).verify))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    document = equal(open_result(path))
    assert document["status"] == "interrupted"
    assert document["steps"]["trained"] > 2000
    assert {"losses", "states"} <= document["compared"].keys()
    assert not {"weights", "figures"} & document["compared"].keys()


@pytest.mark.parametrize("ensemble", [1, 3])
def test_a_run_that_a_time_limit_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ensemble: int
) -> None:
    with monkeypatch.context() as patched:
        looks = iter(range(1, 10**9))
        patched.setattr("treino.training.train.Clock.spent", property(lambda _clock: float(next(looks))))
        patched.setattr("treino.training.train.CHUNK_SECONDS", 1e-9)
        run = trained(tmp_path, ensemble=ensemble, epochs=100, patience=0, time_limit=12)
    assert len(run.losses) < 400
    equal(run)


def test_another_kernel_is_close_and_no_more(tmp_path: Path) -> None:
    run = trained(tmp_path, engine="batched")
    document = verified(open_result(run.path), engine="module")
    assert document["verdict"] == "close"
    assert document["first_difference"]["relative"] < 1e-5
    assert "module" in document["explanations"][0]
    assert document["command"].endswith("--engine module")
    assert "no engine" in str(refusal_of(run.verify, engine="modul"))


# ---- networks of a sweep


@pytest.mark.slow
def test_networks_of_a_sweep_and_its_winner(tmp_path: Path) -> None:
    space = {"lr": [0.003, 0.03], "hidden": [[8], [8, 8]], "dropout": [0, 0.3]}
    found = api.sweep("wine", space, epochs=9, parent=tmp_path, fresh=0)
    for leader in found.leaderboard[:3]:
        document = found.member(leader["member"]).verify()
        assert document["verdict"] == "equal", document["first_difference"]
        assert document["compared"]["weights"]["compared"] > 100
        assert document["compared"]["validation"]["compared"] > 4
        check("run", "exports/verification.json", document, found.path)
    equal(found.best)
    number = found.leaderboard[0]["member"]
    change_tensor(found.path / "models.safetensors", f"{number}/0.weight", 3)
    reseal(found.path)
    document = open_result(f"{found.path}:{number}").verify()
    assert document["verdict"] == "different"
    assert document["first_difference"]["name"] == "0.weight"
    assert "as the sweep did it" in str(refusal_of(found.member(number).verify, engine="module"))


def test_folds_and_ensembles_of_a_sweep(tmp_path: Path) -> None:
    folds = api.fit("iris", folds=3, epochs=4, parent=tmp_path)
    together = api.sweep("iris", {"lr": [0.01, 0.03]}, ensemble=3, epochs=4, parent=tmp_path, fresh=0)
    for sweep in (folds, together):
        for number in (0, 1):
            assert open_result(f"{sweep.path}:{number}").verify()["verdict"] == "equal"


# ---- what was changed is told, and where


def put(document: dict[str, Any], value: Any, *keys: Any) -> dict[str, Any]:
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return document


def change_tensor(file: Path, name: str, place: int, bit: int = 0) -> None:
    """Turn over one bit of one number."""
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        facts = opened.metadata()
    tensors = load_file(file)
    tensors[name].view(torch.int32).view(-1)[place] ^= 1 << bit
    save_file(tensors, file, facts)


def change_loss(run: Run, step: int, bit: int = 0) -> None:
    """Turn over one bit of the loss of this step, and make its table's checksum fit."""
    database = Database.writing(run.path / "run.sqlite")
    losses = np.array(database.losses(0))
    losses.view(np.int32)[step - 1] ^= 1 << bit
    database.cut(0, 0, 10**6)
    database.add_losses(0, 0, losses)
    database.close()


def test_one_changed_bit_of_a_weight_or_a_state(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "copy")
    copy = open_result(tmp_path / "copy")
    change_tensor(copy.path / "model.safetensors", "2.bias", 5)
    reseal(copy.path)
    document = verified(open_result(copy.path))
    first = document["first_difference"]
    assert document["verdict"] == "different"
    assert (first["kind"], first["name"], first["numbers"], first["of"]) == ("weights", "2.bias", 1, 32)
    assert 0 < first["relative"] < 1e-6
    assert "changed after it was written" in document["explanations"][0]
    assert document["compared"]["losses"]["equal"] == len(run.losses)

    for name, part in (("params", "0.weight"), ("moment.1", "0.weight (moment.1)")):
        shutil.rmtree(copy.path)
        shutil.copytree(run.path, copy.path)
        change_tensor(copy.path / "keyframes/0-24.safetensors", name, 7, bit=9)
        reseal(copy.path)
        document = verified(open_result(copy.path))
        first = document["first_difference"]
        assert (first["step"], first["kind"], first["name"], first["numbers"]) == (24, "states", part, 1)


@pytest.mark.slow
def test_a_changed_loss_setting_or_figure(run: Run, tmp_path: Path) -> None:
    end = len(run.losses)
    cases: list[tuple[str, float, tuple[Any, ...], tuple[int, str, str]]] = [
        ("spec.json", 0.01, ("asked", "lr"), (0, "settings", "lr")),
        ("spec.json", 0.01, ("resolved", "lr"), (0, "settings", "lr")),
        ("result.json", 1.0, ("metrics", "test", "accuracy"), (end, "figures", "metrics.test.accuracy")),
        ("result.json", 0.1, ("loss", "train", 3), (end, "figures", "loss.train.3")),
        ("", 33, (), (33, "losses", "")),
    ]
    assert run.metrics["test"]["accuracy"] < 1
    for number, (name, value, keys, where) in enumerate(cases):
        path = Path(shutil.copytree(run.path, tmp_path / f"copy-{number}"))
        if name:
            forge(path, name, lambda made, value=value, keys=keys: put(made, value, *keys))
        else:
            change_loss(open_result(path), int(value))
            reseal(path)
        document = verified(open_result(path))
        first = document["first_difference"]
        assert (first["step"], first["kind"], first["name"]) == where, number
        assert document["verdict"] == "different"
        assert document["explanations"]


@pytest.mark.slow
def test_what_changes_a_prediction_is_made_again(tmp_path: Path) -> None:
    """Threshold, scores, who of an ensemble answers and how much, classes, the target's units, rows' form."""
    settings = {"lean": True, "epochs": 4, "hidden": [5], "parent": tmp_path}
    of_two = api.fit("breast_cancer", threshold="cost=1:5", coverage=0.9, name="two", **settings)
    of_numbers = api.fit("diabetes", name="numbers", **settings)
    of_many = api.fit("wine", ensemble=4, name="many", **settings)
    table = tmp_path / "t.csv"
    table.write_text("a,b,y,z\n" + "".join(f"{n},{n % 7},{n * 2},{n % 5 + n}\n" for n in range(80)))
    of_targets = api.fit(table, target="y,z", name="targets", **settings)
    cases: list[tuple[Run, str, tuple[Any, ...], Callable[[Any], Any], str]] = [
        (of_two, "result.json", ("threshold", "value"), lambda p: p * 0.9, "threshold.value"),
        (of_two, "result.json", ("prediction_sets", "scores", 7), lambda s: s + 0.01,
         "prediction_sets.scores.7"),
        (of_two, "spec.json", ("classes",), lambda c: c[::-1], "classes.0"),
        (of_numbers, "spec.json", ("target_scale",), lambda s: s * 2, "target_scale"),
        (of_many, "result.json", ("answering",), lambda a: a[::-1], "answering.0"),
        (of_targets, "result.json", ("targets", "z", "prediction_intervals", "scores", 2), lambda s: s / 2,
         "targets.z.prediction_intervals.scores.2"),
        (of_targets, "spec.json", ("data", "written"), lambda _: {"decimal": ","}, "written.decimal"),
    ]  # fmt: skip
    for number, (run, name, keys, change, where) in enumerate(cases):
        equal(run) if number == 0 or run is not cases[number - 1][0] else None
        shutil.copytree(run.path, path := tmp_path / f"copy-{number}")
        *inner, last = keys
        holder = reduce(lambda held, key: held[key], inner, json.loads((path / name).read_text()))
        value = change(holder[last] if isinstance(holder, list) else holder.get(last))
        forge(path, name, lambda made, value=value, keys=keys: put(made, value, *keys))
        document = verified(open_result(path))
        first = document["first_difference"] or {}
        assert (where, document["verdict"], first.get("name")) == (where, "different", where)
    shutil.copytree(of_two.path, path := tmp_path / "prepared")
    forge(path, "preparation.json", lambda made: put(made, made["mean"][0] + 1, "mean", 0))
    assert "is prepared differently now" in str(refusal_of(open_result(path).verify))


def test_what_can_not_be_made_again_is_said(made: Run, tmp_path: Path) -> None:
    """A frame's rows are kept as they were prepared, so nothing tells how new ones were to be."""
    frame = pd.DataFrame({"a": [*range(60)], "y": ["p", "q", "p"] * 20})
    run = api.fit(frame, target="y", parent=tmp_path, epochs=2)
    (sentence,) = equal(run)["not_compared"]
    assert "preparation.json" in sentence
    assert equal(made)["not_compared"] == []


@pytest.mark.slow
def test_on_another_machine_rounding_is_named_and_bits_of_lanes_are_not(tmp_path: Path) -> None:
    for engine in ("batched", "lanes"):
        if engine == "lanes" and why_missing():
            continue
        run = trained(tmp_path, engine=engine)
        change_loss(run, 33)
        forge(run.path, "spec.json", lambda spec: put(spec, "NEON", "machine", "vectors"))
        document = verified(open_result(run.path))
        assert document["verdict"] == ("close" if engine == "batched" else "different")
        assert any("NEON" in each for each in document["explanations"]) == (engine == "batched")
        forge(run.path, "spec.json", lambda spec: put(spec, "1.0", "versions", "torch"))
        document = verified(open_result(run.path))
        assert document["verdict"] == "close"
        assert any("version of torch: 2" in each for each in document["explanations"])


# ---- the comparison itself

numbers = st.lists(st.floats(width=32), min_size=1, max_size=9)


@given(numbers, st.data())
def test_equal_is_every_bit_and_nan_is_equal_to_nan(values: list[float], data: st.DataObject) -> None:
    recorded = np.array(values, np.float32)
    same = Comparison()
    same.arrays("weights", 3, "w", recorded, recorded.copy())
    assert same.first is None
    place, bit = data.draw(st.integers(0, len(values) - 1)), data.draw(st.integers(0, 31))
    found = recorded.copy()
    found.view(np.int32)[place] ^= np.int32(1 << bit) if bit < 31 else np.int32(-(2**31))
    other = Comparison()
    other.arrays("weights", 3, "w", recorded, found)
    both_nan = bool(np.isnan(recorded[place]) and np.isnan(found[place]))
    assert (other.first is None) == both_nan
    assert other.tallies["weights"].equal == len(values) - (not both_nan)
