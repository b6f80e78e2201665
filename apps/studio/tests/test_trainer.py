"""A trainer and a worker as the studio's server starts them: steering is in the run's record, and replays."""

import itertools
import json
import math
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import RootModel
from tests.waiting import HANG, until

from treino.folders.store import RunFolder
from treino.training.replay import snapshots
from treino.training.stored_results import open_run
from treino_studio.process import Channel

NUMBERS = itertools.count(2000)  # of requests and pages; tests have smaller ones of their own
SETTINGS = {"features": "alcohol,color_intensity", "epochs": "500", "hidden": "8,6", "name": "wine"}


class Child:
    """One of the studio's processes, with the server's end of its channel."""

    def __init__(self, module: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.channel = Channel(os.dup(self.process.stdout.fileno()), os.dup(self.process.stdin.fileno()))

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self.channel.send(RootModel(header), body)

    def end(self) -> int:
        """Let go of its channel, as a server that is gone does, and wait for it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.channel.close()
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(HANG)


class Studio:
    """Both processes, and what they said of one page."""

    def __init__(self, folder: Path, trainer: Child, worker: Child) -> None:
        self.folder, self.key = folder, f"run/wine-{next(NUMBERS)}"
        self.trainer, self.worker = trainer, worker
        self.state: dict[str, Any] = {}
        self.curves: dict[str, Any] = {}
        self.frames: list[dict[str, Any]] = []
        self.replies: dict[int, dict[str, Any]] = {}
        self.fans: list[dict[str, Any]] = []
        self.boundaries: list[dict[str, Any]] = []
        self.held: list[tuple[dict[str, Any], bytes]] | None = (
            None  # what waits for the trainer; None: nothing does
        )

    def train(self, paused: bool = True, early: Sequence[Any] = (), **settings: str) -> Path:
        """Begin a training. early: commands that follow before there is one."""
        request = {
            "data": "wine",
            "settings": SETTINGS | settings,
            "play_control": ("pause" if paused else "play", None),
            "parent": str(self.folder),
        }
        number = next(NUMBERS)
        self.trainer.send({"do": "train", **request, "id": number})
        for command in early:
            self.trainer.send({"do": "play_control", "command": command})
        path = self.folder / self.answer(number)["run"]
        self.worker.send({"do": "open", "run": str(path), "key": self.key})
        self.watch(1, "en")
        self.until(lambda: bool(self.state) and bool(self.frames))
        return path

    def watch(self, viewers: int, language: str) -> None:
        self.worker.send({"do": "watch", "key": self.key, "viewers": viewers, "languages": [language]})

    def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Send a verb of the page and wait for its answer."""
        return self.answer(self.send(verb, **fields))

    def send(self, verb: str, **fields: Any) -> int:
        """Send a verb of the page; -> its number."""
        number = next(NUMBERS)
        command = {"id": number, "do": verb, **fields}
        message = {"do": "command", "key": self.key, "id": number, "language": "en", "command": command}
        self.worker.send(message)
        return number

    def answer(self, number: int) -> dict[str, Any]:
        self.until(lambda: number in self.replies)
        reply = self.replies[number]
        return {name: value for name, value in (reply | reply["content"]).items() if value}

    def until(self, true: Callable[[], bool]) -> None:
        """Listen to both until this holds."""
        until(true, meanwhile=self._listen)

    def at(self, step: int) -> dict[str, Any]:
        """The newest frame, once it shows this step."""
        self.until(lambda: bool(self.frames) and self.frames[-1]["step"] == step)
        return self.frames[-1]

    def _listen(self) -> None:
        if (message := self.worker.channel.receive(0.02)) is not None:
            header, body = message
            if "trainer" in header and self.held is not None:
                self.held.append((header["trainer"], body))
            elif "trainer" in header:
                self.trainer.send(header["trainer"], body)
            elif "reply" in header:
                self.replies[header["reply"]] = header
            elif header["key"] != self.key:  # of a test before
                pass
            elif header["frame"]:
                self.frames.append(json.loads(body[4 : 4 + struct.unpack("<I", body[:4])[0]]))
            elif header["fan"]:
                self.boundaries.append(json.loads(body[4 : 4 + struct.unpack("<I", body[:4])[0]]))
            elif header["gone"]:
                self.state["status"] = "deleted"
            elif "fan" in header["send"]:
                self.fans.append(header["send"]["fan"])
            else:
                vars(self).update(header["send"])
        if self.trainer.process.poll() is not None:
            return
        if (message := self.trainer.channel.receive(0.0)) is not None and "reply" in message[0]:
            self.replies[message[0]["reply"]] = message[0]

    def quit(self) -> None:
        self.trainer.send({"do": "quit"})
        assert self.trainer.process.wait(HANG) == 0
        self.trainer.end()


@pytest.fixture(scope="module")
def children() -> Iterator[dict[str, Child]]:
    """Those of these tests: each test has the last ones, or the successor of one that has ended."""
    made = {name: Child(f"treino_studio.{name}") for name in ("trainer", "worker")}
    for each in made.values():  # once they have begun, which is no test's own cost
        each.send({"do": "nothing", "id": 1})
        found = each.channel.receive(None)
        assert found is not None
        assert "error" in found[0]
    yield made
    for each in made.values():
        if each.process.poll() is None:
            each.process.kill()  # it may play
            each.end()


@pytest.fixture
def studio(tmp_path: Path, children: dict[str, Child]) -> Iterator[Studio]:
    for name, each in children.items():
        if each.process.poll() is not None:
            children[name] = Child(f"treino_studio.{name}")
    made = Studio(tmp_path / "runs", **children)
    yield made
    children["trainer"] = made.trainer
    if made.worker.process.poll() is None:
        if made.state.get("playing"):
            made.do("pause")
        made.worker.send({"do": "close", "key": made.key})
    else:
        made.worker.end()


@pytest.mark.slow
def test_what_is_pressed_before_there_is_a_training_is_obeyed_and_recorded(studio: Studio) -> None:
    """On the page of a run that is being started, and where one that was stopped is about to go on."""
    early = [("pause", None), ("step", 2), ("epoch", 1)]
    path = studio.train(paused=False, early=early)

    def sent() -> list[tuple[str, Any, str]]:
        database = open_run(path, verify=False).folder.database
        return [(c.name, c.value, c.state) for c in database.commands()]

    studio.until(lambda: [state for *_, state in sent()] == 5 * ["applied"])
    studio.do("stop")
    studio.until(lambda: studio.state["status"] == "stopped")
    step = open_run(path).steps
    held = studio.held = []
    numbers = [studio.send("step", count=2), studio.send("speed", steps_per_second=7.0)]
    studio.until(lambda: len(held) == 2 or numbers[1] in studio.replies)
    studio.held = None
    for request in held:
        studio.trainer.send(*request)
    assert [each for each in numbers if "error" in studio.answer(each)] == []
    studio.at(step + 2)
    studio.until(lambda: studio.state["steps_per_second"] == 7.0)
    pressed = [*early, ("stop", None), ("step", 2), ("speed", 7.0)]
    begun = [("play", None), ("speed", None)]
    assert sent() == [(*each, "applied") for each in (*begun, *pressed[:5], begun[1], *pressed[5:])]


@pytest.mark.slow
def test_a_future_that_is_adopted_goes_on_as_it_was_shown(studio: Studio) -> None:
    studio.train()
    studio.do("step", count=6)
    studio.at(6)
    assert "error" not in studio.do("fan", kind="lr", count=8, steps=30)
    studio.until(lambda: bool(studio.fans) and studio.fans[-1]["best"] is not None)
    studio.until(lambda: bool(studio.boundaries))
    assert studio.boundaries[0]["parts"][0]["shape"] == [8, 32, 32]
    future = studio.fans[-1]["futures"][-1]
    name = Path(studio.do("adopt", future=7, **{"as": "branch"})["run"]).name
    assert studio.fans[-1] is None
    branch = open_run(studio.folder / name, verify=False)
    assert branch.changes[-1].settings == {"lr": future["changes"]["lr"]}
    assert branch.spec.parent is not None
    assert branch.spec.parent.step == 6


@pytest.mark.slow
def test_stop_seals_the_run_and_shows_its_end(studio: Studio) -> None:
    path = studio.train()
    studio.do("step", count=9)
    studio.at(9)
    studio.do("look", step=4)
    studio.at(4)
    assert studio.do("stop").keys() == {"reply"}
    studio.until(lambda: studio.state["status"] == "stopped" and studio.state["view"]["step"] is None)
    frame = studio.at(9)
    assert frame["live"]
    assert studio.state["unseen"] == ["test"]  # it may go on
    assert "accuracy" not in frame["evaluation"].get("test", {})
    run = open_run(path)
    assert (run.status, run.steps) == ("stopped", 9)
    assert studio.state["metrics"] == run.metrics
    assert studio.do("stop")["error"]["rule"] == "not_running"
    studio.do("step", count=2)
    studio.at(11)


@pytest.mark.slow
def test_a_setting_that_is_changed_in_a_pause_is_shown_before_the_next_step(studio: Studio) -> None:
    studio.train()
    studio.do("step", count=2)
    studio.at(2)
    studio.do("set", name="lr", value=0.05)
    studio.until(lambda: studio.state["settings"]["lr"] == 0.05 and studio.frames[-1]["lr"] == 0.05)
    assert studio.frames[-1]["step"] == 2


@pytest.mark.slow
def test_errors_are_answers(studio: Studio) -> None:
    path = studio.train()
    assert studio.do("set", name="lr", value=-1.0)["error"]["rule"] == "lr_range"
    assert studio.do("set", name="dropout", value=0.5)["error"]["rule"] == "dropout_without_layer"
    assert studio.do("segment", changes={"features": "ash"})["error"]["rule"] == "branch_setting"
    assert studio.do("look", step=0, axes=["alcohol", "nothing"])["error"]["rule"]
    assert studio.do("adopt", future=3, **{"as": "segment"})["error"]["rule"] == "future_missing"
    studio.do("step", count=1)
    studio.at(1)
    assert RunFolder.open(path).status == "running"
    assert studio.do("keep", name="copy")["error"]["rule"] == "keep_running"
    studio.do("stop")
    studio.until(lambda: studio.state["status"] == "stopped")
    assert studio.do("keep", name="../copy")["error"]["rule"]
    assert studio.do("keep", name="wine")["error"]["rule"] == "name_taken"
    studio.do("keep", name="copy")
    assert open_run(studio.folder / "copy").steps == 1


@pytest.mark.slow
def test_a_training_whose_folder_was_moved_is_in_nobody_s_way(studio: Studio) -> None:
    path = studio.train()
    path.parent.rename(path.parent.with_name("moved"))
    request = {"run": str(path), "play_control": ("pause", None)}
    for number, verb in enumerate(("branch", "rewind", "resume"), 1001):
        place = {} if verb == "resume" else {"step": 0, "changes": {}}
        studio.trainer.send({"do": verb, **request, **place, "id": number})
        studio.until(lambda number=number: number in studio.replies)  # type: ignore[misc]
        assert studio.replies[number]["error"]["rule"] not in ("studio_defect", "command_field"), verb
    studio.trainer.send(
        {"do": "train", "data": "wine", "settings": {"epochs": "5"}, "parent": str(path.parent), "id": 7}
    )
    studio.until(lambda: 7 in studio.replies)
    request["run"] = str(path.parent / studio.replies[7]["run"])
    studio.trainer.send({"do": "branch", **request, "step": 0, "changes": {}, "id": 8})
    studio.until(lambda: 8 in studio.replies)
    assert studio.replies[8]["error"] is None


NO_REQUESTS: tuple[dict[str, Any], ...] = (
    {},
    {"do": "fly"},
    {"do": ["play"]},
    {"do": "open", "key": 3, "run": "there"},
    {"do": "watch", "key": "run/wine"},
    {"do": "train", "data": "wine", "settings": {}, "parent": "there", "speed": math.nan, "more": 1},
    {"do": "stop", "run": 10**400},
    {"do": "command", "key": "run/wine", "command": {"id": 1, "do": "look", "step": "first"}},
    {"do": "command", "key": "run/wine", "command": [1]},
)


@pytest.mark.parametrize("request_", NO_REQUESTS)
@pytest.mark.parametrize("name", ["trainer", "worker"])
def test_what_is_no_request_is_answered_by_a_sentence(
    name: str, request_: dict[str, Any], children: dict[str, Child]
) -> None:
    """Also without a number, which nobody waits for; the process goes on."""
    child = children[name]
    child.channel.send(RootModel(request_))
    child.channel.send(RootModel(request_ | {"id": 5}))
    while (found := child.channel.receive(HANG)) is not None and found[0].get("reply") != 5:
        pass
    assert found is not None
    assert found[0]["error"]["rule"] in ("command_field", "unknown_verb", "no_verb")
    assert found[0]["error"]["message"].endswith(".")


WRONG: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("speed", {"steps_per_second": speed}) for speed in (0.005, 0.0, -1.0, 1e6 + 1)),
    *((verb, {"count": count}) for verb in ("step", "epoch") for count in (0, -1, 1001)),
    *(
        ("set", {"name": name, "value": value})
        for name, value in ( ("lr", 1e31), ("weight_decay", -1.0), ("momentum", 1.0), ("beta1", 1.0),
            ("beta2", -0.1), ("clip", 0.0), ("ema", 1.0), ("lr", None), ("lrr", 1.0), ("__class__", 1.0),
        )
    ),
    *(
        (verb, {"changes": changes, "step": step})
        for verb in ("segment", "branch")
        for changes, step in (
            ({"lr": 0}, 2), ({"lr": -1}, None), ({"batch_size": 0}, 2), ({"hidden": "0,6"}, None),
            ({"epochs": 0}, None), ({"optimizer": "best"}, 2), ({"features": "ash"}, 2),
            ({"net": "a.py:N"}, 2), ({"labels": "a.csv"}, None),
            ({"out": "there"}, 2 if verb == "segment" else -1), ({}, 10**9), ({}, 10_000), ({}, -1),
        )
    ),
    *(
        ("look", look)
        for look in (
            {"step": 10**9, "axes": ["ash", "nothing"]}, {"axes": ["ash", "nothing"]}, {"member": 1},
            {"step": 1, "axes": ["nothing", "ash"]}, {"segment": 9}, {"step": 3, "segment": 9},
        )
    ),
    ("draw", {"pixels": "AAAA"}),
    ("beside", {"run": "nowhere", "shown": True}),
    *(
        ("fan", {"kind": kind, "count": count, "steps": steps, "step": step, "rule": rule})
        for kind, count, steps, step, rule in (
            ("lr", 300, 5, 2, None), ("lr", 2, 0, 2, None), ("lr", 2, 5, 10**9, None), ("lr", 2, 5, -1, None),
            ("nothing", 2, 5, 2, None), ("remedy", 2, 5, 2, "nothing"),
        )
    ),
    *(("adopt", {"future": future, "as": how}) for future in (63, 8) for how in ("segment", "branch")),
    *(("explain", place) for place in ({"layer": 9}, {"layer": 0, "unit": 999}, {"layer": 0, "input": 999})),
    ("proponents", {"row": 10**9}),
    *(("keep", {"name": name}) for name in ("../copy", "wine", "", ".x")),
)  # fmt: skip
"""Commands with a value that the run can't take; the protocol lets some of them through."""


