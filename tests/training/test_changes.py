"""Who changed a run's settings on the way: in its record, in what is shown of it, and not in its numbers."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Treino
from treino.base.errors import TreinoError
from treino.fit_events import FitRequest, fit_events
from treino.folders.network_source import UserFiles
from treino.folders.store import Change
from treino.folders.stored_run import StoredRun
from treino.training.branch import branching, rewinding
from treino.training.commands import send_settings
from treino.training.loop import JobStart, last_event
from treino.training.replay import snapshots
from treino.training.stored_results import open_run

pytestmark = pytest.mark.usefixtures("bare")

SETTINGS: dict[str, Any] = {"hidden": (6,), "steps": 60, "lr": 0.01, "name": "steered"}


def trained(*told: tuple[str, Any, int, str]) -> StoredRun:
    """A run that was told, before its first step: name, value, step, sender."""
    events, _rates = fit_events(FitRequest("iris", SETTINGS, UserFiles()))
    for event in events:
        if isinstance(event, JobStart):
            for name, value, step, sender in told:
                send_settings(open_run("steered", verify=False), {name: value}, step, sender=sender)
    return open_run("steered")


def said(run: StoredRun) -> list[str]:
    return list(map(str, run.changes))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_change_says_by_whom(treino: Treino) -> None:
    run = trained(("lr", 0.02, 10, "agent"), ("weight_decay", 0.1, 20, ""), ("lr", 0.004, 30, "alert"))
    sentences = [
        "From step 10 on: lr 0.02 (by an agent).",
        "From step 20 on: weight_decay 0.1 (by a person).",
        "From step 30 on: lr 0.004 (by an alert).",
    ]
    assert said(run) == sentences
    shown = treino("show", "steered").out
    assert all(sentence in shown for sentence in sentences)
    document = treino("show", "steered", "--json").document
    assert document["changes"][0] == {"segment": 0, "step": 10, "settings": {"lr": 0.02}, "sender": "agent"}
    treino("report", "steered", "--markdown", "--to", "steered.md")
    assert all(sentence in Path("steered.md").read_text().replace("\\", "") for sentence in sentences)


def test_several_settings_are_all_sent_or_none() -> None:
    events, _rates = fit_events(FitRequest("iris", SETTINGS, UserFiles()))
    for event in events:
        if isinstance(event, JobStart):
            run = open_run("steered", verify=False)
            with pytest.raises(TreinoError, match="nesterow"):
                send_settings(run, {"lr": 0.5, "nesterow": True}, sender="agent")
            send_settings(run, {"lr": 0.02, "betas": (0.8, 0.99)}, 10, sender="agent")
    assert said(open_run("steered")) == ["From step 10 on: lr 0.02, beta1 0.8, beta2 0.99 (by an agent)."]


@pytest.mark.slow
def test_a_segment_and_a_branch_say_by_whom_and_keep_what_was_before(treino: Treino) -> None:
    run = trained(("lr", 0.02, 10, "agent"), ("lr", 0.5, 40, ""))
    (snapshot,) = snapshots(run, [30])
    last_event(branching(snapshot, {"lr": 0.003, "name": "branch"}, sender="agent"))
    expected = ["From step 10 on: lr 0.02 (by an agent).", "From step 30 on: lr 0.003 (by an agent)."]
    assert said(open_run("branch")) == expected
    last_event(rewinding(snapshot, {"hidden": (8,), "seed": 3}, sender="alert"))
    again = open_run("steered")
    assert said(again) == [expected[0], "From step 30 on: hidden 8, seed 3 (by an alert)."]
    assert again.spec.segments[1].sender == "alert"
    assert [link["sender"] for link in again.document["segments"]] == ["", "alert"]
    assert "From step 30 on: hidden 8, seed 3 (by an alert)." in treino("show", "steered").out
    treino("train", "--rewind", "steered:40", "--lr", "0.001")
    treino("train", "--rewind", "steered:45", "--clip", "1", "--sender", "agent")
    assert said(open_run("steered"))[-2:] == [
        "From step 40 on: lr 0.001 (by a person).",
        "From step 45 on: clip 1.0 (by an agent).",
    ]
    assert (
        treino("train", "iris", "--sender", "agent", "--json").document["error"]["rule"]
        == "sender_of_nothing"
    )


def test_a_segment_that_begins_at_a_change_takes_it_over() -> None:
    """What is said of the run is what it trains with; a change after the fork belongs to the other way."""
    run = trained(("lr", 0.02, 30, ""), ("lr", 0.5, 31, ""))
    (snapshot,) = snapshots(run, [30])
    last_event(rewinding(snapshot, {}, sender=""))
    again = open_run("steered")
    assert [s.hp["lr"] for s in snapshots(again, [29, 30, 31, 59])] == [0.01, 0.02, 0.02, 0.02]
    assert said(again) == [
        "From step 30 on: lr 0.02 (by a person).",
        "From step 30 on: the same settings again (by a person).",
    ]


def test_a_change_for_a_step_past_the_planned_end_is_refused() -> None:
    run = trained(("lr", 0.02, 59, ""), ("lr", 0.03, 60, "agent"))
    assert said(run) == ["From step 59 on: lr 0.02 (by a person)."]
    assert [command.state for command in run.folder.database.commands()] == ["applied", "refused"]
    (told,) = [each.facts["message"] for each in run.folder.database.events() if each.kind == "refused"]
    assert "step 60" in told


@pytest.mark.slow
def test_a_training_like_one_that_was_changed_says_so(treino: Treino) -> None:
    trained(("lr", 0.02, 10, "agent"))
    said = treino("train", "--like", "steered", "--name", "again").out
    assert "steered was changed on its way, and this training isn't. From step 10 on: lr 0.02" in said
    assert "on its way" not in treino("train", "--like", "again").out


@pytest.mark.parametrize(
    "settings", [{"lr": "much"}, {"nothing": 1}, {"optimizer": "os.remove"}, {"beta1": 2}, {"hidden": [-1]}]
)
def test_a_forged_change_is_damage(settings: dict[str, Any]) -> None:
    folder = trained().folder
    with folder.lock():
        folder.unseal()
        folder.database.add_change(Change(0, 5, settings))
        folder.seal("finished")
    with pytest.raises(TreinoError, match=r"run\.sqlite is damaged"):
        _ = open_run("steered").settings
