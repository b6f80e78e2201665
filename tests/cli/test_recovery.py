"""A damaged folder affects no other folder, and its message names the command that helps."""

import errno
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

import treino as tr
from tests import many_networks
from tests.cli.conftest import stopped
from tests.conftest import Treino
from tests.folders.test_flips import flip
from treino.api import open as open_result
from treino.api import runs
from treino.base.errors import TreinoError
from treino.base.files import problem
from treino.folders.store import RunFolder
from treino.folders.store.checkpoint import SLOTS
from treino.settings.spec import read_settings
from treino.training import loop, train
from treino.training.stored_training import keyframes_in
from treino.training.sweeps import bracket, study, sweep
from treino.training.train import drain, train_events

SMALL = ("--epochs", 4, "--hidden", 5)


def garbage(path: Path) -> None:
    (path / "manifest.json").write_bytes(b"\0" * 99)


def link(path: Path) -> None:
    (path / "result.json").rename(path.parent.parent / "result.json")
    (path / "result.json").symlink_to(path.parent.parent / "result.json")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs good and bad, of which bad is the newer one."""
    parent = tmp_path_factory.mktemp("two") / "runs"
    for name in ("good", "bad"):
        drain(train_events("iris", read_settings({"epochs": 2, "hidden": [3], "name": name}), parent=parent))
    return parent


@pytest.mark.parametrize("break_it", [garbage, link])
def test_one_bad_folder_costs_no_other(
    treino: Treino, two: Path, tmp_path: Path, break_it: Callable[[Path], None]
) -> None:
    shutil.copytree(two, "runs")
    break_it(Path("runs/bad"))
    said = treino("runs", "--json")
    lines = {line["run"]: line for line in said.document["runs"]}
    assert (lines["good"]["status"], lines["bad"]["status"]) == ("finished", "damaged")
    listed = treino("runs")
    assert (said.status, listed.status) == (0, 0)
    assert "bad: runs/bad" in listed.out
    assert lines["bad"]["damage"] in listed.out.replace("\n", " ").replace("  ", " ")
    assert treino("show", "good").status == 0
    shown = treino("show", "last")
    assert shown.status == 2
    assert "runs/bad" in shown.err
    assert "Traceback" not in shown.err
    assert [run.name for run in runs()] == ["good"]


# ---- ended before it began


def test_a_folder_that_never_began_is_named_and_taken_over(treino: Treino) -> None:
    with RunFolder.create(name="a") as folder:
        folder.write_json("preparation.json", {})
    assert "a: runs/a ended before it began" in treino("runs").out
    for verb in ("resume", "show"):
        assert treino(verb, "a").status in (0, 2)
    refused = treino("resume", "a")
    assert refused.status == 2
    assert "with the same --name or --out it takes the folder over" in refused.err
    assert treino("train", "iris", "--name", "a", *SMALL).status == 0
    assert treino("show", "a", "--json").document["status"] == "finished"
    taken = treino("train", "iris", "--name", "a", *SMALL)
    assert (taken.status, "already something called a" in taken.err) == (2, True)


@pytest.mark.parametrize("kind", ["run", "sweep", "study"])
def test_a_folder_of_a_process_killed_at_once_is_named(treino: Treino, kind: str) -> None:
    """At each moment before there are settings: the folder is empty, has a lock, a database, a manifest."""
    Path("runs/a").mkdir(parents=True)
    assert "runs/a is empty: nothing began there" in treino("resume", "a").err
    with RunFolder.create(name="b", kind=kind) as folder:
        moments = [".lock", "run.sqlite", "manifest.json"]
        contents = {name: (folder.path / name).read_bytes() for name in moments}
    for name in moments:
        Path("runs/a", name).write_bytes(contents[name])
        for verb in ("resume", "show"):
            said = treino(verb, "a")
            assert "runs/a ended before it began" in said.out + said.err, (name, verb)
            assert "it takes the folder over" in said.out + said.err
        assert "a: runs/a ended before it began" in treino("runs").out


def test_a_sweep_that_ended_before_its_first_bracket_says_how_it_goes_on(treino: Treino) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "events", Mock(side_effect=KeyboardInterrupt))
        treino("sweep", "iris", "--space", "lr=1e-3|1e-2", "--epochs", 2, "--fresh", 0, "--name", "s")
    shown = treino("show", "s").out
    assert shown.splitlines() == ["sweep runs/s: interrupted", "next treino resume s"]
    assert treino("resume", "s").status == 0


NET = """
from pathlib import Path
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)
    def forward(self, x):
        Path("here/since").write_text("mine")
        if x.shape[0] > 1:
            raise ValueError("no")
        return self.layer(x)
