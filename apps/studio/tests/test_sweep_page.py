"""What the page of a sweep is told of its networks, and which run it opens of one."""

from pathlib import Path
from typing import Any

import pytest

import treino as tr
from treino.fit_events import FitRequest, fit_events
from treino.folders.store import RunFolder
from treino.training.loop import last_event
from treino.training.sweeps.bracket import MemberTable
from treino.training.sweeps.member import like
from treino_studio.messages import LikeRequest
from treino_studio.protocol import OpenCommand, PlainCommand
from treino_studio.sweep_page import SweepPage, _listed, is_ending, open_member, stop

STOP = PlainCommand(id=1, do="stop")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep that cuts by halving, in which large rates diverge."""
    place = tmp_path_factory.mktemp("sweep") / "runs"
    made: dict[str, Any] = {"epochs": 40, "optimizer": "sgd", "parent": place}
    tr.sweep("wine", {"lr": "1e-4..1e6:log"}, members=20, fresh=0, name="sweep", **made)
    return place / "sweep"


def page(path: Path) -> SweepPage:
    return SweepPage(f"sweep/{path.name}", path, lambda _message, _body: None)


def test_networks_that_others_left_behind_are_cut_and_not_stopped(sweep: Path) -> None:
    """By the table itself: who was stopped at a rung after which others of the bracket went on."""
    folder = RunFolder.open(sweep)
    messages = page(sweep).messages(folder)
    rungs = {row["member"]: row["rung"] for row in MemberTable.read(folder).last()}
    went_on = max(rungs.values())
    assert went_on > 0
    diverged = {
        m for m, row in tr.open(sweep).frame.groupby("member").last()["status"].items() if row == "diverged"
    }
    told = {n["member"]: n["status"] for n in messages["networks"]}
    assert {m for m, status in told.items() if status == "cut"} == {
        m for m, rung in rungs.items() if rung < went_on and m not in diverged
    }
    assert {m for m, status in told.items() if status == "diverged"} == diverged
    assert messages["state"]["cut"] == list(told.values()).count("cut") > 0


def test_no_place_of_the_list_is_left_free_while_networks_are_left_out() -> None:
    fine = [{"member": k, "status": "finished", "best": float(k)} for k in range(1500)]
    lost = [{"member": k, "status": "diverged", "best": None} for k in range(1500, 2600)]
    assert len(_listed([*fine, *lost], lost)) == 2000
    more = [{"member": k, "status": "cut", "best": float(k)} for k in range(1500, 2600)]
    lost = [{"member": k, "status": "diverged", "best": None} for k in range(2600, 3000)]
    listed = _listed([*fine, *more, *lost], lost)
    assert len(listed) == 2000
    assert sum(n["status"] == "diverged" for n in listed) == 200


def test_a_stop_is_told_at_once_and_until_it_is_obeyed(sweep: Path) -> None:
    with RunFolder.create(parent=sweep.parent, kind="study", name="turns") as training:
        other = RunFolder.open(training.path)
        assert not is_ending(other)
        shown = page(training.path)
        shown._due = 1e9  # it would look much later
        stop(shown, STOP)
        assert is_ending(other)
        assert shown._due == 0.0
        (command,) = training.database.poll_commands()
        training.database.mark_command(command.id, "applied")
        assert not is_ending(other)
        training.refuse_commands()
        assert is_ending(other)
        assert stop(shown, STOP) == {}
        training.seal("interrupted")
    assert not is_ending(RunFolder.open(training.path))


def test_opening_a_network_never_shows_a_run_of_something_else(sweep: Path) -> None:
    tr.fit("wine", epochs=1, lr=0.5, parent=sweep.parent, name="sweep-3")
    asked = open_member(page(sweep), OpenCommand(id=1, do="open", member=3))
    assert isinstance(asked, LikeRequest)
    assert asked.name == "sweep-3-2"
    source, settings, networks = like(f"{sweep}:3")
    fit = FitRequest(source, settings | {"name": "sweep-3-2"}, networks, parent=sweep.parent, lean=True)
    last_event(fit_events(fit)[0])
    assert open_member(page(sweep), OpenCommand(id=1, do="open", member=3)) == {"run": "sweep-3-2"}
    asked = open_member(page(sweep), OpenCommand(id=1, do="open", member=4))
    assert isinstance(asked, LikeRequest)
    assert asked.name == "sweep-4"
