"""Several seeds, folds or rates: their figures are those of the networks trained alone."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from tests.conftest import Said
from treino.base.errors import TreinoError
from treino.data import load
from treino.data.dataset import Data
from treino.folders import data_source
from treino.training.learning_rate_search import choice, find_rate


def test_seeds_are_the_networks_that_each_would_be_alone(tmp_path: Path) -> None:
    sweep = tr.fit("wine", seeds=3, seed=4, epochs=8, lr=0.01, out=tmp_path / "s")
    values = sweep.figures["test"]["accuracy"]["values"]
    (engine,) = set(pd.read_parquet(tmp_path / "s/members.parquet")["engine"])
    for member, seed in enumerate((4, 5, 6)):
        alone = tr.fit("wine", seed=seed, data_seed=4, epochs=8, lr=0.01, engine=engine, parent=tmp_path)
        assert alone.metrics["test"]["accuracy"] == pytest.approx(values[member])
        mine, kept = alone.module.state_dict(), sweep.member(member).module.state_dict()
        assert all(mine[name].equal(kept[name]) for name in mine)
    found = sweep.figures["validation"]["loss"]
    assert found["mean"] == pytest.approx(np.mean(found["values"]))
    assert found["std"] == pytest.approx(np.std(found["values"], ddof=1))
    assert sweep.judge is None


def test_folds_hold_every_row_once(tmp_path: Path) -> None:
    sweep = tr.fit("iris", folds=3, epochs=5, lr=0.01, out=tmp_path / "s")
    values = sweep.figures["test"]["accuracy"]["values"]
    for member in range(3):
        alone = tr.fit("iris", fold=f"{member + 1}/3", epochs=5, lr=0.01, engine="batched", parent=tmp_path)
        assert alone.metrics["test"]["accuracy"] == pytest.approx(values[member])
        again = sweep.member(member)
        assert again.data.test.index.equal(alone.data.test.index)


def test_the_steps_to_a_figure_are_counted_one_by_one(tmp_path: Path) -> None:
    sweep = tr.fit("moons", seeds=3, epochs=10, lr=0.01, until=("accuracy", 0.8), out=tmp_path / "s")
    reached = sweep.document["reached"]["steps"]
    for seed, steps in enumerate(reached):
        data = tr.load("moons")
        for tick in tr.train(data, seeds=[seed], epochs=10, lr=0.01, data_seed=0, every=1, engine="batched"):
            with torch.no_grad():
                right = tick.net(data.validation.x).argmax(1) == data.validation.y
            if float(right.double().mean()) >= 0.8:
                break
        assert steps == tick.step
    assert (tmp_path / "s" / "members.parquet").is_file()


def test_an_interrupted_spread_goes_on(tmp_path: Path) -> None:
    from treino.training.loop import JobProgress
    from treino.training.sweeps.sweep import repeat_events, sweep_resumption

    settings = {"epochs": 20, "lr": 0.01}
    whole = tr.fit("iris", folds=3, until="accuracy=0.9", out=tmp_path / "w", **settings)
    events = repeat_events(
        "iris", folds=3, until="accuracy=0.9", settings={**settings, "out": str(tmp_path / "t")}
    )
    while not isinstance(next(events), JobProgress):
        pass
    events.close()
    document = list(sweep_resumption(tmp_path / "t"))[-1].document
    assert document["figures"] == whole.figures
    assert document["reached"] == whole.document["reached"]


def test_the_rate_that_is_chosen_has_good_neighbours() -> None:
    assert choice([3.0, 2.0, 1.0, 1.1, 1.2, 5.0, 0.1, None]) == 3
    assert choice([None, 1.0, None]) == 1
    with pytest.raises(TreinoError, match="diverges at every"):
        choice([None, None])


@pytest.mark.slow
def test_a_rate_is_found_and_kept(tmp_path: Path) -> None:
    run = tr.fit("wine", lr="auto", epochs=5, parent=tmp_path)
    kept = run.folder.read_json("rates.json")
    assert run.settings["lr"] == kept["chosen"]
    assert 1e-4 < kept["chosen"] < 0.3
    assert len(kept["rates"]) == len(kept["losses"]) == 64
    layers = tr.fit("iris", tr.mlp(4), lr="auto", epochs=5, parent=tmp_path, lean=True)
    assert layers.settings["hidden"] == [4]
    assert (layers.path / "rates.json").exists()
    own = tr.fit("iris", torch.nn.Linear(4, 3), lr="auto", epochs=5, parent=tmp_path)
    assert len(own.folder.read_json("rates.json")["rates"]) == 16
    assert own.metrics["train"]["accuracy"] > 0.7
    from treino.settings.spec import read_settings

    sgd = find_rate(load("wine"), read_settings({"optimizer": "sgd"}))
    assert sgd.chosen > kept["chosen"]
    assert all(math.isfinite(loss) for loss in sgd.losses[:32] if loss is not None)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"seeds": 1}, "seeds_range"),
        ({"folds": 1}, "folds_range"),
        ({"folds": 3, "test": 0.2}, "folds_and_test"),
        ({"until": "accuracy=1"}, "until_alone"),
        ({"seeds": 2, "until": "accuracy=0.8", "validation": 0.0}, "no_validation_rows"),
        ({"seeds": 2, "until": "acuracy=0.8"}, "until_metric"),
    ],
)
def test_what_several_networks_can_not_be(tmp_path: Path, words: dict[str, object], rule: str) -> None:
    with pytest.raises(TreinoError) as error:
        tr.fit("iris", parent=tmp_path / "runs", **words)
    assert error.value.rule == rule
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--seeds", "2")])
def test_rates_are_tried_on_the_rows_of_the_training_itself(
    words: tuple[str, ...], treino: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loaded once, and nothing in the folder tells of it: it is as if the rate had been typed."""
    sources: list[Any] = []

    def counted(source: Any, **arguments: Any) -> Data:
        sources.append(source)
        return load(source, **arguments)

    monkeypatch.setattr(data_source, "load", counted)
    settings = {"epochs": 2, "hidden": [4], "test": 0.2, "seed": 3}
    many = {"seeds": 2} if words else {}
    auto = tr.fit("iris", lr="auto", parent=tmp_path / "a", lean=True, **many, **settings)
    assert len(sources) == 1
    sources.clear()
    typed = ("iris", "--epochs", "2", "--hidden", "4", "--test", "0.2", "--seed", "3")
    assert treino("train", *typed, "--lr", "auto", "--name", "auto", *words).status == 0
    assert len(sources) == 1
    rate = json.loads((auto.path / "rates.json").read_text())["chosen"]
    assert treino("train", *typed, "--lr", rate, "--name", "by-hand", *words).status == 0
    found, by_hand = tr.open("auto"), tr.open("by-hand")
    spec, other = found.spec.model_dump(), by_hand.spec.model_dump()
    for key in spec.keys() - {"command", "versions", "asked", "base"}:
        assert spec[key] == other[key], key
    for key in spec.keys() & {"asked", "base"}:  # as typed, so that the rate of one is a text
        assert spec[key] | {"lr": rate, "name": ""} == other[key] | {"lr": rate, "name": ""}
    if words:
        assert found.figures == by_hand.figures == auto.figures
    else:
        assert np.array_equal(found.losses, by_hand.losses)
        assert np.array_equal(found.losses, auto.losses)
