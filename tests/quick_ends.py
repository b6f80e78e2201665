"""Trainings and reports end quickly: few trees in the baseline, small x-rays, no wait for the disk."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from treino.base import files
from treino.base.apps import brought, installed
from treino.folders.store import database
from treino.inspection import baselines
from treino.reports import run_report


@pytest.fixture(autouse=True, scope="module")
def _quick_ends() -> Iterator[None]:
    """Of runs that a whole file shares, too. The baseline of trees has few; nobody pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "TREES", 4)
        if installed("rows"):
            patch.setattr("treino_xray.row_influence.MOST_NETWORKS", 8)
        patch.setattr(files, "_fsync", lambda _descriptor: None)
        patch.setattr(database, "_SYNCHRONOUS", "OFF")
        yield


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports have words alone: their pictures take most of the time."""
    monkeypatch.setattr(run_report, "_drawn", lambda *_: ())
    without_film = lambda group, name: (lambda _run: ()) if name == "film" else brought(group, name)  # noqa: E731
    monkeypatch.setattr(run_report, "brought", without_film)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No baselines and no findings, which take a third of a short training: for files that look elsewhere."""
    none = SimpleNamespace(metrics={}, notes=())
    monkeypatch.setattr("treino.training.completion.baselines", lambda *_: none)
    monkeypatch.setattr("treino.training.completion.findings", lambda *_: ([], []))
