"""Scripts that go back: copies of their processes sleep between two steps, and branches go on from them."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import waiting
from tests.waiting import HANG

from apps.studio.tests.scripts import Message, script
from treino.base.errors import TreinoError
from treino_studio.script.branches import MOST, ForkedProcess, SleepingCopy, superfluous, values_of
from treino_studio.script.commands import Fan
from treino_studio.script.process import ScriptProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks like this")

DRAWING = """
import random, numpy
from torch.utils.data import DataLoader, TensorDataset
random.seed(1); numpy.random.seed(2)
drawn, own = numpy.random.default_rng(3), torch.Generator().manual_seed(4)
loader = DataLoader(TensorDataset(x.repeat(8, 1), y.repeat(8, 1)), batch_size=16, shuffle=True)
groups = [{"params": net[0].parameters()}, {"params": net[3].parameters(), "lr": 0.02}]
optimizer = torch.optim.Adam(groups, lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 7, 0.9)
wide = torch.randn(400, 400)
step = 0
for epoch in range(2):
    for rows, targets in loader:
        optimizer.zero_grad()
        loss = (net(rows) - targets).pow(2).mean()
        loss.backward()
        optimizer.step()
        scheduler.step()
        step += 1
        draws = random.random(), numpy.random.rand(), drawn.random(), torch.rand(1, generator=own).item()
        print(step, loss.item(), *draws, (wide @ wide).sum().item(), optimizer.param_groups[1]["lr"])
print("weights", digest())
if "fails" in sys.argv:
    raise RuntimeError("as it does")
