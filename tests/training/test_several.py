"""Several seeds, folds or rates: their figures are those of the networks trained alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from tests.conftest import refusal_of
from treino.data import load
from treino.data.dataset import Data
from treino.folders import data_source
from treino.training.choices import choice


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


def test_the_rate_that_is_chosen_has_good_neighbours() -> None:
    assert choice([3.0, 2.0, 1.0, 1.1, 1.2, 5.0, 0.1, None]) == 3
    assert choice([None, 1.0, None]) == 1
    assert "diverges at every" in str(refusal_of(choice, [None, None]))


@pytest.mark.slow
def test_a_rate_is_found_and_kept(tmp_path: Path) -> None:
    run = tr.fit("wine", lr="auto", epochs=5, parent=tmp_path)
    kept = run.folder.read_json("rates.json")
    assert run.settings["lr"] == kept["chosen"]
    assert 1e-4 < kept["chosen"] < 0.3
    assert len(kept["rates"]) == len(kept["losses"]) == 64
    own = tr.fit("iris", torch.nn.Linear(4, 3), lr="auto", epochs=5, parent=tmp_path)
    assert len(own.folder.read_json("rates.json")["rates"]) == 16
    assert own.metrics["train"]["accuracy"] > 0.7


@pytest.mark.parametrize("many", [{}, {"seeds": 2}])
def test_rates_are_tried_on_the_rows_of_the_training_itself(
    many: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loaded once, and all but what decided the rate is as if it had been typed."""
    sources: list[Any] = []

    def counted(source: Any, **arguments: Any) -> Data:
        sources.append(source)
        return load(source, **arguments)

    monkeypatch.setattr(data_source, "load", counted)
    settings = {"epochs": 2, "hidden": [4], "test": 0.2, "seed": 3, "lean": True} | many
    auto = tr.fit("iris", lr="auto", out=tmp_path / "auto", **settings)
    assert len(sources) == 1
    rate = json.loads((auto.path / "rates.json").read_text())["chosen"]
    by_hand = tr.fit("iris", lr=rate, out=tmp_path / "by-hand", **settings)
    spec, other = auto.spec.model_dump(), by_hand.spec.model_dump()
    for key in spec.keys() - {"command", "versions", "sources"}:
        out = {"out": ""} if key in ("asked", "base") else {}
        assert (spec[key] | out if out else spec[key]) == (other[key] | out if out else other[key]), key
    if many:
        assert auto.figures == by_hand.figures
    else:
        assert np.array_equal(auto.losses, by_hand.losses)
        assert (spec["sources"], other["sources"]) == ({"lr": "data"}, {})
