"""What a run's page tells of its end is what the terminal says, with the last step's figures beside."""

from pathlib import Path

import pytest
from rich.console import Console
from torch import nn

import treino as tr
from treino.cli.run_view import run_summary
from treino.folders.stored_run import StoredRun
from treino_studio.run_result import run_result
from treino_studio.run_state import epochs, run_state


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """A run that patience ended."""
    return tr.fit("wine", parent=tmp_path_factory.mktemp("stopped"), lr=0.02)


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return tr.fit("iris", parent=tmp_path_factory.mktemp("ensemble"), ensemble=8, epochs=30)


def terminal(run: StoredRun) -> str:
    console = Console(width=10_000, no_color=True)
    with console.capture() as capture:
        console.print(run_summary(run))
    return capture.get()


def test_the_page_says_the_terminals_sentences(stopped: StoredRun, ensemble: StoredRun) -> None:
    for run, words in ((stopped, "finished early"), (ensemble, "The mean of 4 of 8 networks answers")):
        result, shown = run_result(run), terminal(run)
        assert result is not None
        said = [*result["sentences"], *result["notes"]]
        assert any(words in sentence for sentence in said)
        for sentence in said:
            assert sentence in shown
    assert "For comparison" in result["sentences"][1]


def test_the_figures_are_of_the_kept_weights_and_one_column_of_the_last_step(stopped: StoredRun) -> None:
    result, of = run_result(stopped), stopped.result
    assert result is not None
    assert of is not None
    assert of.kept_step is not None
    assert of.kept_step < of.steps
    assert result["kept"] == {"step": of.kept_step, "epoch": of.kept_epoch, "last": of.steps}
    table = {row[0]: dict(zip(result["head"], row, strict=True)) for row in result["rows"]}
    kept, last = stopped.at(of.kept_step), stopped.at(of.steps)  # type: ignore[attr-defined]
    rows = stopped.data.validation
    for column, moment in (("validation", kept), ("validation, last step", last)):
        loss = nn.functional.cross_entropy(moment.net(rows.x), rows.y).item()
        assert float(table["loss"][column]) == pytest.approx(loss, rel=1e-2)
    assert table["loss"]["validation"] != table["loss"]["validation, last step"]


def test_where_the_last_weights_are_kept_there_is_no_second_column(tmp_path: Path) -> None:
    last = tr.fit("wine", parent=tmp_path, epochs=1, patience=0, keep="last")
    result = run_result(last)
    assert result is not None
    assert result["kept"] is None
    assert "validation, last step" not in result["head"]


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
    assert run_state(ensemble)["result"]["notes"]