"""


@pytest.mark.parametrize("there", [True, False])
def test_a_network_that_fails_at_once_removes_only_what_was_made(treino: Treino, there: bool) -> None:
    Path("net.py").write_text(NET if there else NET.replace('        Path("here/since")', "        #"))
    if there:
        Path("here").mkdir()
    said = treino("train", "iris", "--net", "net.py:Net", "--out", "here", "--epochs", 2)
    assert (said.status, "Traceback" in said.err) == (2, False)
    assert Path("here").exists() == there
    if there:
        assert [path.name for path in Path("here").iterdir()] == ["since"]
        assert Path("here/since").read_text() == "mine"


# ---- keyframes


@pytest.fixture(scope="module")
def with_keyframes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that were stopped on the way, and their equal that nobody stopped."""
    parent, patch = tmp_path_factory.mktemp("keyframes"), pytest.MonkeyPatch()
    patch.setattr(train, "CHUNK_SECONDS", 0.0)
    patch.setattr(loop, "CHECKPOINT_SHARE", 0.0)
    asked = {"epochs": 20, "hidden": [3], "every": 10, "seed": 2}
    drain(train_events("iris", read_settings(asked | {"name": "whole"}), parent=parent))
    for name in ("stopped", "killed"):
        stream = train_events(
            "iris", read_settings(asked | {"name": name}), parent=parent, checkpoint_seconds=0
        )
        for number, event in enumerate(stream):
            if number == 40 and name == "stopped":
                event.job.folder.database.add_command("stop", None)
            if number == 40 and name == "killed":
                break
        if name == "killed":
            stream.close()  # it is a generator
    patch.undo()
    return parent


@pytest.mark.parametrize(
    ("name", "damage", "number"),
    [("stopped", "flipped", 1), ("stopped", "cut", 0), ("killed", "gone", 0), ("killed", "empty", 1)],
)
def test_a_damaged_keyframe_does_not_keep_a_run_from_going_on(
    treino: Treino, with_keyframes: Path, name: str, damage: str, number: int
) -> None:
    shutil.copytree(with_keyframes, "runs")
    path = Path("runs", name)
    names = keyframes_in(RunFolder.open(path, verify=False))
    broken = names[sorted(names)[number]]
    if damage == "flipped":
        flip(path / broken, 999)
    elif damage == "gone":
        (path / broken).unlink()
    else:
        os.truncate(path / broken, 700 if damage == "cut" else 0)
    assert treino("show", name).status == 2  # reading passes over nothing
    said = treino("resume", name)
    assert said.status == 0, said.err
    assert f"{path / broken} is" in said.out.replace("\n", " ")
    assert "The run goes on without it." in said.out.replace("\n", " ")
    one, two = open_result(name), open_result("whole")
    assert one.losses.tobytes() == two.losses.tobytes()
    assert one.metrics == two.metrics
    assert broken not in keyframes_in(one.folder).values()
    assert [event.facts for event in one.folder.database.events() if event.kind == "keyframe_damaged"] == [
        {"file": broken}
    ]
    at = int(broken.rpartition("-")[2].partition(".")[0])
    x_BD = torch.linspace(-1, 1, 12).reshape(3, 4)
    assert torch.equal(one.at(at).net(x_BD), two.at(at).net(x_BD))


# ---- checkpoints

