"""Links in a run's folder are refused; other hard links of a file stay unchanged."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import refusal_of
from tests.folders.conftest import fill
from treino.base.errors import TreinoError
from treino.base.files import inside
from treino.folders.store import RunFolder, list_runs


@pytest.fixture
def killed(tmp_path: Path) -> RunFolder:
    """A run that died: its tables and their log are as SQLite left them."""
    with fill(RunFolder.create(parent=tmp_path / "live", name="wine-1")) as folder:
        folder.write_new({"keyframes/0-5.safetensors": [b"keyframe"]})
        folder.database.flush()
        shutil.copytree(folder.path, tmp_path / "runs" / "wine-1", ignore=shutil.ignore_patterns(".lock"))
    assert (tmp_path / "runs/wine-1/run.sqlite-wal").stat().st_size > 0
    return RunFolder.open(tmp_path / "runs" / "wine-1")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


WRITES: dict[str, Callable[[RunFolder], object]] = {
    ".lock": lambda folder: folder.lock(),
    "run.sqlite": lambda folder: folder.lock().database,
    "run.sqlite-wal": lambda folder: folder.lock().database,
    "run.sqlite-shm": lambda folder: folder.lock().database,
    "run.sqlite-journal": lambda folder: folder.lock().database,
    "checkpoint": lambda folder: folder.lock().checkpoint({}, {}),
    "checkpoint/a.safetensors": lambda folder: folder.lock().checkpoint({}, {}),
    "keyframes": lambda folder: folder.lock().write_new({"keyframes/0-9.safetensors": [b""]}),
    "spec.json": lambda folder: folder.lock().write_json("spec.json", {}),
    "result.json": lambda folder: folder.lock().seal("stopped"),
    "manifest.json": lambda folder: folder.unseal(),
    "pictures": lambda folder: folder.write_bytes("pictures/curves.png", b"png"),
    "pictures/curves.png": lambda folder: folder.write_bytes("pictures/curves.png", b"png"),
    "exports": lambda folder: folder.write_bytes("exports/a/b.py", b""),
}


@pytest.mark.parametrize("change", ["link", "pipe"])
@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_written_through_a_link(killed: RunFolder, tmp_path: Path, name: str, change: str) -> None:
    outside, place = tmp_path / "outside", killed.path / name
    outside.mkdir()
    place.parent.mkdir(exist_ok=True)
    if place.exists():
        shutil.move(place, outside / "there")
    else:
        (outside / "there").write_text("precious")
    if change == "link":
        place.symlink_to(outside / "there")
    else:
        os.mkfifo(place)
    before = snapshot(outside)
    with pytest.raises(TreinoError) as caught, killed:
        WRITES[name](killed)
    assert caught.value.rule in {"link": ["link_in_run"], "pipe": ["not_a_file", "not_a_folder"]}[change]
    assert caught.value.status == 2
    assert str(place) in caught.value.message
    assert snapshot(outside) == before
    (line,) = list_runs(tmp_path / "runs")  # which reads some of them and reports the run
    assert line.status in ("interrupted", "damaged")


def test_a_run_goes_on_beside_a_copy_that_shares_its_files(killed: RunFolder, tmp_path: Path) -> None:
    (killed.path / ".lock").write_text("1\n")
    copy = tmp_path / "copy"
    shutil.copytree(killed.path, copy, copy_function=os.link)  # as `cp -al` does
    before = snapshot(copy)
    assert len(killed.database.losses()) == 40
    assert snapshot(copy) == before
    with killed.lock():
        assert killed.last_checkpoint() is not None
        killed.database.add_losses(0, 40, np.ones(5))
        killed.checkpoint({}, {"step": 45})
        killed.write_json("spec.json", {"changed": True})
        killed.seal("stopped")
    assert snapshot(copy) == before
    assert len(RunFolder.open(killed.path).database.losses()) == 45
    assert len(RunFolder.open(copy).database.losses()) == 40


def test_a_leftover_is_replaced_and_not_written_into(killed: RunFolder, tmp_path: Path) -> None:
    """What a dying process left of a new file may share its content with another name."""
    (tmp_path / "precious").write_text("precious")
    (killed.path / "keyframes/0-9.safetensors").hardlink_to(tmp_path / "precious")
    with killed.lock():
        killed.write_new({"keyframes/0-9.safetensors": [b"keyframe"]})
    assert (tmp_path / "precious").read_text() == "precious"
    assert killed.read_bytes("keyframes/0-9.safetensors") == b"keyframe"


@pytest.mark.parametrize("name", ["../x", "/etc/hostname", "a/../../x", "a\0b"])
def test_a_name_that_leads_out_of_a_folder_is_no_file_of_it(killed: RunFolder, name: str) -> None:
    for ask in (killed.read_bytes, killed.within, killed.has, killed.names):
        with pytest.raises(TreinoError, match="is no file of"):
            ask(name)


def test_the_folder_itself_may_be_reached_through_links(killed: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").symlink_to(tmp_path / "runs")
    (tmp_path / "elsewhere/linked").symlink_to("wine-1")
    assert inside(tmp_path / "elsewhere/linked", "spec.json").read_bytes()
    with RunFolder.open(tmp_path / "elsewhere/linked") as folder:
        folder.lock()
        folder.seal("stopped")
    assert [line.status for line in list_runs(tmp_path / "elsewhere")] == ["stopped"] * 2


def test_the_winner_of_a_sweep_is_not_reached_through_a_link_in_its_folder(
    killed: RunFolder, tmp_path: Path
) -> None:
    shutil.copytree(killed.path, tmp_path / "sweep")
    (tmp_path / "sweep/best").symlink_to(killed.path)
    assert "best is a link" in str(refusal_of(RunFolder.open, tmp_path / "sweep/best"))
