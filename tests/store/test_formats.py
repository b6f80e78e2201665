"""Manifests of another format, of none, and of older versions."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.store.conftest import fill, rule
from treino.errors import TreinoError
from treino.store import RunFolder, list_runs, manifest
from treino.store.encoding import signed


def rewritten(path: Path, **changes: Any) -> None:
    content = {**json.loads(path.read_text()), **changes}
    del content["sha256"]
    path.write_bytes(signed(content))


def test_a_newer_format_says_so(finished: RunFolder) -> None:
    rewritten(finished.path / "manifest.json", format=2)
    with pytest.raises(
        TreinoError, match=r"manifest\.json was made by a newer treino: it has format 2"
    ) as caught:
        RunFolder.open(finished.path)
    assert rule(caught) == ("run_newer", 2)
    assert list_runs(finished.path.parent)[0].status == "damaged"


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 0},
        {"format": True},
        {"format": "1"},
        {"kind": "walk"},
        {"status": "fine"},
        {"files": {"../x": "0"}},
        {"files": {"/etc/hostname": "0"}},
        {"files": {"a": 1}},
        {"files": []},
        {"created": 1},
    ],
)
def test_a_well_signed_manifest_must_make_sense(finished: RunFolder, changes: dict[str, Any]) -> None:
    rewritten(finished.path / "manifest.json", **changes)
    with pytest.raises(TreinoError, match=r"manifest\.json is damaged"):
        RunFolder.open(finished.path)


@pytest.mark.parametrize("data", [b"[]", b"{}", b"null", b'{"format": 1}', b"", b"<html>"])
def test_another_file_in_the_manifests_place_is_damage(finished: RunFolder, data: bytes) -> None:
    (finished.path / "manifest.json").write_bytes(data)
    with pytest.raises(TreinoError, match=r"manifest\.json is damaged"):
        RunFolder.open(finished.path)


def test_an_older_format_is_read_through_its_migrations(
    finished: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fill(RunFolder.create(out=tmp_path / "unfinished")) as folder:
        pass

    def first(what: str, value: Any) -> Any:
        if what == "manifest":
            return {**value, "kind": "study"}
        if what == "spec.json":
            return {"lr": value["asked"]["lr"]}
        if what.endswith(".safetensors"):
            tensors, metadata = value
            return {name.upper(): tensor for name, tensor in tensors.items()}, metadata
        if what == "run.sqlite":
            value.execute("UPDATE epochs SET metric = 'cost' WHERE metric = 'loss'")
        return value

    def second(what: str, value: Any) -> Any:
        return {**value, "momentum": 0.0} if what == "spec.json" else value

    monkeypatch.setattr(manifest, "FORMAT", 3)
    monkeypatch.setattr(manifest, "MIGRATIONS", {1: first, 2: second})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for path in (finished.path, folder.path):
        old = RunFolder.open(path)
        assert old.kind == "study"
        assert old.read_json("spec.json") == {"lr": 0.1, "momentum": 0.0}
        assert list(old.read_tensors("model.safetensors")[0]) == ["0.WEIGHT"]
        assert old.database.epochs()[0].metric == "cost"
        kept = old.last_checkpoint()
        assert kept is not None
        assert list(kept[0]) == ["W"]
        with pytest.raises(TreinoError) as caught:
            old.unseal()
        assert rule(caught) == ("run_older", 2)
    after = {path: path.read_bytes() for path in before}
    assert after == before
