"""The helper that forges folders: its folders pass every check of digests."""

from pathlib import Path

import pytest

from tests.conftest import refusal_of
from tests.forging import forge, reseal
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
    assert "net.py is damaged" in str(refusal_of(RunFolder.open, path))
    reseal(path)
    folder = RunFolder.open(path)
    assert folder.read_json("spec.json") == {"seed": 7}
    assert folder.read_bytes("net.py") == b"a = 2\n"
    listed = {"spec.json", "net.py", "more.py"}
    sealed = {"run.sqlite", "checkpoint/a.safetensors"} if end else set()
    assert set(folder.manifest.files) == listed | sealed
    with RunFolder.open(path).lock() if end is None else folder:
        assert folder.last_checkpoint() == ({}, {"n": 1})
