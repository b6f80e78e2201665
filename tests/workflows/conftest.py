"""Trainings end quickly: without pictures, half of a short one's time, but where these are looked at."""

from collections.abc import Iterator

import pytest

from treino.inspection import baselines
from treino.pictures import picture_files
from treino.store import database, files


@pytest.fixture(autouse=True, scope="module")
def _quick_ends() -> Iterator[None]:
    """Of runs that a whole file shares, too. The baseline of trees has few; nobody pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture_files, "draw", lambda *_: [])
        patch.setattr(baselines, "TREES", 4)
        patch.setattr(files, "_fsync", lambda _descriptor: None)
        patch.setattr(database, "_SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(autouse=True)
def _pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the one of all tests: they are drawn in those that are marked ``pictures``."""
    if "pictures" in request.keywords:
        from treino.pictures.picture_files import draw

        monkeypatch.setattr(picture_files, "draw", draw)
