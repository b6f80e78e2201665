"""What the pages tell of a run, a sweep and a study is what the terminal says."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.reports.test_report import texts_of
from torch import nn

import treino as tr
from treino.cli.sweep_view import summary
from treino.folders.stored_run import StoredRun
from treino_studio.run_state import epochs, run_state
from treino_studio.sweep_page import StudyPage, SweepPage


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """A run that patience ended."""
    return tr.fit("wine", parent=tmp_path_factory.mktemp("stopped"), lr=0.02)


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return tr.fit("iris", parent=tmp_path_factory.mktemp("ensemble"), ensemble=8, epochs=30)


@pytest.mark.slow
def test_the_pages_say_the_terminals_sentences_and_cells(
    stopped: StoredRun, ensemble: StoredRun, tmp_path: Path
) -> None:
    """Of a run, a sweep, seeds and a study; what they share with reports and cards is in tests/reports."""
    options: dict[str, Any] = {"parent": tmp_path, "epochs": 3}
    sweep = tr.sweep("wine", space={"lr": "0.001..0.1"}, members=4, ensemble=2, **options)
    seeds = tr.fit("wine", seeds=2, until="accuracy=0.5", **options)
    study = tr.study("wine", batch_sizes=[32, "full"], **options)
    trained = [(run, run_state(run)["result"]) for run in (stopped, ensemble)]
    for one, page in ((sweep, SweepPage), (seeds, SweepPage), (study, StudyPage)):
        trained.append((one, page("", one.path, print).messages(one.folder)["state"]["blocks"]))
    for one, blocks in trained:
        console = Console(width=10_000, no_color=True)
        with console.capture() as capture:
            console.print(summary(one, 10_000))
        shown, texts = " ".join(capture.get().split()), texts_of(blocks)
        assert len(texts) > 3
        assert [text for text in texts if " ".join(text.split()) not in shown] == []
    assert "The mean of 4 of 8 networks answers" in str(trained[1])


def kept(run: StoredRun) -> list[dict[str, Any]]:
    return [block for block in run_state(run)["result"] if block.get("key") == "kept"]


def test_a_sentence_has_the_kept_step_and_the_figures_of_the_last_one(
    stopped: StoredRun, tmp_path: Path
) -> None:
    (said,), of, rows = kept(stopped), stopped.result, stopped.data.validation
    assert of is not None
    assert said["step"] == of.kept_step < of.steps
    last = stopped.at(of.steps)  # type: ignore[attr-defined]
    loss = nn.functional.cross_entropy(last.net(rows.x), rows.y)
    assert float(said["text"].rpartition(" ")[2][:-1]) == pytest.approx(loss.item(), rel=1e-2)
    assert kept(tr.fit("wine", parent=tmp_path, epochs=1, patience=0, keep="last")) == []


def test_each_network_of_an_ensemble_has_its_curve(ensemble: StoredRun) -> None:
    listed = epochs(ensemble, ensemble.losses)
    own = ensemble.member_evaluations["validation"]
    for entry in listed:
        if not entry["validation"]:
            assert "members" not in entry
            continue
        for metric in ("loss", "accuracy"):
            wanted = [of_member[entry["epoch"] - 1] for of_member in own[metric]]
            assert entry["members"][metric] == wanted
            assert len(wanted) == 8
