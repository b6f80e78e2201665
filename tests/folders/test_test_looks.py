"""Test figures say how often the rows were looked at, through every door by which a training goes on."""

from pathlib import Path

import pytest

import treino
from tests.quick_ends import _quick_ends, undrawn  # noqa: F401
from treino.fit_events import FitRequest, fit_events
from treino.folders.documents.listing import listing
from treino.folders.store.output_files import OutputFile
from treino.plots.run_sentences import headlines
from treino.reports.report import report
from treino.training.loop import JobStart
from treino.training.stored_results import open_run
from treino.training.sweeps.member import like, name_of_like
from treino.training.train import drain, resuming

FIRST = "that it never saw"


def looks(path: Path) -> int:
    """What the result says, and each of its sentences."""
    run = open_run(path, verify=False)
    number, (said,) = run.result.test_looks, headlines(run.result)
    assert number == run.document["test_looks"]
    assert (FIRST in said) == (number == 1)
    assert (f"Look number {number} at them" in said) == (number > 1)
    return number


@pytest.mark.slow
def test_each_end_of_a_family_is_one_more_look(tmp_path: Path, undrawn: None) -> None:  # noqa: F811
    first = treino.fit("iris", epochs=4, parent=tmp_path, name="first").path
    assert looks(first) == 1
    middle = treino.open(first).at(6).branch(lr=0.02, name="middle").path
    assert looks(middle) == 2
    assert looks(treino.open(first).at(3).branch(seed=5).path) == 3  # it knows of the other branch
    treino.open(first).rewind(12, epochs=6)
    assert looks(first) == 4
    assert looks(treino.open(middle).at(8).branch(optimizer="sgd").path) == 5
    assert looks(treino.fit("iris", epochs=4, parent=tmp_path).path) == 1  # another run, on equal rows
    assert looks(treino.open(middle).at(2).branch(out=str(tmp_path / "away/run")).path) == 3
    assert {row["run"]: row["test_looks"] for row in listing(tmp_path)}["first"] == 4
    page = report([treino.open(first)], OutputFile(tmp_path / "first.html", (".html",))).read_text()
    assert "Look number 4 at them" in page


@pytest.mark.slow
def test_the_settings_of_another_run_bring_its_looks(tmp_path: Path) -> None:
    run = treino.fit("diabetes", epochs=2, parent=tmp_path, name="first")
    sweep = treino.sweep("iris", {"lr": [0.01, 0.1]}, epochs=2, fresh=0, parent=tmp_path, name="two")
    for name, number in ((run.path, 2), (run.path, 3), (f"{sweep.path}:1", 2)):
        source, settings, networks = like(name)
        changed, how = settings | {"name": None, "lr": 0.03}, {"lean": True, "like": name_of_like(name)}
        request = FitRequest(source, changed, networks, parent=tmp_path, **how)
        assert looks(drain(fit_events(request)[0]).path) == number


@pytest.mark.slow
def test_what_was_stopped_has_not_been_looked_at(tmp_path: Path) -> None:
    request = FitRequest("iris", {"epochs": 300, "patience": 0}, None, parent=tmp_path, lean=True)
    for event in fit_events(request)[0]:
        if isinstance(event, JobStart):
            event.job.stop_wish = "stopped"
            path = event.job.folder.path
    stopped = open_run(path, verify=False)
    assert (stopped.status, stopped.document["test_looks"]) == ("stopped", 0)
    assert looks(treino.open(path).at(0).branch(epochs=1).path) == 1
    drain(resuming(path))
    assert looks(path) == 2  # its branch came to its end before
