"""The state of a run's page says what each segment changed, and what may be chosen."""

from pathlib import Path

import pytest

import treino
from treino.records.stored_run import StoredRun
from treino.studio.run_state import difference_text, losses, run_state, settings_at
from treino.training.replay import snapshots


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"hidden": [6, 3]}, "hidden 6,3"),
        ({"batch_size": 64, "lr": 0.02}, "batch_size 64 · lr 0.02"),
        ({"seed": 5}, "seed 5"),
        ({"fault": "missing_zero_grad"}, "fault missing_zero_grad"),
        ({"optimizer": "sgd"}, "optimizer sgd"),
        ({"loss": "l1", "clip": None}, "loss l1 · clip none"),
    ],
)
def test_a_segment_says_all_that_it_changed(tmp_path: Path, changes: dict[str, object], text: str) -> None:
    run = treino.fit("diabetes", hidden=[6], steps=4, clip=1.0, parent=tmp_path)
    run.rewind(2, **changes)
    stored = treino.open(run.path)
    assert isinstance(stored, StoredRun)
    first, second = run_state(stored)["segments"]
    assert (first["text"], first["origin"]) == ("", None)
    assert (second["number"], second["origin"]) == (1, [0, 2])
    assert second["text"] == text


def test_losses_that_the_network_can_change_to_have_its_outputs() -> None:
    assert losses("cross_entropy") == ["cross_entropy"]
    assert losses("bce") == ["bce"]
    assert {"mse", "l1", "huber"} <= set(losses("mse"))
    assert not {"bce", "cross_entropy"} & set(losses("mse"))


def test_the_settings_in_view_are_those_of_the_step(tmp_path: Path) -> None:
    run = treino.fit("wine", hidden=[6], steps=6, batch_size=32, parent=tmp_path)
    run.rewind(3, batch_size=64, hidden=[5], lr=0.5)
    stored = treino.open(run.path)
    assert isinstance(stored, StoredRun)
    shown = [settings_at(stored, snapshot) for snapshot in snapshots(stored, [2, 4])]
    named = [[list(s["hidden"]), s["batch_size"], s["lr"], s["beta1"], s["clip"]] for s in shown]
    assert named == [[[6], 32, 0.003, 0.9, None], [[5], 64, 0.5, 0.9, None]]
    assert shown[0].keys() == shown[1].keys()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"lr": 0.0118, "seed": 3}, "lr 0.0118"),
        ({"hidden": [6], "seed": 4}, "hidden 6 · seed 4"),
        ({"seed": 3}, ""),
    ],
)
def test_a_run_beside_says_what_it_has_in_place_of_this_ones(
    tmp_path: Path, settings: dict[str, object], text: str
) -> None:
    own = treino.fit("wine", steps=4, seed=3, parent=tmp_path)
    other = treino.fit("wine", steps=4, parent=tmp_path, **settings)
    runs = [treino.open(run.path) for run in (own, other)]
    assert difference_text(*runs) == text  # type: ignore[arg-type]


def test_a_branch_beside_says_what_it_changed(tmp_path: Path) -> None:
    own = treino.fit("wine", steps=8, parent=tmp_path)
    branch = own.at(4).branch(lr=0.5, name="other")
    runs = [treino.open(run.path) for run in (own, branch)]
    assert difference_text(*runs) == "lr 0.5"  # type: ignore[arg-type]
    assert difference_text(*reversed(runs)) == "lr 0.003"  # type: ignore[arg-type]