@pytest.mark.release
@pytest.mark.parametrize("where", ["fan", "paused", "past", "plays", "stopped", "over"])
def test_a_command_that_is_refused_changes_nothing(studio: Studio, where: str) -> None:
    """What the page shows, what is in the folder, and what the training does next."""
    path = studio.train(epochs="3" if where == "over" else "500")
    studio.do("speed", steps_per_second=50)
    studio.do("step", count=6)
    studio.at(6)
    if where == "past":
        studio.do("look", step=3)
    elif where == "plays":
        studio.do("speed", steps_per_second=0.01)  # the next step is a minute and a half away
        studio.do("play")
    elif where == "stopped":
        studio.do("stop")
    elif where == "over":
        studio.do("speed", steps_per_second=None)
        studio.do("play")
    elif where == "fan":
        studio.do("fan", kind="lr", count=8, steps=5)
        studio.until(lambda: bool(studio.fans) and studio.fans[-1]["best"] is not None)
    status = {"stopped": "stopped", "over": "finished"}.get(where, "running")
    studio.until(lambda: studio.state["status"] == status and studio.state["playing"] == (where == "plays"))

    def shown() -> dict[str, Any]:
        """The page's state as it is sent to a new viewer, and what its folder records."""
        studio.state = {}
        studio.watch(0, "en")
        studio.watch(1, "en")
        studio.until(lambda: bool(studio.state))
        names = sorted(each.name for each in studio.folder.iterdir())
        run = open_run(path, verify=False)
        commands = [(c.name, c.value, c.state) for c in run.folder.database.commands() if c.state != "new"]
        return studio.state | {"names": names, "commands": commands, "segments": run.spec.segments}

    before, fans = shown(), len(studio.fans)
    for verb, fields in WRONG:
        answer = studio.do(verb, **fields)
        assert "error" in answer, (verb, fields, answer)
        assert answer["error"]["rule"] != "studio_defect", (verb, fields)
        assert shown() == before, (verb, fields)
    assert len(studio.fans) == fans
    if where == "fan":
        assert "error" not in studio.do("adopt", future=7, **{"as": "branch"})
    elif where in ("paused", "past"):
        studio.do("look", step=None)
        studio.do("step", count=1)
        assert studio.at(7)["segment"] == 0
    elif where != "over":
        assert (open_run(path, verify=False).status, studio.frames[-1]["step"]) == (status, 6)


