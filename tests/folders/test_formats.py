"""Manifests of another format, and of none."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.folders.conftest import rule
from treino.base.encoding import signed
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder, list_runs


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