sys.exit(3)
"""


class Watched:
    """A script in a process of its own, whose messages are kept as they come."""

    def __init__(self, path: Path, *args: str, **options: Any) -> None:
        self.out, self.err = path.parent / "out", path.parent / "err"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = ScriptProcess.start(path, args, stdout=out, stderr=err, **options)
        self.messages: list[Message] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for message in self.process.messages():
            self.messages.append(message)

    def send(self, do: str, **fields: Any) -> None:
        self.process.send({"do": do, **fields})

    def last(self, key: str) -> Any:
        """What the newest message with this key says."""
        return next((m[key] for m in reversed(self.messages) if key in m and "run" not in m), None)

    def branch(self, number: int) -> Message:
        listed = self.last("branches") or []
        return next((each for each in listed if each["number"] == number), {"status": None})

    def branch_is(self, number: int, status: str) -> Message:
        waiting.until(lambda: self.branch(number)["status"] == status)
        return self.branch(number)

    @property
    def checkpoints(self) -> list[Message]:
        return (self.last("checkpoints") or {"list": []})["list"]

    def mark(self) -> Message:
        """A checkpoint of the next step."""
        before = {each["number"] for each in self.checkpoints}
        self.send("checkpoint")
        waiting.until(lambda: [c for c in self.checkpoints if c["marked"] and c["number"] not in before])
        return next(c for c in self.checkpoints if c["marked"] and c["number"] not in before)

    def pause_at(self, steps: int) -> None:
        """Let it pause, and make so many steps more from there."""
        pauses = self.pauses
        self.send("pause")
        waiting.until(lambda: self.pauses > pauses or pauses)
        pauses = self.pauses
        self.send("step", count=steps)
        waiting.until(lambda: self.pauses > pauses)

    @property
    def pauses(self) -> int:
        return sum(bool(m.get("paused")) for m in self.messages)

    def close(self) -> int | None:
        status = self.process.close()
        self._reader.join(HANG)
        assert not self._reader.is_alive()
        return status


Start = Callable[..., Watched]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start scripts, and see that none of their processes outlives them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("treino_studio.script.process.ENDING", HANG)
    watched: list[Watched] = []

    def begin(text: str, *args: str, **options: Any) -> Watched:
        watched.append(Watched(script(tmp_path, text), *args, **options))
        return watched[-1]

    yield begin
    for each in watched:
        each.close()
    assert processes_in(tmp_path) == {}


def children(pid: int) -> list[int]:
    """The processes that this one has forked."""
    return [child.pid for child in psutil.Process(pid).children()]


def processes_in(folder: Path) -> dict[int, str]:
    """The processes that work in this folder, and ended children of this one that nobody has waited for."""
    here = {}
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, *_rest = (each / "stat").read_text().rpartition(")")[2].split()
            if state == "Z" and int(parent) == os.getpid():
                here[int(each.name)] = "ended"
            elif int(each.name) != os.getpid() and (each / "cwd").readlink() == folder:
                here[int(each.name)] = (each / "cmdline").read_text()
    return here


@pytest.mark.release
def test_a_branch_prints_what_the_first_process_printed_also_after_its_end(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Generators, loaders half way through an epoch, schedules, several threads; its own exit status."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    seen = start("import sys\n" + DRAWING)
    seen.pause_at(9)
    assert children(seen.process.pid) == []  # nothing is forked unasked
    checkpoint = seen.mark()
    assert (checkpoint["step"], checkpoint["marked"]) == (9, True)
    (copy,) = children(seen.process.pid)
    for number in (signal.SIGINT, signal.SIGTERM):  # as Ctrl-C reaches everything in the terminal
        os.kill(copy, number)
    seen.send("play")
    waiting.until(lambda: seen.last("end"))
    assert seen.last("end")["status"] == 3
    for branch in (1, 2):
        seen.send("rewind", checkpoint=checkpoint["number"])
        assert seen.branch_is(branch, "ended")["exit"] == 3
    lines = seen.out.read_text().splitlines()
    assert lines == lines[:33] + 2 * lines[9:33]
    assert len(lines) == 81
    assert seen.err.read_text() == ""
    curve = [m for m in seen.messages if m.get("run") == "branch-1" and "step" in m]
    assert [loss for m in curve for loss in m["losses"]] == [float(line.split()[1]) for line in lines[9:32]]
    assert curve[-1]["step"] == 32


@pytest.mark.release
def test_a_branch_with_another_rate_is_the_script_that_its_file_of_changes_replays(
    start: Start, tmp_path: Path
) -> None:
    """The groups keep their ratios, and one can go back to the process that slept meanwhile."""
    seen = start(DRAWING)
    seen.pause_at(4)
    seen.send("set", name="weight_decay", value=0.1)
    checkpoint = seen.mark()
    seen.send("rewind", checkpoint=checkpoint["number"], changes={"lr": 0.05})
    branch = seen.branch_is(1, "ended")
    folder = Path(branch["folder"])
    assert (branch["text"], branch["checkpoint"], branch["present"]) == (
        "lr 0.05",
        checkpoint["number"],
        True,
    )
    assert (folder.parent, folder.name) == (tmp_path / "train.branches", "1")
    _header, *changes = map(json.loads, (folder / "train.steering.jsonl").read_text().splitlines())
    assert [(c["step"], c["name"], c["group"], c["value"]) for c in changes] == [
        (5, "weight_decay", 0, 0.1),
        (5, "lr", 0, 0.05),
        (5, "lr", 1, pytest.approx(0.1)),
    ]
    printed = seen.out.read_text().splitlines()
    seen.branch_is(0, "asleep")
    seen.send("return", branch=0)
    waiting.until(lambda: seen.last("end"))
    without = seen.out.read_text().splitlines()[len(printed) :]
    assert without != printed[4:]
    assert len(without) == len(printed[4:]) == 29
    assert seen.close() == 3

    again = start(DRAWING, replay=folder / "train.steering.jsonl")
    waiting.until(lambda: again.last("end"))
    assert again.out.read_text().splitlines() == printed


ENDLESS = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
log = open("log.txt", "w", buffering=1 << 20)
try:
    shown = lambda: f"val_loss={optimizer.param_groups[0]['lr']:g}"
    train(10**9, lambda step: print(shown(), step, loss_of().item(), digest()))
except KeyboardInterrupt:
    log.write("closed")
    raise
"""


