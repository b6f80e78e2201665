"""Manifests of another format, and of none."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import refusal_of
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


FORGED: list[tuple[str, Any]] = [
    *(("format", value) for value in (0, True, "1")),
    *(("files", value) for value in ({"../x": "0"}, {"/etc/hostname": "0"}, {"a": 1}, [])),
    *(("kind", "walk"), ("status", "fine"), ("created", 1)),
]


@pytest.mark.parametrize(("key", "value"), FORGED)
def test_a_well_signed_manifest_must_make_sense(finished: RunFolder, key: str, value: Any) -> None:
    rewritten(finished.path / "manifest.json", **{key: value})
    assert "manifest.json is damaged" in str(refusal_of(RunFolder.open, finished.path))
