"""Trainings end quickly: few trees in the baseline, and no wait for the disk."""

from collections.abc import Iterator

import pytest

from treino.inspection import baselines
from treino.store import database, files


@pytest.fixture(autouse=True, scope="module")
def _quick_ends() -> Iterator[None]:
    """Of runs that a whole file shares, too. The baseline of trees has few; nobody pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "TREES", 4)
        patch.setattr(files, "_fsync", lambda _descriptor: None)
        patch.setattr(database, "_SYNCHRONOUS", "OFF")
        yield
