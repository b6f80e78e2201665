"""A process that dies before its run began: the next run of that name takes its folder."""

from pathlib import Path

import pytest

from tests.conftest import refusal_of
from tests.folders.conftest import fill, rule
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder, list_runs
from treino.folders.store.new_names import is_leftover

SENTENCE = "ended before it began"


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
            assert refusal_of(RunFolder.create, **words).rule == "run_busy"
        assert (folder.path / "run.sqlite").exists()


def test_a_run_without_a_checkpoint_is_taken_over(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        folder.write_json("spec.json", {"mine": True})
        folder.database.add_event(0, 1, "noted", {})
        assert "already something called a" in str(
            refusal_of(RunFolder.create, parent=tmp_path, name="a")
        )  # it is being written
    assert list_runs(tmp_path)[0].damage is None  # and can be resumed
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        assert not folder.has("spec.json")
        assert folder.database.events() == []
        fill(folder)
    assert "already something called a" in str(refusal_of(RunFolder.create, parent=tmp_path, name="a"))


def test_a_run_that_has_ended_before_is_kept_although_it_has_no_checkpoint(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        folder.write_json("spec.json", {})
        folder.write_json("result.json", {})
        folder.seal("stopped")
    with RunFolder.open(tmp_path / "a") as folder:
        folder.unseal()
    assert "already something called a" in str(refusal_of(RunFolder.create, parent=tmp_path, name="a"))


@pytest.mark.parametrize("name", ["notes.txt", "exports/mine.py", "spec.json", "keyframes/mine.txt"])
def test_a_folder_with_anything_else_in_it_is_no_leftover(tmp_path: Path, name: str) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        pass
    (folder.path / "manifest.json").unlink()
    (folder.path / name).parent.mkdir(exist_ok=True)
    (folder.path / name).write_text("mine")
    assert "already something called a" in str(refusal_of(RunFolder.create, parent=tmp_path, name="a"))
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
    fill(RunFolder.create(out=out)).discard()
    assert list(out.iterdir()) == []
    fill(RunFolder.create(parent=tmp_path, name="b")).discard()
    assert list(tmp_path.iterdir()) == [out]
