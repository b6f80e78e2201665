"""Many files written at once: all of them are in the manifest, or none."""

from pathlib import Path

import pytest

from tests.conftest import refusal_of
from treino.base import files
from treino.folders.store import RunFolder

MANY = {f"keyframes/0-{n}.safetensors": (bytes([n]) * 3000, b"end") for n in range(20)}


def test_all_or_none_of_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunFolder.create(parent=tmp_path, name="run") as folder:
        folder.write_new({})
        calls = 0

        def breaks(descriptor: int) -> None:
            nonlocal calls
            calls += 1
            if calls == 7:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(files, "_fsync", breaks)
        assert "no room left" in str(refusal_of(folder.write_new, MANY))
        monkeypatch.undo()
        assert not set(folder.manifest.files) & set(MANY)
        folder.verify()
        assert list((folder.path / "keyframes").iterdir()) == []
        folder.write_new(MANY)
        assert set(folder.manifest.files) >= set(MANY)
        folder.remove(["keyframes/0-3.safetensors"])
        assert not (folder.path / "keyframes/0-3.safetensors").exists()
        folder.seal("finished")
    again = RunFolder.open(folder.path)
    assert {name: again.read_bytes(name) for name in again.manifest.files if name in MANY} == {
        name: b"".join(parts) for name, parts in MANY.items() if "0-3." not in name
    }
    assert "reading only" in str(refusal_of(again.write_new, {"keyframes/1-0.safetensors": [b"x"]}))