@pytest.mark.slow
def test_a_training_that_can_t_play_so_is_not_begun(studio: Studio) -> None:
    path = studio.train()
    studio.do("step", count=2)
    studio.at(2)
    request = {"run": str(path), "step": 1, "changes": {}}
    for number, wrong in enumerate(
        (
            {"speed": 0.005},
            {"play_control": ("step", 0)},
            {"play_control": ("epoch", 1001)},
            {"speed": "fast"},
        ),
        3001,
    ):
        for verb in ("rewind", "branch"):
            how = {"play_control": ("pause", None)} | wrong
            studio.trainer.send({"do": verb, **request, **how, "id": number})
            studio.until(lambda number=number: number in studio.replies)  # type: ignore[misc]
            rule = studio.replies.pop(number)["error"]["rule"]
            assert rule == "command_field" if wrong == {"speed": "fast"} else rule.endswith("_range"), wrong
    assert [each.name for each in studio.folder.iterdir()] == ["wine"]
    run = open_run(path, verify=False)
    assert (run.status, run.spec.segments) == ("running", ())
    studio.do("step", count=1)
    assert studio.at(3)["segment"] == 0


@pytest.mark.parametrize(
    "rounds", [pytest.param(4, marks=pytest.mark.slow), pytest.param(40, marks=pytest.mark.release)]
)
def test_a_run_that_is_stopped_goes_on_at_any_command_that_follows(studio: Studio, rounds: int) -> None:
    """However near the commands are: before the stop is heard, while the run is sealed, and after that."""
    path = studio.train(epochs="100000")
    followers: tuple[tuple[str, dict[str, Any]], ...]
    followers = (
        ("step", {"count": 1}),
        ("step", {"count": 1}),
        ("play", {}),
        ("set", {"name": "lr", "value": 0.01}),
    )
    for number in range(rounds):
        studio.do("step", count=1)
        stopped = studio.send("stop")
        if number % 4 == 1:
            studio.answer(stopped)
        if number % 4 == 2:
            studio.until(lambda: RunFolder.open(path, verify=False).status != "running")
        if number % 4 == 3:
            studio.until(lambda: studio.state["status"] == "stopped")
        numbers = [studio.send(verb, **fields) for verb, fields in followers]
        assert [studio.answer(each) for each in numbers if "error" in studio.answer(each)] == []
        studio.do("pause")
        studio.until(lambda: studio.state["status"] == "running" and not studio.state["playing"])
    studio.quit()
    run = open_run(path)
    assert run.status == "interrupted"
    assert {each.state for each in run.folder.database.commands()} <= {"applied", "refused"}


