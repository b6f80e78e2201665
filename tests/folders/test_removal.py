"""Deleting runs: all that is in their folders, nothing else, and none that is in training."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import refusal_of
from treino.folders.store import RunFolder, list_runs, removal
from treino.folders.store.removal import delete


def files(folder: Path) -> dict[str, bytes]:
    """What lies below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(parent: Path, *names: str) -> None:
    """Sealed runs of these names."""
    for name in names:
        with RunFolder.create(parent=parent, name=name) as folder:
            folder.write_json("spec.json", {"name": name})
            folder.seal("finished")


def test_a_deleted_folder_goes_with_all_that_is_in_it_and_nothing_else_does(tmp_path: Path) -> None:
    made(tmp_path, "one", "two", "three")
    (tmp_path / "one/notes").mkdir()
    (tmp_path / "one/notes/mine.txt").write_text("mine")
    outside = tmp_path.parent / "outside.txt"
    outside.write_text("not mine")
    (tmp_path / "one/link").symlink_to(outside)
    (tmp_path / "one/folder").symlink_to(tmp_path / "three")
    before = files(tmp_path)
    delete([tmp_path / "one", tmp_path / "two"])
    assert os.listdir(tmp_path) == ["three"]
    assert files(tmp_path) == {name: body for name, body in before.items() if name.startswith("three/")}
    assert outside.read_text() == "not mine"


@pytest.mark.parametrize("place", ["three", "three/best"])
def test_none_is_deleted_where_one_is_in_training(tmp_path: Path, place: str) -> None:
    made(tmp_path, "one", "two", "three")
    writing = RunFolder.create(out=tmp_path / place) if "/" in place else None
    if writing is None:
        writing = RunFolder.create(parent=tmp_path, name="four")
    with writing:
        before = files(tmp_path)
        error = refusal_of(delete, [tmp_path / "one", tmp_path / ("three" if "/" in place else "four")])
        assert error.rule == "run_busy"
        assert files(tmp_path) == before


def test_what_a_dying_deletion_leaves_is_no_run_and_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "one", "two", "three")

    def dies(*_path: Any, **_how: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(removal.shutil, "rmtree", dies)
        with pytest.raises(SystemExit):
            delete([tmp_path / "one"])
    assert sorted(run.name for run in list_runs(tmp_path)) == ["three", "two"]
    made(tmp_path, "one")  # the name is free
    delete([tmp_path / "two"])
    assert sorted(os.listdir(tmp_path)) == ["one", "three"]
