"""The state of a run's page says what each segment changed, and what may be chosen."""

from pathlib import Path

import pytest

import treino
from treino.records.stored_run import StoredRun
from treino.studio.run_state import losses, run_state


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