@pytest.mark.release
def test_futures_go_on_side_by_side_and_one_is_kept(start: Start, tmp_path: Path) -> None:
    """Each has its own rate; the others are interrupted, so that their files are closed."""
    seen = start(ENDLESS)
    seen.pause_at(3)
    checkpoint = seen.mark()
    seen.send("fan", checkpoint=checkpoint["number"], kind="lr", values=[0.001, 0.1, 1e5], steps=6)
    waiting.until(lambda: seen.last("fan") and seen.last("fan")["best"] is not None)
    fan = seen.last("fan")
    assert (fan["step"], fan["steps"], fan["done"], fan["kind"]) == (3, 6, 6, "lr")
    assert [f["text"] for f in fan["futures"]] == ["lr 0.001", "lr 0.1", "lr 100000"]
    assert [f["status"] for f in fan["futures"]] == ["finished", "finished", "diverged"]
    assert (fan["split"], fan["best"]) == ("validation", 0)  # as the script prints it, not by its losses
    assert [f["worth"] for f in fan["futures"]] == [0.001, 0.1, None]
    assert fan["futures"][0]["loss"][-1] > fan["futures"][1]["loss"][-1]
    assert fan["futures"][0]["step"] == [4, 5, 6, 7, 8, 9]
    assert fan["futures"][0]["loss"][0] == fan["futures"][1]["loss"][0]  # of the same weights
    assert fan["futures"][0]["loss"][1] != fan["futures"][1]["loss"][1]
    assert seen.out.read_text().count("\n") == 3
    seen.send("adopt", future=1)
    branch = seen.branch_is(2, "running")
    assert branch["present"]
    assert [b["number"] for b in seen.last("branches")] == [0, 2]
    assert seen.last("fan") is None
    assert (tmp_path / "train.branches" / "2" / "output.txt").read_text().count("\n") == 6
    waiting.until(lambda: seen.out.read_text().count("\n") > 3)
    curve = next(m for m in seen.messages if m.get("run") == "branch-2" and "step" in m)
    assert (curve["step"], curve["losses"]) == (9, fan["futures"][1]["loss"])
    (copy,) = children(seen.process.pid)
    waiting.until(lambda: len(children(copy)) == 1)  # the branch
    seen.send("stop")
    seen.branch_is(2, "ended")
    seen.branch_is(0, "ended")
    assert seen.branch(2)["exit"] == seen.branch(0)["exit"] == 130
    assert (tmp_path / "log.txt").read_text().startswith("closed")
    seen.send("rewind", checkpoint=checkpoint["number"])  # also after all have ended
    assert seen.branch_is(4, "running")["present"]


@pytest.mark.slow
def test_a_killed_studio_leaves_no_copy_and_the_script_goes_on(start: Start, tmp_path: Path) -> None:
    """What trains goes on to its end, and what sleeps ends at once."""
    text = ENDLESS.replace("10**9", "300").replace("loss_of()", "time.sleep(0.02) or loss_of()")
    path = script(tmp_path, "import time\n" + text + "open('ended', 'w').write(str(os.getpid()))")
    server = """
import sys
from treino_studio.script.process import ScriptProcess
process = ScriptProcess.start(sys.argv[1], checkpoints=True, stdout=open("out", "w"))
for message in process.messages():
    listed = message.get("checkpoints", {}).get("list")
    if listed and len(process._branches) == 1:
        process.send({"do": "rewind", "checkpoint": listed[0]["number"]})
    if [each["status"] for each in message.get("branches", [])] == ["asleep", "running"]:
        print(process.pid, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", server, str(path)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as studio:
        assert studio.stdout is not None
        first = int(studio.stdout.readline())
        studio.kill()
    waiting.until(
        lambda: (tmp_path / "ended").exists() or (tmp_path / "train.branches" / "1" / "ended").exists()
    )
    waiting.until(lambda: processes_in(tmp_path) == {})
    assert not (tmp_path / "ended").exists() or int((tmp_path / "ended").read_text()) != first


REASONS = """
import socket, subprocess, threading, time
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
ready = threading.Event()
def after(step):
    global held
    if step == 2:
        held = socket.socket()
    elif step == 3:
        held.close()
        held = subprocess.Popen(["sleep", "1000"])
    elif step == 4:
        held.kill()
        held.wait()
        held = threading.Thread(target=ready.wait, name="the clock")
        held.start()
    elif step == 5:
        ready.set()
        held.join()
