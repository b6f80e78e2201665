"""``--alert``: what is said while it trains and afterwards, as text and as JSON; what is refused."""

from pathlib import Path

import pytest

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.api import Run

TRAIN = "train", "wine", "--epochs", "30", "--patience", "0", "--name", "watched"
HALF = "epoch >= 10: lr*0.5"


def test_an_alert_is_told_when_it_fires_and_in_the_run_and_its_report(treino: Treino) -> None:
    said = treino(*TRAIN, "--alert", HALF, "--alert", "epoch >= 20: stop")
    first = "Step 40: epoch >= 10 (epoch 10). Set: lr 0.0015."
    second = "Step 80: epoch >= 20 (epoch 20). The training stops."
    assert said.status == 0
    assert said.err.splitlines() == [first, second]
    shown = treino("show", "watched").out
    assert first in shown
    assert second in shown
    assert "lr 0.0015 (by an alert)" in shown
    assert treino("report", "watched", "--markdown", "--to", "watched.md").status == 0
    assert first in Path("watched.md").read_text().replace("\\", "")
    assert treino("resume", "watched", "--alert", "epoch >= 25: stop", "--json").document["steps"] == 100


def test_what_can_t_be_is_refused_before_anything_is_written(treino: Treino, tmp_path: Path) -> None:
    said = treino("train", "wine", "--alert", "loss > 1: notify https://example.org", "--json")
    assert said.status == 2
    assert said.document["error"]["rule"] == "alert_network"
    assert "--allow-network" in said.document["error"]["hint"]
    assert not list(tmp_path.iterdir())


def test_only_a_run_is_watched(treino: Treino) -> None:
    """Of several networks nobody knows which one an alert would watch."""
    treino("study", "wine", "--batch-sizes", "32", "--epochs", "2", "--name", "timed")
    said = treino("resume", "timed", "--alert", HALF, "--json")
    assert said.document["error"]["rule"] == "alert_of_several"


def test_a_branch_has_alerts_too(treino: Treino) -> None:
    treino(*TRAIN)
    said = treino(
        "train", "--branch", "watched:40", "--name", "new", "--alert", "epoch >= 20: stop", "--json"
    )
    assert (said.document["status"], said.document["steps"]) == ("stopped", 80)
    refused = treino("train", "--rewind", "watched:40", "--alert", "rmse > 1: stop", "--json")
    assert refused.document["error"]["rule"] == "alert_task"
    assert treino("show", "watched", "--json").document["status"] == "finished"


@pytest.mark.slow
def test_a_run_that_goes_on_in_python_has_alerts_too(treino: Treino) -> None:
    treino(*TRAIN)
    run = tr.open("watched")
    assert isinstance(run, Run)
    branch = run.at(40).branch(name="new", alerts="epoch >= 20: stop")
    assert (branch.status, branch.steps) == ("stopped", 80)
    figure = refusal_of(run.rewind, 40, alerts=["rmse > 1: stop"])
    address = refusal_of(run.at(40).branch, alerts="epoch >= 20: notify https://example.org/told")
    assert (figure.rule, address.rule) == ("alert_task", "alert_network")
    assert run.rewind(40, alerts="epoch >= 30: stop").steps == 120
