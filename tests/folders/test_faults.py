"""A disk that fails or loses power at the k-th operation: whatever fails, what was promised before is whole.

After LevelDB's fault_injection_test (https://github.com/google/leveldb): every write, fsync, rename, mkdir
and unlink of the store goes through `treino.base.files`, and here a disk is put under it that refuses the
k-th of them, stops dead before it, or forgets everything that no fsync has reached.
"""

import errno
import itertools
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from treino.base import files
from treino.base.errors import TreinoError
from treino.folders.store import Database, RunFolder

OPERATIONS = ("open", "write", "fsync", "rename", "mkdir", "unlink")
ERRORS = {errno.ENOSPC: "disk_full", errno.EIO: "disk_error", errno.EROFS: "read_only"}
WRITTEN = ("spec.json", "result.json", "keyframes/0-5.safetensors")


class Story:
    """What a run does, step by step; after each, `told` has grown by a promise that `check` holds it to."""

    def __init__(self, root: Path) -> None:
        self.path = root / "runs" / "wine-1"
        self.folder: RunFolder | None = None
        self.told: list[str] = []
        self.unsealing = False

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        return [
            ("created", self.create),
            ("spec", lambda: self.writing.write_json("spec.json", {"lr": 0.1})),
            ("10", lambda: self.checkpoint(10)),
            ("20", lambda: self.checkpoint(20)),
            ("30", lambda: self.checkpoint(30)),
            ("first", lambda: self.writing.write_json("result.json", {"steps": 30})),
            ("keyframe", lambda: self.writing.write_tensors(WRITTEN[-1], {"w": torch.ones(3)}, {})),
            ("second", lambda: self.writing.write_json("result.json", {"steps": 40, "loss": [0.5]})),
            ("picture", lambda: self.writing.write_bytes("pictures/curves.png", b"png")),
            ("stopped", lambda: self.writing.seal("stopped")),
            ("unsealed", lambda: self.writing.unseal()),
            ("40", lambda: self.checkpoint(40)),
            ("finished", lambda: self.writing.seal("finished")),
        ]

    @property
    def writing(self) -> RunFolder:
        assert self.folder is not None
        return self.folder

    def create(self) -> None:
        self.folder = RunFolder.create(parent=self.path.parent, stem="wine")

    def checkpoint(self, step: int) -> None:
        database = self.writing.database
        database.cut(0, step - 10, 0)  # as after a resume, for this step may be tried twice
        database.add_losses(0, step - 10, np.full(10, step, np.float32))
        self.writing.checkpoint({"w": torch.full((400,), float(step))}, {"step": step})

    def check(self, path: Path, *, database: bool = True) -> None:
        """Hold the folder at `path` to what was told."""
        if "created" not in self.told:
            return
        folder = RunFolder.open(path)  # which reads every file that the manifest names
        if "spec" in self.told:
            assert folder.read_json("spec.json") == {"lr": 0.1}
        result = folder.read_json("result.json") if folder.has("result.json") else None
        assert result in (None, {"steps": 30}, {"steps": 40, "loss": [0.5]})
        assert result is not None or "first" not in self.told
        assert result != {"steps": 30} or "second" not in self.told
        if "keyframe" in self.told:
            assert torch.equal(folder.read_tensors(WRITTEN[-1])[0]["w"], torch.ones(3))
        if "picture" in self.told:
            assert folder.read_bytes("pictures/curves.png") == b"png"
        least = max((int(each) for each in self.told if each.isdigit()), default=0)
        kept = folder.last_checkpoint()
        step = 0 if kept is None else kept[1]["step"]
        assert step in (least, least + 10)
        assert not folder.notices
        assert kept is None or torch.equal(kept[0]["w"], torch.full((400,), float(step)))
        if database:
            losses = folder.database.losses()
            assert losses[:step].tolist() == [10.0 * (1 + i // 10) for i in range(step)]
        if self.told[-1] in ("stopped", "finished"):
            begun = ("running", "interrupted") if self.unsealing else ()
            assert folder.status in (self.told[-1], *begun)


def nothing(*_arguments: Any) -> None:
    pass


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put `before(operation, arguments)` before each of the store's operations, and `after(operation,
    arguments, result)` behind it; fsync itself is left out."""

    def under(before: Callable[..., None] = nothing, after: Callable[..., None] = nothing) -> None:
        for name in OPERATIONS:

            def operation(*arguments: Any, _name: str = name) -> Any:
                before(_name, arguments)
                result = None if _name == "fsync" else getattr(os, _name)(*arguments)
                after(_name, arguments, result)
                return result

            monkeypatch.setattr(files, f"_{name}", operation)

    return under


def failure(step: Callable[[], object]) -> TreinoError | None:
    try:
        step()
    except TreinoError as error:
        return error
    return None


def refused_at(
    root: Path, disk: Callable[..., None], operation: str, number: int, place: int, lasting: bool
) -> bool:
    """Tell the whole story on a disk that refuses the `place`-th `operation`; False where there is none."""
    counted, refusing = itertools.count(), True
    hit: list[str] = []

    def before(name: str, arguments: tuple[Any, ...]) -> None:
        if name == operation and refusing and (next(counted) == place or (lasting and hit)):
            hit.append(str(arguments[0]))
            if name == "write" and number == errno.ENOSPC:
                os.write(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])  # some went through
            raise OSError(number, os.strerror(number))

    disk(before)
    story = Story(root)
    for promise, step in story.steps():
        error = failure(step)
        if error is not None:
            assert (error.rule, error.status) == (ERRORS[number], 1)
            assert str(root) in error.message
            assert hit
            assert not list(story.path.rglob("*.tmp"))
            refusing = False
            if promise == "created":
                assert not story.path.exists()
            story.unsealing = promise == "unsealed"  # it may have come as far as that
            story.check(story.path)
            story.unsealing = False
            step()  # the same again, as the disk is well
        story.told.append(promise)
        refusing = not hit
    story.check(story.path)
    assert RunFolder.open(story.path).status == "finished"
    assert not list(story.path.rglob("*.tmp"))
    return bool(hit)


CASES = [(operation, number) for operation in OPERATIONS for number in ERRORS]


@pytest.mark.parametrize(("operation", "number"), CASES)
def test_a_failing_disk_loses_nothing_anywhere(
    tmp_path: Path, disk: Callable[..., None], operation: str, number: int, thorough: bool
) -> None:
    few = operation in ("mkdir", "unlink")
    for place in itertools.count(step=1 if thorough or few else 11):
        hit = False
        for lasting in (False, True) if thorough else (place % 2 == 1,):
            root = tmp_path / f"{place} {lasting}"
            hit = refused_at(root, disk, operation, number, place, lasting)
            shutil.rmtree(root)
        if not hit:
            break
    assert place > (3 if few else 15)


def deaths(root: Path, disk: Callable[..., None], reader: bool, every: int) -> Iterator[Story]:
    """Tell the story once; before each `every`-th operation, what a process that dies there leaves of it."""
    story, counted = Story(root / "now"), itertools.count()
    scenes: list[Story] = []
    lingering: sqlite3.Connection | None = None

    def before(name: str, arguments: tuple[Any, ...]) -> None:
        place = next(counted)
        if place % every == 0 and story.path.exists():
            then = Story(root / str(place))
            then.told, then.unsealing = list(story.told), story.unsealing
            shutil.copytree(story.path, then.path)  # the lock does not come along, as with a dead process
            for file in then.path.rglob(f".*.{os.getpid()}-*"):  # nor is its number that of a living one
                file.rename(file.with_name(file.name.replace(f".{os.getpid()}-", f".{2**22 + 1}-")))
            scenes.append(then)

    disk(before)
    for promise, step in story.steps():
        story.unsealing = promise == "unsealed"
        step()
        story.told.append(promise)
        if reader and promise == "30":  # somebody looks at the tables, and leaves them open
            lingering = sqlite3.connect(story.path / "run.sqlite")
            lingering.execute("SELECT count(*) FROM losses").fetchone()
    disk()
    if lingering is not None:
        lingering.close()
    yield from scenes


@pytest.mark.slow
@pytest.mark.parametrize("reader", [False, True])
def test_a_death_anywhere_leaves_a_run_that_goes_on(
    tmp_path: Path, disk: Callable[..., None], reader: bool, thorough: bool
) -> None:
    every, count = 1 if thorough else 3, 0
    for story in deaths(tmp_path, disk, reader, every):
        if not (story.path / "manifest.json").exists():
            continue
        story.check(story.path)
        with RunFolder.open(story.path) as folder:
            status = folder.status
            assert status in ("interrupted", "stopped", "finished")
            folder.unseal()
            there = {name: folder.read_bytes(name) for name in WRITTEN if folder.has(name)}
            kept = folder.last_checkpoint()
            step = 0 if kept is None else int(kept[1]["step"])
            folder.database.cut(0, step, 0)
            assert len(folder.database.losses()) == step
            folder.checkpoint({"w": torch.full((400,), float(step))}, {"step": step})
            folder.seal("finished")
        # nothing is unreadable by a death between a rename and its record
        sealed = RunFolder.open(story.path)
        assert {name: sealed.read_bytes(name) for name in WRITTEN if (story.path / name).exists()} == there
        if "created" in story.told:
            story.told.append("finished")
            story.check(story.path)
        assert {p.parent.name for p in story.path.rglob(".*")} <= {"pictures"}  # cleared when one is drawn
        count += 1
    assert count > 90 / every


# ---- power


class Disk:
    """What a disk holds: names and contents as the system shows them, and as a power failure leaves them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.open: dict[int, str] = {}
        self.contents: dict[str, tuple[bytes, bytes]] = {}  # inode: now, and on the platter
        self.names: dict[str, str] = {}  # path: inode
        self.kept: dict[str, str] = {}
        self._inodes = itertools.count()

    def done(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        """Note an operation that has just been done."""
        if name == "open":
            path = str(arguments[0])
            if arguments[1] & os.O_CREAT and path not in self.names:
                self.names[path] = str(next(self._inodes))
            if arguments[1] & os.O_TRUNC:
                self.contents[self.names[path]] = (b"", b"")
            self.open[result] = path if Path(path).is_dir() else self.names[path]
        elif name == "write":
            now, kept = self.contents.get(self.open[arguments[0]], (b"", b""))
            self.contents[self.open[arguments[0]]] = (now + bytes(arguments[1][:result]), kept)
        elif name == "fsync":
            inode = self.open[arguments[0]]
            if inode in self.contents:
                self.contents[inode] = (self.contents[inode][0],) * 2
            else:  # a folder: its names reach the disk
                for path in {*self.names, *self.kept}:
                    if str(Path(path).parent) == inode:
                        self._move(path, self.names, self.kept)
        elif name == "mkdir":
            self.names[str(arguments[0])] = "folder"
        elif name == "rename":
            self.names[str(arguments[1])] = self.names.pop(str(arguments[0]))
        elif name == "unlink":
            self.names.pop(str(arguments[0]), None)

    def put(self, target: Path, lost: random.Random | None) -> None:
        """Build what a power failure leaves: nothing that was not synced, or (with `lost`) some of it."""
        names = dict(self.kept)
        for path in sorted({*self.names, *self.kept}):
            if lost is not None and lost.random() < 0.5:
                self._move(path, self.names, names)
        for path, inode in sorted(names.items()):
            place = target / Path(path).relative_to(self.root)
            if inode == "folder":
                place.mkdir(exist_ok=True)
            elif place.parent.is_dir():
                now, kept = self.contents.get(inode, (b"", b""))
                torn = now[: lost.randrange(len(now) + 1)] if lost is not None and now != kept else kept
                place.write_bytes(torn)

    @staticmethod
    def _move(path: str, source: dict[str, str], target: dict[str, str]) -> None:
        if path in source:
            target[path] = source[path]
        else:
            target.pop(path, None)


def powerless(root: Path, disk: Callable[..., None], seeds: int, every: int) -> Iterator[tuple[Path, Story]]:
    """Tell the story once; after each `every`-th operation, what power failures leave of it."""
    story, platter = Story(root / "now"), Disk(root / "now")
    (root / "now").mkdir(parents=True)
    scenes: list[tuple[Path, Story]] = []
    counted = itertools.count()

    def after(name: str, arguments: tuple[Any, ...], result: Any) -> None:
        platter.done(name, arguments, result)
        place = next(counted)
        for seed in (None, *range(seeds)) if place % every == 0 else ():
            target = root / f"{place}-{seed}"
            target.mkdir()
            platter.put(target, None if seed is None else random.Random(seed))
            then = Story(target)
            then.told = list(story.told)
            scenes.append((target, then))

    disk(after=after)
    for promise, step in story.steps():
        if promise == "unsealed":
            break  # from here on SQLite writes into a file that was not its own to begin with
        step()
        story.told.append(promise)
    disk()
    yield from scenes


@pytest.mark.parametrize(
    ("seeds", "every"), [(0, 7), pytest.param(3, 1, marks=pytest.mark.slow)], ids=["quick", "all"]
)
def test_a_power_failure_leaves_all_that_was_promised(
    tmp_path: Path, disk: Callable[..., None], monkeypatch: pytest.MonkeyPatch, seeds: int, every: int
) -> None:
    sealed = checked = 0
    # SQLite looks after its own file, in its own tests: here it is as it was made, behind its checkpoints
    monkeypatch.setattr(Database, "check", lambda database, mark: None)
    for target, story in powerless(tmp_path, disk, seeds, every):
        path = target / "runs" / "wine-1"
        if (path / "manifest.json").exists():
            story.check(path, database=False)
            checked += 1
            if RunFolder.open(path).status == "stopped":
                story.check(path)
                sealed += 1
        elif "created" in story.told:
            assert (path / "manifest.json").exists()
        shutil.rmtree(target)
    assert checked > 10
    assert sealed or every > 1
