"""A process that dies before its run began: the next run of that name takes its folder."""

import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.folders.conftest import fill, rule
from treino.base import files, lock
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder, list_runs
from treino.folders.store.new_names import is_leftover

SENTENCE = "ended before it began"


class Death(BaseException):
    pass


def begun(folder: RunFolder) -> None:
    """What is written up to the moment from which on there is something to resume."""
    folder.write_json("preparation.json", {})
    folder.write_new({"keyframes/0-5.safetensors": [b"keyframe"]})
    if folder.kind == "sweep":
        folder.write_json("spec.json", {})
    folder.write_json("asked.json" if folder.kind == "sweep" else "spec.json", {"mine": True})


def dies_at(place: int, make: Callable[[], RunFolder]) -> bool:
    """Make a run's folder in a process that is killed before the `place`-th operation; whether it was."""
    process = os.fork()
    if process == 0:
        counted = itertools.count()

        def before(name: str) -> Callable[..., object]:
            def operation(*arguments: object) -> object:
                if next(counted) == place:
                    os.kill(os.getpid(), signal.SIGKILL)
                return getattr(os, name)(*arguments) if name != "fsync" else None

            return operation

        for name in ("open", "write", "rename", "mkdir", "fsync", "unlink"):
            setattr(files, f"_{name}", before(name))
        try:
            begun(make())
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.parametrize(("by", "kind"), [("name", "run"), ("out", "sweep"), ("name", "study")])
def test_whoever_dies_at_first_leaves_a_name_that_can_be_used(
    tmp_path: Path, by: str, kind: str, thorough: bool
) -> None:
    place = listed = 0
    every = 1 if thorough else 4
    while True:
        parent = tmp_path / str(place)
        parent.mkdir()
        words = {"parent": parent, "name": "a"} if by == "name" else {"out": parent / "a"}

        def make(words: dict[str, object] = words) -> RunFolder:
            return RunFolder.create(kind=kind, **words)  # type: ignore[arg-type]

        if not dies_at(place, make):
            break
        lines = list_runs(parent)
        listed += len(lines)
        for line in lines:
            assert line.status == "interrupted"
            assert SENTENCE in (line.damage or "") or line.spec is not None
        if not lines or lines[0].damage:
            with make() as folder:
                assert sorted(p.name for p in folder.path.iterdir()) == [
                    ".lock",
                    "manifest.json",
                    "run.sqlite",
                ]
                fill(folder)
                folder.seal("finished")
            assert RunFolder.open(parent / "a").status == "finished"
        else:  # dead right after its settings were written
            with RunFolder.open(parent / "a").lock() as folder:
                folder.seal("stopped")
        place += every
    assert place > 25
    assert listed > place // every // 2