MADE: dict[str, Callable[[Path, str], Iterator[loop.JobEvent]]] = {
    "run": lambda parent, name: train_events(
        "iris", read_settings({"epochs": 9, "hidden": [3], "name": name}), parent=parent, checkpoint_seconds=0
    ),
    "sweep": lambda parent, name: many_networks.sweep_events(
        "iris", ["lr=1e-3..1e-1:log"], parent=parent, name=name, members=6, fresh=0, strategy="hyperband",
        settings={"hidden": [3], "epochs": 9},
    ),
    "study": lambda parent, name: many_networks.study_events(
        "iris", settings={"epochs": 6, "hidden": [3]}, batch_sizes=[40, 20], parent=parent, name=name
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def with_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of each kind one that was killed, one that Ctrl-C ended, and their equal that nobody stopped."""
    parent = tmp_path_factory.mktemp("checkpoints")
    with pytest.MonkeyPatch.context() as patch:
        for place in (train, bracket):
            patch.setattr(place, "CHUNK_SECONDS", 0.0)
        for place in (sweep, study):
            patch.setattr(place, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(loop, "CHECKPOINT_SHARE", 0.0)
        for kind, begin in MADE.items():
            for how in ("whole", "killed", "ended"):
                stream = begin(parent, f"{kind}-{how}")
                for number, _event in enumerate(stream):
                    if number == 11 and how == "killed":
                        break
                    if number == 11 and how == "ended":
                        os.kill(os.getpid(), signal.SIGINT)
                stream.close()  # it is a generator
    return parent


def computed(path: str) -> object:
    """All that a training of any kind computed, without its times."""
    made = open_result(path)
    if isinstance(made, tr.Run):
        return made.losses.tobytes(), made.metrics
    return made.leaderboard if isinstance(made, tr.Sweep) else [row["loss"] for row in made.rows]


def spoil(path: Path, damage: str) -> None:
    if damage == "flipped":
        flip(path, 4 * path.stat().st_size)
    elif damage == "gone":
        path.unlink()
    elif damage != "whole":
        os.truncate(path, path.stat().st_size * 2 // 3 if damage == "cut" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "ended"])
@pytest.mark.parametrize("kind", MADE)
def test_of_two_checkpoints_one_is_enough(
    treino: Treino, with_checkpoints: Path, kind: str, how: str
) -> None:
    """It goes on from the whole one, says so, and has the same bits as if it had never ended."""
    shutil.copytree(with_checkpoints / f"{kind}-whole", "runs/whole")
    for damages in (("cut", "whole"), ("whole", "flipped"), ("empty", "whole"), ("whole", "gone")):
        shutil.rmtree("runs/x", ignore_errors=True)
        shutil.copytree(with_checkpoints / f"{kind}-{how}", "runs/x")
        slots = [Path("runs/x", slot) for slot in SLOTS]
        for slot, damage in zip(slots, damages, strict=True):
            spoil(slot, damage)
        if how == "ended":
            assert "next: Go on from the other checkpoint: treino resume runs/x" in treino("show", "x").err
        said = treino("resume", "x")
        assert said.status == 0, said.err
        lost = next(slot for slot, damage in zip(slots, damages, strict=True) if damage != "whole")
        if how == "ended" or damages[1] != "gone":  # nothing says that a killed one had two
            assert f"{lost} is " in said.out.replace("\n", " ")
            assert "The other checkpoint is used." in said.out.replace("\n", " ")
        assert computed("x") == computed("whole")


@pytest.mark.parametrize("kind", MADE)
def test_where_no_checkpoint_is_whole_nothing_is_changed(
    treino: Treino, with_checkpoints: Path, kind: str
) -> None:
    for how in ("killed", "ended"):
        shutil.copytree(with_checkpoints / f"{kind}-{how}", f"runs/{how}")
        for slot, damage in zip(SLOTS, ("cut", "flipped"), strict=True):
            spoil(Path("runs", how, slot), damage)
        before = {path: path.read_bytes() for path in Path("runs", how).rglob("*") if path.suffix == ".json"}
        said = treino("resume", how, "--json")
        assert (said.status, said.document["error"]["rule"]) == (2, "run_damaged"), said.err
        assert said.err.startswith(f"error: runs/{how} has no whole checkpoint to go on from.")
        assert "next: Restore one from a copy, or train again." in said.err
        assert all(path.read_bytes() == content for path, content in before.items())


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file can grow above so many bytes, as by ``ulimit -f``; the system's answer is a full disk's."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [34_000, 39_000, 45_000])
def test_a_disk_that_was_full_costs_only_time(treino: Treino, size: int) -> None:
    """The database, a keyframe or a checkpoint finds no room; then there is some again."""
    asked = ("train", "iris", "--epochs", 6, "--every", 7, "--hidden", "50,50", "--lr", 0.01, "--name")
    with full_disk(size):
        said = treino(*asked, "a")
        assert (said.status, "no room left" in said.err) == (1, True)
        kept = any(Path("runs/a/checkpoint").glob("*.safetensors"))
        assert ("treino resume runs/a" in said.err, "repeat the command" in said.err) == (kept, not kept)
        shown = treino("show", "a")
    assert (shown.status, "next treino resume a" in shown.out) == (0, True)
    resumed = treino("resume", "a")
    assert (resumed.status, "without it" in resumed.out) == (0, False)
    assert treino(*asked, "b").status == 0
    one, two = open_result("a"), open_result("b")
    assert one.losses.tobytes() == two.losses.tobytes()
    assert {n: one.folder.read_bytes(n) for n in one.folder.names("keyframes")} == {
        n: two.folder.read_bytes(n) for n in two.folder.names("keyframes")
    }


def test_networks_are_added_once_where_the_disk_was_full_amid_it(treino: Treino) -> None:
    space = ("--space", "lr=1e-3..1e-1:log", "--hidden", 4, "--members", 2, "--epochs", 2, "--fresh", 0)
    assert treino("sweep", "iris", *space, "--name", "s").status == 0
    full = problem(Path("runs/s/result.json"), errno.ENOSPC, "full")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("treino.training.sweeps.sweep.sweep_result", Mock(side_effect=full))
        said = treino("resume", "s", "--more", 2)
    assert (said.status, "treino resume runs/s" in said.err) == (1, True)
    assert treino("resume", "s").status == 0
    assert treino("show", "s", "--json").document["members"] == 4


def test_steps_that_hang_on_a_lost_keyframe_are_refused(treino: Treino, with_keyframes: Path) -> None:
    shutil.copytree(with_keyframes, "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "CHUNK_SECONDS", 0.0)
        treino("train", "--rewind", "whole:15", "--lr", 0.01)
    origin = keyframes_in(RunFolder.open("runs/whole"))[1, 15]
    (Path("runs/whole") / origin).unlink()
    with RunFolder.open("runs/whole", verify=False) as folder:
        folder.unseal()
        folder.seal("finished")
    run = open_result("whole")
    kept = min(step for segment, step in keyframes_in(run.folder) if segment == 1)
    assert run.at(kept).step == kept
    with pytest.raises(TreinoError, match="has lost the state at step 15") as caught:
        run.at(16)
    assert caught.value.hint == f"Ask for a step from {kept} on."
    assert run.at(14).step == 14


# ---- Ctrl-C


@pytest.mark.proof
def test_a_training_that_ctrl_c_ended_goes_on_with_the_same_bits(treino: Treino) -> None:
    """A process gets the signal in the midst of its steps, and this one resumes."""
    words = ("train", "iris", "--epochs", "60", "--hidden", "5", "--name")
    ended = stopped(signal.SIGINT, *words, "torn")
    assert (ended.returncode, "treino resume torn" in ended.stderr) == (130, True), ended.stderr
    found = treino("show", "torn", "--json").document
    assert (found["status"], 0 < found["epochs"] < 60) == ("interrupted", True)
    assert treino("resume", "torn").status == 0
    assert treino(*words, "whole").status == 0
    one, two = open_result("torn"), open_result("whole")
    assert one.losses.tobytes() == two.losses.tobytes()
    assert one.metrics == two.metrics
