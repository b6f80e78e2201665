"""The state of a run's page says what each segment changed, and what may be chosen."""

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import treino
from apps.studio.tests.running import command
from treino.folders.store import Database
from treino.folders.stored_run import StoredRun
from treino.training.replay import snapshots
from treino.training.stored_results import open_run
from treino_studio.run_commands import look
from treino_studio.run_history import history
from treino_studio.run_page import RunPage
from treino_studio.run_state import difference_text, epochs, run_state, settings_at


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"hidden": [6, 3]}, "hidden 6,3"),
        ({"batch_size": 64, "lr": 0.02}, "batch_size 64 · lr 0.02"),
        ({"seed": 5}, "seed 5"),
        ({"fault": "missing_zero_grad"}, "fault missing_zero_grad"),
        ({"optimizer": "sgd"}, "optimizer sgd"),
        ({"loss": "l1", "clip": None}, "loss l1 · clip none"),
    ],
)
def test_a_segment_says_all_that_it_changed(tmp_path: Path, changes: dict[str, object], text: str) -> None:
    run = treino.fit("diabetes", hidden=[6], steps=4, clip=1.0, parent=tmp_path)
    run.rewind(2, **changes)
    stored = treino.open(run.path)
    assert isinstance(stored, StoredRun)
    first, second = run_state(stored)["segments"]
    assert (first["text"], first["origin"]) == ("", None)
    assert (second["number"], second["origin"]) == (1, [0, 2])
    assert second["text"] == text


def test_the_settings_in_view_are_those_of_the_step(tmp_path: Path) -> None:
    run = treino.fit("wine", hidden=[6], steps=6, batch_size=32, parent=tmp_path)
    run.rewind(3, batch_size=64, hidden=[5], lr=0.5)
    stored = treino.open(run.path)
    assert isinstance(stored, StoredRun)
    shown = [settings_at(stored, snapshot) for snapshot in snapshots(stored, [2, 4])]
    named = [[list(s["hidden"]), s["batch_size"], s["lr"], s["beta1"], s["clip"]] for s in shown]
    assert named == [[[6], 32, 0.003, 0.9, None], [[5], 64, 0.5, 0.9, None]]
    assert shown[0].keys() == shown[1].keys()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"lr": 0.0118, "seed": 3}, "lr 0.0118"),
        ({"hidden": [6], "seed": 4}, "hidden 6 · seed 4"),
        ({"seed": 3}, ""),
    ],
)
def test_a_run_beside_says_what_it_has_in_place_of_this_ones(
    tmp_path: Path, settings: dict[str, object], text: str
) -> None:
    own = treino.fit("wine", steps=4, seed=3, parent=tmp_path)
    other = treino.fit("wine", steps=4, parent=tmp_path, **settings)
    runs = [treino.open(run.path) for run in (own, other)]
    assert difference_text(*runs) == text  # type: ignore[arg-type]


def test_the_header_and_the_choices_are_of_the_segment_in_view(tmp_path: Path) -> None:
    run = treino.fit("iris", hidden=[7], epochs=6, optimizer="sgd", lr=0.1, parent=tmp_path)
    run.rewind(9, hidden=[4, 3], optimizer="adam", lr=0.01)
    sent: list[dict[str, Any]] = []
    page = RunPage("run", run.path, lambda message, _body: sent.append(message.send))
    for step, sizes, optimizer in ((3, (4, 7, 3), "sgd"), (12, (4, 4, 3, 3), "adam")):
        look(page, command("look", step=step))
        state = next(each["state"] for each in reversed(sent) if "state" in each)
        assert state["network"]["parameters"] == sum(n * (d + 1) for d, n in pairwise(sizes))
        assert state["network"]["hidden"] == list(sizes[1:-1])
        assert state["settings"]["optimizer"] == optimizer
        assert ("momentum" in state["choices"]["live"]) == (optimizer == "sgd")


@pytest.mark.slow
def test_the_command_runs_where_the_studio_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of several files, of a branch, and with what was set on the way; each file of it is there."""
    (tmp_path / "own data").mkdir()
    rows = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(60))
    for name in ("own data/train.csv", "held.csv"):
        (tmp_path / name).write_text(rows if name != "held.csv" else rows.replace("3", "4"))
    monkeypatch.chdir(tmp_path)
    run = treino.fit(
        "own data/train.csv", target="y", test="held.csv", epochs=3, parent="deep/runs", name="a run"
    )
    branch = run.at(2).branch(lr=0.5)
    (tmp_path / "elsewhere").mkdir()
    run, branch = (treino.open(each.path.resolve()) for each in (run, branch))
    for folder in (tmp_path, tmp_path / "elsewhere"):
        monkeypatch.chdir(folder)
        (command,) = run_state(run)["command"].splitlines()
        words = shlex.split(command)
        assert words[:2] == ["treino", "train"]
        assert Path(words[2]).samefile(tmp_path / "own data/train.csv")
        assert Path(words[words.index("--test") + 1]).samefile(tmp_path / "held.csv")
        command, comment = run_state(branch)["command"].splitlines()
        parent, step = shlex.split(command)[3].split(":")
        assert (Path(parent).resolve(), step) == (run.path.resolve(), "2")
        assert comment == "# on its way: lr 0.5 from step 2"


def stored(run: Any) -> StoredRun:
    found = treino.open(run.path)
    assert isinstance(found, StoredRun)
    return found


def test_of_many_epochs_only_those_that_are_drawn_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each as it was measured, the first and the last among them, also on a way through two segments."""
    run = treino.fit("wine", epochs=40, patience=0, parent=tmp_path).rewind(50, lr=0.01)
    measured, count = run.evaluations["validation"], run.steps // 4
    read = Database._table

    def table(database: Database, name: str) -> Any:
        assert name != "epochs"
        return read(database, name)

    monkeypatch.setattr(Database, "_table", table)
    monkeypatch.setattr("treino_studio.run_state.EPOCHS", 9)
    stored = open_run(run.path)
    listed = epochs(stored, stored.losses)
    numbers = [each["epoch"] for each in listed]
    assert (len(numbers), numbers[0], numbers[-1]) == (9, 1, count)
    for each in listed:
        place = each["epoch"] - 1
        of_epoch = [each["validation"].get(name) for name in ("loss", "accuracy")]
        assert of_epoch == [measured[name][place] for name in ("loss", "accuracy")]
        assert each["train"]["loss"] == pytest.approx(float(stored.losses[4 * place : 4 * place + 4].mean()))
    assert listed[-1]["validation"]
    last = history(stored, None, {})[-1]["figures"]
    assert last == {name: measured[name][-1] for name in ("loss", "accuracy")}
    assert run_state(stored)["result"]
