"""The recipe for tables, and the settings that only the networks of an ensemble have."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import treino as tr
from treino import recipes
from treino.engine.gates import gates_of
from treino.errors import TreinoError
from treino.spec import read_settings
from treino.training.resolution import plan


def table(rows=240):
    r = np.random.default_rng(3)
    a, b = r.normal(size=rows), r.normal(size=rows)
    kind = r.choice(["red", "green", "blue"], rows)
    price = 3 * a * (kind == "red") + np.abs(b) + r.normal(size=rows) / 10
    return pd.DataFrame({"a": a, "kind": kind, "b": b, "price": price})


@pytest.fixture(scope="module")
def data():
    return tr.load(table(), target="price")


def test_the_recipe_fills_what_is_left_open_and_nothing_else():
    found = read_settings({"recipe": "table", "ema": 0.5, "hidden": (8,)})
    assert (found.ema, found.hidden, found.ensemble, found.gates) == (0.5, (8,), 8, 6.0)
    assert (found.optimizer, found.lr, found.weight_decay) == ("adamw", 2e-3, 1e-2)
    assert (found.dropout, found.dropout_spread, found.plain_members) == (0.4, True, 2)
    again = read_settings({name: getattr(found, name) for name in found.model_fields_set})
    assert again == found
    assert read_settings({}).ensemble == 1


def test_another_optimizer_keeps_its_own_rate():
    found = read_settings({"recipe": "table", "optimizer": "sgd"})
    assert (found.optimizer, found.lr, found.weight_decay) == ("sgd", None, 0.0)


def test_one_network_has_nothing_to_share_out():
    found = read_settings({"recipe": "table", "ensemble": 1})
    assert (found.dropout, found.dropout_spread, found.plain_members) == (None, False, 0)


@given(rows=st.integers(1, 10**7))
def test_batches_are_powers_of_two_about_a_fiftieth_of_the_rows(rows):
    size = recipes.batch_rows(rows)
    assert 32 <= size <= 512
    assert size & (size - 1) == 0
    if 32 * 50 <= rows <= 512 * 50:
        assert rows / 50 / 1.5 < size < rows / 50 * 1.5


@given(batches=st.integers(1, 10**6))
def test_it_may_train_for_five_thousand_steps_and_twenty_epochs(batches):
    epochs, patience = recipes.length(batches)
    assert epochs * batches >= 5000
    assert epochs >= 20
    assert 20 <= patience <= epochs


def test_members_drop_shares_of_their_own(data):
    settings = read_settings({"ensemble": 5, "dropout": 0.5, "dropout_spread": True, "epochs": 1})
    planned = plan(settings, data)
    rate_P = planned.training.state.population.hp["dropout"]
    assert torch.allclose(rate_P.sort().values, torch.tensor([0.05, 0.15, 0.25, 0.35, 0.45]).double())
    other = plan(settings.model_copy(update={"seed": 1}), data).training.state.population.hp["dropout"]
    assert not torch.equal(rate_P, other)
    assert planned.settings["dropout"] == 0.5


def test_gates_of_a_column_and_of_its_bins():
    gates = gates_of(6, (0, 0, 0, 1, 2, 2), (False, True, True, False, False, True), 2.0)
    assert gates.column_D == (0, 1, 1, 2, 3, 4)
    assert gates.bin_G == (False, True, False, False, True)
    assert gates_of(3, (), (), 2.0).column_D == (0, 1, 2)


def test_a_run_by_the_recipe_is_kept_resumed_and_asked(tmp_path):
    run = tr.fit(table(), target="price", recipe="table", epochs=3, name="a", parent=tmp_path)
    assert len(run.module.members) == 4
    assert run.settings["recipe"] == "table"
    assert run.settings["batch_size"] == 32
    again = tr.open(tmp_path / "a")
    frame = table(9).drop(columns="price")
    assert np.allclose(again.predict(frame)["prediction"], run.predict(frame)["prediction"])
    first = tr.fit(table(), target="price", recipe="table", epochs=3, name="b", parent=tmp_path)
    assert run.state.keys() == first.state.keys()
    for name, value in run.state.items():
        assert torch.equal(value, first.state[name])


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"dropout_spread": True}, "dropout_spread_alone"),
        ({"plain_members": 1, "ensemble": 2}, "plain_members_alone"),
        ({"plain_members": 3, "ensemble": 2, "gates": 6.0}, "plain_members_range"),
        ({"recipe": "table", "net": "net.py:Net"}, "recipe_and_net"),
        ({"recipe": "forest"}, "recipe_choice"),
    ],
)
def test_what_contradicts_itself_is_refused(settings, rule):
    with pytest.raises(TreinoError) as caught:
        read_settings(settings)
    assert caught.value.rule == rule