@pytest.mark.slow
def test_a_branch_is_shown_beside_its_run(studio: Studio) -> None:
    studio.train()
    studio.do("step", count=7)
    studio.at(7)
    assert studio.do("branch", changes={"lr": "0.5"})["run"] == "wine-1"
    studio.until(lambda: [b["run"] for b in studio.state["beside"]] == ["wine-1"])
    studio.do("look", step=5)
    assert studio.at(5)["beside"] == {"run": "wine-1", "step": 5}
    assert {"beside.winner", "beside.margin"} < {part["name"] for part in studio.frames[-1]["parts"]}


@pytest.mark.parametrize(
    "playing",
    [pytest.param(True, marks=pytest.mark.slow), pytest.param(False, marks=pytest.mark.release)],
    ids=["playing", "paused"],
)
def test_a_studio_that_is_killed_leaves_a_whole_run(studio: Studio, playing: bool) -> None:
    path = studio.train(paused=not playing, epochs="100")
    if not playing:
        studio.do("step", count=3)
        studio.at(3)
    studio.worker.process.send_signal(signal.SIGKILL)
    studio.worker.process.wait()
    assert studio.trainer.end() == 0
    run = open_run(path)
    assert run.status == ("finished" if playing else "interrupted")
    assert run.steps == (400 if playing else 3)


@pytest.mark.release
def test_a_killed_trainer_is_seen_at_once_and_can_be_resumed(studio: Studio) -> None:
    path = studio.train(epochs="100000")
    studio.do("speed", steps_per_second=100)  # all steps are played again at the end
    studio.do("play")
    studio.until(lambda: len(studio.frames) > 2)
    studio.trainer.process.send_signal(signal.SIGKILL)
    studio.until(lambda: studio.state["status"] == "interrupted")
    studio.trainer.end()
    studio.trainer = Child("treino_studio.trainer")
    studio.do("play")
    studio.until(lambda: studio.state["status"] == "running" and studio.state["playing"])
    studio.do("stop")
    studio.until(lambda: studio.state["status"] == "stopped")
    run = open_run(path)
    (_first, last) = snapshots(run, [0, run.steps])
    assert last.step == run.steps > 0
