"""The helper that forges folders: its folders pass every check of digests."""

from pathlib import Path

import pytest

from tests.forging import forge, reseal
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder


def _folder(path: Path, end: str | None) -> Path:
    with RunFolder.create(out=path) as folder:
        folder.write_json("spec.json", {"seed": 0})
        folder.write_bytes("net.py", b"a = 1\n")
        folder.write_bytes("pictures/curves.png", b"...")
        folder.database.add_event(0, 0, "begun", {})
        folder.checkpoint({}, {"n": 1})
        if end is not None:
            folder.seal(end)
    return path


@pytest.mark.parametrize("end", [None, "interrupted", "finished"])
def test_a_forged_folder_passes_every_check(tmp_path: Path, end: str | None) -> None:
    path = _folder(tmp_path / "run", end)
    forge(path, "spec.json", lambda spec: spec | {"seed": 7})
    (path / "net.py").write_bytes(b"a = 2\n")
    (path / "more.py").write_bytes(b"a = 3\n")
    with pytest.raises(TreinoError, match=r"net\.py is damaged"):
        RunFolder.open(path)
    reseal(path)
    folder = RunFolder.open(path)
    assert folder.read_json("spec.json") == {"seed": 7}
    assert folder.read_bytes("net.py") == b"a = 2\n"
    listed = {"spec.json", "net.py", "more.py"}
    sealed = {"run.sqlite", "checkpoint/a.safetensors"} if end else set()
    assert set(folder.manifest.files) == listed | sealed
    with RunFolder.open(path).lock() if end is None else folder:
        assert folder.last_checkpoint() == ({}, {"n": 1})


def test_a_forged_manifest_lists_what_it_is_told(tmp_path: Path) -> None:
    path = _folder(tmp_path / "run", "finished")
    forge(path, "manifest.json", lambda content: content | {"status": "stopped"})
    assert RunFolder.open(path).status == "stopped"
    forge(path, "manifest.json", lambda content: content | {"files": {"gone": "0" * 64}})
    with pytest.raises(TreinoError, match="gone"):
        RunFolder.open(path)


def test_a_folder_inside_keeps_its_own_manifest(tmp_path: Path) -> None:
    path = _folder(tmp_path / "sweep", "finished")
    _folder(path / "best", "finished")
    reseal(path)
    assert not [name for name in RunFolder.open(path).manifest.files if name.startswith("best")]
    forge(path / "best", "spec.json", lambda spec: [])
    assert RunFolder.open(path / "best").read_json("spec.json") == []
