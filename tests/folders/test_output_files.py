"""Output paths are checked before the work and when written: a file created meanwhile isn't lost."""

import errno
import os
import threading
from pathlib import Path

import pytest

from tests.conftest import refusal_of
from treino.base import files
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder
from treino.folders.store.output_files import CSV, PAGE, OutputFile, OutputFolder


def refused(place: OutputFile | OutputFolder, *content: object) -> str:
    error = refusal_of(place.write, *content)
    return error.rule


def test_what_came_while_it_was_worked_is_kept(tmp_path: Path, finished: RunFolder) -> None:
    for name, make, rule in (
        ("file", lambda path: path.write_text("mine"), "file_exists"),
        ("link", lambda path: path.symlink_to("rows.csv"), "to_link"),
        ("source", lambda path: path.hardlink_to(tmp_path / "rows.csv"), "to_source"),
        ("folder", lambda path: path.mkdir(), "to_place"),
        ("pipe", os.mkfifo, "to_special"),
    ):
        (tmp_path / "rows.csv").write_text("a,b")
        path = tmp_path / f"{name}.csv"
        place = OutputFile(path, CSV, reads=[tmp_path / "rows.csv"], replace=rule != "file_exists")
        make(path)
        before = path.lstat()
        assert refused(place, b"new") == rule
        assert (path.lstat().st_ino, path.lstat().st_size) == (before.st_ino, before.st_size)
        assert (tmp_path / "rows.csv").read_text() == "a,b"
    (tmp_path / "later").mkdir()
    place = OutputFile(tmp_path / "later/a.csv", CSV)
    (tmp_path / "later").rmdir()
    (tmp_path / "later").symlink_to(finished.path)
    assert refused(place, b"new") == "to_run"
    finished.verify()


def test_of_many_that_write_at_once_one_does(tmp_path: Path) -> None:
    places = [OutputFile(tmp_path / "a.html", PAGE) for _one in range(8)]
    together = threading.Barrier(len(places))
    done: list[int] = []
    rules: list[str] = []

    def write(number: int) -> None:
        together.wait()
        try:
            places[number].write(b"%d" % number)
            done.append(number)
        except TreinoError as error:
            rules.append(error.rule)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(places))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [b"%d" % number for number in done] == [(tmp_path / "a.html").read_bytes()]
    assert rules == ["file_exists"] * 7
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("primitive", ["_open", "_write", "_fsync", "_rename"])
@pytest.mark.parametrize("replace", [False, True])
def test_a_disk_that_fails_leaves_what_was_there(
    primitive: str, replace: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if replace:
        (tmp_path / "a.html").write_text("mine")
    place = OutputFile(tmp_path / "a.html", PAGE, replace=replace)

    def fails(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(files, primitive, fails)
    assert refused(place, b"new") == "disk_full"
    assert [path.read_text() for path in tmp_path.iterdir()] == (["mine"] if replace else [])
    assert place.replaced == []


def test_a_folder_s_files_are_named_before_the_work(tmp_path: Path) -> None:
    place = OutputFolder(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(ValueError, match=r"a\.png"):
        place.write("a.png", b"")
    place.check(["a.png", "film/frame-*.png"])
    for _twice in range(2):  # what it wrote itself it may write again
        assert place.write("a.png", b"1").read_bytes() == b"1"
    (tmp_path / "new/film").mkdir()
    (tmp_path / "new/film/frame-7.png").write_text("mine")
    assert refused(place, "film/frame-7.png", b"") == "file_exists"
    assert "frame-7" in str(refusal_of(place.remove_others, "film/frame-*.png"))
    other = OutputFolder(tmp_path / "new", replace=True)
    other.check(["film/frame-*.png"])
    (tmp_path / "new/film/holiday.png").write_text("mine")
    other.write("film/frame-8.png", b"")
    other.remove_others("film/frame-*.png")
    assert sorted(path.name for path in (tmp_path / "new/film").iterdir()) == ["frame-8.png", "holiday.png"]
    assert other.replaced == [tmp_path / "new/film/frame-7.png"]


def test_the_folders_of_others_are_no_runs(tmp_path: Path) -> None:
    """An application of the web has a manifest.json too; a pipe of that name is not waited for."""
    (tmp_path / "manifest.json").write_text('{"name": "app", "icons": [], "kind": "application"}')
    assert OutputFile(tmp_path / "a.html", PAGE).write(b"page").is_file()
    (tmp_path / "manifest.json").unlink()
    os.mkfifo(tmp_path / "manifest.json")
    assert OutputFile(tmp_path / "b.html", PAGE).write(b"page").is_file()


def test_a_damaged_run_is_a_run(finished: RunFolder) -> None:
    manifest = finished.path / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-20] + b"\xff" * 20)
    assert refusal_of(OutputFile, finished.path / "a.html", PAGE).rule == "to_run"