def test_what_is_shown_of_such_a_folder_says_what_to_type(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        pass
    (folder.path / "manifest.json").unlink()
    with pytest.raises(TreinoError, match=SENTENCE) as caught:
        RunFolder.open(folder.path)
    assert rule(caught) == ("ended_before_it_began", 2)
    assert "takes the folder over" in caught.value.hint
    (line,) = list_runs(tmp_path)
    assert (line.status, line.damage) == ("interrupted", str(caught.value))


def test_a_live_process_keeps_its_folder(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        (folder.path / "manifest.json").unlink()
        assert list_runs(tmp_path)[0].status == "running"
        for words in ({"parent": tmp_path, "name": "a"}, {"out": tmp_path / "a"}):
            with pytest.raises(TreinoError) as caught:
                RunFolder.create(**words)  # type: ignore[arg-type]
            assert caught.value.rule == "run_busy"
        assert (folder.path / "run.sqlite").exists()


def test_a_run_without_a_checkpoint_is_taken_over(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        folder.write_json("spec.json", {"mine": True})
        folder.database.add_event(0, 1, "noted", {})
        with pytest.raises(TreinoError, match="already something called a"):
            RunFolder.create(parent=tmp_path, name="a")  # it is being written
    assert list_runs(tmp_path)[0].damage is None  # and can be resumed
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        assert not folder.has("spec.json")
        assert folder.database.events() == []
        fill(folder)
    with pytest.raises(TreinoError, match="already something called a"):
        RunFolder.create(parent=tmp_path, name="a")


def test_a_run_that_has_ended_before_is_kept_although_it_has_no_checkpoint(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        folder.write_json("spec.json", {})
        folder.write_json("result.json", {})
        folder.seal("stopped")
    with RunFolder.open(tmp_path / "a") as folder:
        folder.unseal()
    with pytest.raises(TreinoError, match="already something called a"):
        RunFolder.create(parent=tmp_path, name="a")


@pytest.mark.parametrize("name", ["notes.txt", "exports/mine.py", "spec.json", "keyframes/mine.txt"])
def test_a_folder_with_anything_else_in_it_is_no_leftover(tmp_path: Path, name: str) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        pass
    (folder.path / "manifest.json").unlink()
    (folder.path / name).parent.mkdir(exist_ok=True)
    (folder.path / name).write_text("mine")
    with pytest.raises(TreinoError, match="already something called a"):
        RunFolder.create(parent=tmp_path, name="a")
    assert (folder.path / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["run.sqlite", "manifest.json", "keyframes", "."])
def test_a_link_is_no_leftover(tmp_path: Path, name: str) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        pass
    outside, inside = tmp_path / "outside", folder.path / name
    if inside.exists():
        inside.rename(outside)
    else:
        outside.mkdir()
        (outside / "0-5.safetensors").write_text("precious")
    (folder.path if name == "." else inside).symlink_to(outside)
    assert not is_leftover(folder.path)
    with pytest.raises(TreinoError):
        RunFolder.create(parent=tmp_path, name="a")
    assert outside.exists()


def test_one_that_is_taken_over_before_it_is_locked_counts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire, others = lock.acquire, []

    def late(path: Path) -> int:
        monkeypatch.undo()
        others.append(RunFolder.create(parent=tmp_path, name="wine-1"))
        return acquire(path)

    monkeypatch.setattr(lock, "acquire", late)
    with RunFolder.create(parent=tmp_path, stem="wine") as folder, others[0] as other:
        assert (folder.path.name, other.path.name) == ("wine-2", "wine-1")


# ---- taken back


@pytest.mark.parametrize("by", ["name", "out"])
def test_only_what_was_made_is_taken_back(tmp_path: Path, by: str) -> None:
    out = tmp_path / "a"
    if by == "out":
        out.mkdir()
    folder = RunFolder.create(out=out) if by == "out" else RunFolder.create(parent=tmp_path, name="a")
    fill(folder)
    folder.write_new({"keyframes/0-5.safetensors": [b"keyframe"]})
    (out / "notes.txt").write_text("mine")
    (out / "checkpoint" / "notes.txt").write_text("mine")
    folder.discard()
    there = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
    assert there == ["checkpoint", "checkpoint/notes.txt", "notes.txt"]
    for path in ("notes.txt", "checkpoint/notes.txt"):
        (out / path).unlink()
    (out / "checkpoint").rmdir()
    folder = RunFolder.create(out=out)
    fill(folder).discard()
    assert list(out.iterdir()) == []


def test_a_folder_that_was_made_goes_with_what_was_in_it(tmp_path: Path) -> None:
    fill(RunFolder.create(parent=tmp_path, name="a")).discard()
    assert list(tmp_path.iterdir()) == []
    RunFolder.create(parent=tmp_path, name="a").close()


def test_whoever_dies_while_taking_back_leaves_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(20):
        folder, counted = fill(RunFolder.create(parent=tmp_path, name=str(place))), [0]

        def dying(path: Path, counted: list[int] = counted, place: int = place) -> None:
            counted[0] += 1
            if counted[0] > place:
                raise Death
            os.unlink(path)

        with monkeypatch.context() as patch:
            patch.setattr(files, "_unlink", dying)
            try:
                folder.discard()
            except Death:
                os.close(folder._lock or 0)
                lock._held.discard(folder._lock or 0)
            else:
                break
        assert is_leftover(folder.path) == (place > 0)  # before its settings went it was a run
    assert place > 5