train(1000, after)
"""


@pytest.mark.slow
def test_why_there_can_be_no_checkpoint(start: Start) -> None:
    """It is said when one is asked for, and that there can be some again."""
    seen = start(REASONS)
    reasons = []
    for _step in range(5):
        seen.pause_at(1)
        count = len([m for m in seen.messages if "checkpoints" in m])
        seen.send("checkpoint")
        waiting.until(lambda count=count: len([m for m in seen.messages if "checkpoints" in m]) > count)
        reasons.append((seen.last("checkpoints")["able"], seen.last("checkpoints")["why"]))
    assert [able for able, _why in reasons] == [True, False, False, False, True]
    assert [why and why.split(",")[0] for _able, why in reasons] == [
        None,
        "No checkpoints while sockets are open: their other end can't go back.",
        "No checkpoints while the script has child processes.",
        "No checkpoints while other threads run",
        None,
    ]
    assert len(seen.checkpoints) == 2
    with pytest.raises(TreinoError) as error:
        seen.send("rewind", checkpoint=77)
    assert error.value.rule == "checkpoint"


@pytest.mark.slow
def test_checkpoints_are_spread_over_the_past_within_the_memory(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made unasked where that was chosen, and the marked one stays."""
    monkeypatch.setattr("treino_studio.script.process.APART", 0.0)
    monkeypatch.setattr("treino_studio.script.process.DEAREST", 1e9)
    monkeypatch.setattr("treino_studio.script.branches.MOST", 3)
    seen = start(ENDLESS, checkpoints=True)
    waiting.until(lambda: len(seen.checkpoints) == 2)
    marked = seen.mark()["number"]
    waiting.until(lambda: (seen.checkpoints or [{"number": 0}])[-1]["number"] >= 8)
    assert len([each for each in seen.checkpoints if not each["marked"]]) <= 3
    assert marked in [each["number"] for each in seen.checkpoints]
    assert seen.checkpoints[0]["number"] == 1
    waiting.until(lambda: seen.last("checkpoints")["memory"] > 0)
    seen.send("checkpoints", on=False)
    waiting.until(lambda: seen.last("checkpoints")["on"] is False)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sets(st.integers(0, 59)), st.booleans())
def test_of_too_many_every_second_goes_the_first_and_those_in_use_stay(
    marks: list[bool], used: set[int], full: bool
) -> None:
    copies = [
        SleepingCopy(number, 0, 10 * number, marked, 1.0, ForkedProcess(0, -1), {})
        for number, marked in enumerate(marks)
    ]
    dropped = superfluous(copies, used, memory=2 if full else 1, budget=1)
    numbers = [copy.number for copy in dropped]
    assert not used & {*numbers}
    unmarked = [copy for copy in copies if not copy.marked]
    if not full and len(unmarked) <= MOST:
        assert dropped == []
    free = [copy for copy in copies if copy.number not in used]
    if full and free:
        assert dropped
    assert len({copy.marked for copy in dropped}) < 2
    if len([copy for copy in unmarked if copy.number not in used]) > 1:
        assert next(copy for copy in unmarked if copy.number not in used) not in dropped


def test_a_fan_without_values_is_around_the_present_rate() -> None:
    fan = Fan(do="fan", checkpoint=1, kind="lr", count=5)
    assert values_of(fan, 0.02) == [0.002, 0.00632, 0.02, 0.0632, 0.2]
    assert values_of(Fan(do="fan", values=[0.1, 0.3]), 0.02) == [0.1, 0.3]
