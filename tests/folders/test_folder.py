"""A folder's contents, its writers, and reopening it after a seal or a kill."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import refusal_of
from tests.folders.conftest import fill, rule
from treino.base import files, lock
from treino.base.errors import TreinoError
from treino.base.files import sha256
from treino.folders.store import RunFolder, checkpoint, list_runs

# ---- what is in it


def test_a_finished_run_reads_back(finished: RunFolder) -> None:
    assert (finished.kind, finished.status) == ("run", "finished")
    assert finished.read_json("spec.json")["resolved"]["name"] == "açaí"
    assert finished.read_json("result.json") == {"loss": [1.0, None], "steps": 40}
    tensors, metadata = finished.read_tensors("model.safetensors")
    assert torch.equal(tensors["0.weight"], torch.arange(6.0).reshape(2, 3).t())
    assert metadata == {"kept": 4}
    assert np.array_equal(finished.database.losses(), np.arange(40, dtype=np.float32) / np.float32(7))
    state = finished.last_checkpoint()
    assert state[1] == {"step": 40, "best": float("inf")}
    assert torch.equal(state[0]["w"], torch.full((3, 2), 40.0))


def test_the_manifest_is_what_any_other_tool_computes(finished: RunFolder) -> None:
    content = json.loads((finished.path / "manifest.json").read_text())
    assert (content["format"], content["kind"], content["status"]) == (1, "run", "finished")
    assert content["files"] == {name: sha256(finished.path / name) for name in content["files"]}
    assert len(content["files"]) == 7


def test_a_moved_and_copied_run_is_the_same(finished: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(finished.path, tmp_path / "copy")
    shutil.move(finished.path, tmp_path / "moved")
    for name in ("copy", "moved"):
        folder = RunFolder.open(tmp_path / name)
        assert folder.status == "finished"
        assert len(folder.database.losses()) == 40
        with folder:
            folder.unseal()
            folder.seal("finished")
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or os.fsencode(tmp_path) not in path.read_bytes()


@pytest.mark.parametrize("moment", ["before the rename", "after the rename", "before the second rename"])
def test_a_death_around_a_new_file_is_neither_loss_nor_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class Death(BaseException):
        pass

    write, seen = files.write_atomically, []

    def dying(path: Path, data: bytes) -> None:
        seen.append(path.name)
        if path.name == "spec.json" and moment == "before the rename":
            raise Death
        if seen == ["manifest.json", "spec.json", "manifest.json"] and moment == "before the second rename":
            raise Death
        write(path, data)
        if path.name == "spec.json" and moment == "after the rename":
            raise Death

    folder = RunFolder.create(parent=tmp_path, name="a")
    monkeypatch.setattr(files, "write_atomically", dying)
    with pytest.raises(Death), folder:
        folder.write_json("spec.json", {"lr": 0.1})
    monkeypatch.undo()
    there = moment != "before the rename"
    dead = RunFolder.open(folder.path)
    assert dead.has("spec.json") == there
    assert list_runs(tmp_path)[0].spec == ({"lr": 0.1} if there else None)
    if there:
        whole = (folder.path / "spec.json").read_bytes()
        (folder.path / "spec.json").write_bytes(whole.replace(b"0.1", b"0.3"))
        for ask in (lambda: RunFolder.open(folder.path), lambda: dead.lock().seal("stopped")):
            with pytest.raises(TreinoError, match=r"spec\.json is damaged"), dead:
                ask()
        (folder.path / "spec.json").write_bytes(whole)
    with dead.lock():
        dead.seal("stopped")
    sealed = RunFolder.open(folder.path)
    assert sealed.manifest.files.keys() == ({"spec.json", "run.sqlite"} if there else {"run.sqlite"})
    assert all(len(digest) == 64 for digest in sealed.manifest.files.values())


def test_files_beside_the_manifest_are_free(finished: RunFolder) -> None:
    path = finished.write_bytes("pictures/boundary.png", b"png")
    assert finished.write_bytes("exports/a/b.py", b"1").read_bytes() == b"1"
    assert path.read_bytes() == finished.read_bytes("pictures/boundary.png") == b"png"
    finished.write_bytes("pictures/boundary.png", b"newer")
    (finished.path / "notes.txt").write_text("mine")
    RunFolder.open(finished.path)
    assert "notes.txt" in str(refusal_of(finished.read_bytes, "notes.txt"))
    assert "treino plot" in refusal_of(finished.read_bytes, "pictures/none.png").hint
    assert "manifest.json" in refusal_of(finished.read_bytes, "other.json").hint


def test_nothing_is_written_without_the_lock_or_after_the_seal(finished: RunFolder) -> None:
    for handle in (finished, finished.lock()):
        for write in (
            lambda folder: folder.write_json("spec.json", {}),
            lambda folder: folder.checkpoint({}, {}),
            lambda folder: folder.seal("finished"),
            lambda folder: folder.database.add_losses(0, 0, np.ones(1)),
            lambda folder: folder.database.add_command("lr", 1),
        ):
            assert refusal_of(write, handle).rule in ("run_not_writing", "not_running")
    finished.close()
    with pytest.raises(ValueError, match="name inside"):
        finished.write_bytes("../x", b"")
    with pytest.raises(ValueError, match="fine"):
        finished.seal("fine")
    RunFolder.open(finished.path)


def test_missing_files_are_named(finished: RunFolder, tmp_path: Path) -> None:
    (finished.path / "model.safetensors").unlink()
    with pytest.raises(TreinoError, match=r"model\.safetensors") as caught:
        RunFolder.open(finished.path)
    assert rule(caught) == ("file_missing", 2)
    with pytest.raises(TreinoError, match=r"other\.json") as caught:
        finished.read_json("other.json")
    assert rule(caught) == ("file_missing", 2)
    with fill(RunFolder.create(parent=tmp_path, name="a")) as folder:  # one that was not sealed
        (folder.path / "preparation.json").unlink()
        for ask in (lambda: RunFolder.open(folder.path), lambda: folder.seal("stopped")):
            assert "preparation.json is not there" in str(refusal_of(ask))
    assert list_runs(tmp_path)[0].damage == "preparation.json is missing"


# ---- going on


def test_a_run_is_locked_while_it_is_written(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        other = RunFolder.open(folder.path)
        assert (folder.status, other.status) == ("running", "running")
        with pytest.raises(TreinoError, match=f"process {os.getpid()}") as caught:
            other.lock()
        assert rule(caught) == ("run_busy", 2)
    assert (folder.status, other.status) == ("interrupted", "interrupted")
    with other.lock():
        assert folder.status == "running"
        other.seal("stopped")
        assert (folder.status, other.status) == ("stopped", "stopped")
    assert not (folder.path / ".lock").exists()


def test_those_who_look_at_a_lock_do_not_take_each_other_for_its_holder(tmp_path: Path) -> None:
    path = tmp_path / lock.NAME
    path.write_text(" 4999999 ending\n", "utf-8")  # of a process that was killed
    with ThreadPoolExecutor(6) as pool:
        assert {*pool.map(lambda _look: (lock.holder(path), lock.ends(path)), range(600))} == {(None, False)}
    held = lock.acquire(path)
    assert (lock.holder(path), lock.ends(path)) == (os.getpid(), False)
    lock.mark(held, path, ending=True)
    assert (lock.holder(path), lock.ends(path)) == (os.getpid(), True)
    lock.release(held, path, unlink=True)
    assert (lock.holder(path), lock.ends(path)) == (None, False)


def test_a_lock_file_that_was_unlinked_meanwhile_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RunFolder.create(parent=tmp_path, name="a")
    other, busy = RunFolder.open(writer.path), lock._busy

    def sealed_meanwhile(descriptor: int) -> bool:
        if writer.status == "running":
            writer.seal("finished")  # after `other` has opened the lock file
        return busy(descriptor)

    monkeypatch.setattr(lock, "_busy", sealed_meanwhile)
    with other.lock():
        monkeypatch.undo()
        assert "being written" in str(refusal_of(RunFolder.open(writer.path).lock))


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as writer:
        writer.write_json("result.json", 0)
        reader, read, times = RunFolder.open(writer.path), files.read_bytes, [0]

        def replaced_meanwhile(path: Path) -> bytes:
            if path.name == "result.json" and times[0] < 3:
                times[0] += 1
                writer.write_json("result.json", times[0])
            return read(path)

        monkeypatch.setattr(files, "read_bytes", replaced_meanwhile)
        assert reader.read_json("result.json") == 3


def test_a_sealed_run_goes_on_and_is_sealed_again(finished: RunFolder) -> None:
    with RunFolder.open(finished.path) as folder:
        folder.unseal()
        folder.unseal()
        assert (finished.status, folder.status) == ("running", "running")
        folder.database.cut(0, 35, 3)
        folder.database.add_losses(0, 35, np.ones(5, np.float32))
        folder.checkpoint({"w": torch.ones(1)}, {"step": 41})
        folder.write_json("result.json", {"steps": 41})
        assert finished.read_json("result.json") == {"steps": 41}
        folder.seal("stopped")
    again = RunFolder.open(finished.path)
    assert again.status == "stopped"
    assert again.database.losses()[-6:].tolist() == [np.float32(34) / np.float32(7), 1, 1, 1, 1, 1]
    assert [(each.epoch, each.value) for each in again.database.epochs()] == [
        (1, 0),
        (2, 10 / 3),
        (3, 20 / 3),
    ]
    kept = again.last_checkpoint()
    assert kept[1] == {"step": 41}


def test_checkpoints_take_turns_across_handles(tmp_path: Path) -> None:
    folder = RunFolder.create(parent=tmp_path, name="a")
    assert folder.last_checkpoint() is None
    for step in range(1, 8):
        folder.checkpoint({"w": torch.full((2,), float(step))}, {"step": step})
        kept = RunFolder.open(folder.path).last_checkpoint()
        assert kept[1]["step"] == kept[0]["w"][0] == step
        held = [
            checkpoint.from_bytes((folder.path / name).read_bytes(), name, folder.path).generation
            for name in checkpoint.SLOTS
            if (folder.path / name).exists()
        ]
        assert sorted(held) == [step - 1, step][-len(held) :]
        if step % 3 == 0:
            folder.close()
            folder = RunFolder.open(folder.path).lock()
    folder.close()


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty"])
def test_a_torn_checkpoint_gives_way_in_a_run_that_was_not_sealed(tmp_path: Path, damage: str) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        for step in (1, 2, 3):
            folder.checkpoint({"w": torch.full((9,), float(step))}, {"step": step})
    newest = tmp_path / "a" / checkpoint.SLOTS[0]
    data = bytearray(newest.read_bytes())
    data[-3] ^= 4
    newest.write_bytes({"torn": bytes(data[:-5]), "flipped": bytes(data), "empty": b""}[damage])
    folder = RunFolder.open(tmp_path / "a").lock()
    kept = folder.last_checkpoint()
    assert kept[1] == {"step": 2}
    assert len(folder.notices) == 1
    assert checkpoint.SLOTS[0] in folder.notices[0]
    assert [each.kind for each in folder.database.events()] == ["checkpoint_damaged"]
    folder.checkpoint({"w": torch.ones(1)}, {"step": 3})
    kept = RunFolder.open(folder.path).last_checkpoint()
    assert kept[1] == {"step": 3}
    newest.write_bytes(b"torn")
    (tmp_path / "a" / checkpoint.SLOTS[1]).write_bytes(b"torn too")
    assert "safetensors" in str(refusal_of(folder.last_checkpoint))
    folder.close()


def test_a_torn_checkpoint_is_left_out_of_the_seal(tmp_path: Path) -> None:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        folder.checkpoint({"w": torch.ones(9)}, {"step": 1})
        folder.checkpoint({"w": torch.ones(9)}, {"step": 2})
        (tmp_path / "a" / checkpoint.SLOTS[0]).write_bytes(b"torn")
        folder.seal("stopped")
    kept = RunFolder.open(tmp_path / "a").last_checkpoint()
    assert kept[1] == {"step": 2}


def test_the_store_is_light_to_import() -> None:
    heavy = "torch", "numpy", "safetensors"
    code = f"import sys, treino.folders.store; sys.exit(any(each in sys.modules for each in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_manifest_is_parsed_again_where_a_byte_differs(tmp_path: Path) -> None:
    """Also one of the same length, written in place within the same tick of the file system's clock."""
    with RunFolder.create(parent=tmp_path, name="r") as folder:
        folder.write_json("spec.json", {})
        folder.seal("finished")
    reader = RunFolder.open(tmp_path / "r")
    first = reader.manifest
    assert reader.manifest is first
    file = tmp_path / "r" / "manifest.json"
    before, when = file.read_bytes(), file.stat()
    file.write_bytes(before.replace(b"finished", b"diverged"))
    os.utime(file, ns=(when.st_atime_ns, when.st_mtime_ns))
    with pytest.raises(TreinoError, match="does not match its own SHA-256"):
        _ = reader.manifest
    file.write_bytes(before)
    assert reader.manifest == first
