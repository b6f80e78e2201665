"""The status of a training is the same wherever it is read."""

import json
from pathlib import Path

import pytest

import treino as tr
from tests.conftest import Treino
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.training import choices
from treino.training.loop import status_at_end

LOST = ("--optimizer", "sgd", "--epochs", 3)
COMMANDS = {
    "run": ("train", "wine", "--lr", "1e6"),
    "seeds": ("train", "wine", "--lr", "1e6", "--seeds", 2),
    "folds": ("train", "wine", "--lr", "1e6", "--folds", 2),
    "sweep": ("sweep", "wine", "--space", "lr=1e5|1e6", "--fresh", 0),
    "study": ("study", "wine", "--lr", "1e6", "--batch-sizes", 10),
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_where_all_diverged_every_place_says_so(kind: str, treino: Treino) -> None:
    ended = treino(*COMMANDS[kind], *LOST, "--name", "m", "--json")
    assert (ended.status, ended.document["status"]) == (4, "diverged"), ended.err
    assert treino("show", "m", "--json").document["status"] == "diverged"
    assert [r["status"] for r in treino("runs", "--json").document["runs"]] == ["diverged"]
    assert tr.open("m").status == "diverged"
    for name in ("result.json", "manifest.json"):
        assert json.loads(Path("runs/m", name).read_text())["status"] == "diverged", name
    shown = treino("show", "m")
    assert "diverged" in shown.out.lower()
    assert "predict" not in shown.out


def test_one_that_did_not_diverge_is_enough(treino: Treino) -> None:
    said = treino("sweep", "wine", "--space", "lr=1e-3|1e6", "--fresh", 0, *LOST, "--json")
    assert (said.status, said.document["status"], said.document["diverged"]) == (0, "finished", 1), said.err


@pytest.mark.slow
def test_each_command_that_trains_says_by_its_status_that_all_diverged(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is trained is judged by its own networks, not by those that it goes back to."""
    monkeypatch.setattr(choices, "LOWEST", 1e6)
    monkeypatch.setattr(choices, "HIGHEST", 1e9)
    lost = ("--lr", "1e6", *LOST)
    files = ("--folds", 2, "--to", "folds.csv")
    commands: dict[tuple[object, ...], tuple[int, str | None]] = {
        ("train", "wine", *lost, "--name", "lost"): (4, "diverged"),
        ("train", "wine", *lost, "--ensemble", 2): (4, "diverged"),
        ("train", "wine", *lost, "--recipe", "table", "--ensemble", 2): (4, "diverged"),
        ("train", "wine", *lost, *files): (4, "diverged"),
        ("train", "--like", "lost"): (4, "diverged"),
        ("train", "--like", "lost", "--lr", 1e-3): (0, "finished"),
        ("train", "--branch", "lost:0", "--lr", 1e7): (4, "diverged"),
        ("train", "--branch", "lost:0", "--lr", 1e-3, "--name", "lives"): (0, "finished"),
        ("verify", "lost"): (4, "diverged"),
        ("verify", "lives"): (0, "finished"),
        ("show", "lost"): (0, "diverged"),
        ("train", "--rewind", "lives:0", "--lr", 1e7): (4, "diverged"),
        ("train", "wine", "--lr", "auto", *LOST): (4, None),
    }
    found = {words: treino(*words, "--json") for words in commands}
    assert {words: (said.status, said.document.get("status")) for words, said in found.items()} == commands
    assert not Path("folds.csv").exists()
    assert "folds.csv is not written: every fold diverged." in found["train", "wine", *lost, *files].err
    assert "It diverged again" in treino("verify", "lost").out


def test_a_sweep_that_goes_on_is_judged_by_all_of_its_networks(treino: Treino) -> None:
    space = ("--space", "lr=1e5..1e6", "--members", 2, "--hidden", 4, "--fresh", 0)
    assert treino("sweep", "wine", *space, *LOST, "--name", "s").status == 4
    more = treino("resume", "s", "--more", 2, "--json")
    assert (more.status, more.document["status"], more.document["members"]) == (4, "diverged", 4)


def test_networks_that_finish_and_have_no_figure_are_no_best(treino: Treino) -> None:
    Path("net.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Linear):\n"
        "    def __init__(self): super().__init__(13, 3)\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) * (1.0 if self.training else float('nan'))\n"
    )
    few = ("wine", "--net", "net.py:Net", "--steps", 8, "--json")
    said = treino("sweep", *few, "--space", "lr=1e-3|1e-2", "--fresh", 0)
    assert said.status == 0, said.err
    d = said.document
    assert (d["status"], d["best"], d["diverged"]) == ("finished", None, 0)
    assert d["notes"][-1] == "No network has a validation loss: there is no best."
    said = treino("train", *few, "--seeds", 2)
    assert (said.document["status"], said.document["figures"]) == ("finished", {}), said.err
    assert said.document["notes"][-1] == "2 of 2 networks have no validation loss, and are in no figure."


@pytest.mark.parametrize(
    ("statuses", "reason", "status"),
    [
        (["diverged", "diverged"], None, "diverged"),
        (["diverged", "diverged"], "stopped", "diverged"),
        (["diverged", "diverged"], "interrupted", "interrupted"),
        (["diverged", "stopped"], None, "finished"),
        (["finished"], "reached", "finished"),
        (["stopped"], "stopped", "stopped"),
        ([], None, "finished"),
    ],
)
def test_the_rule(statuses: list[str], reason: str | None, status: str) -> None:
    assert status_at_end(statuses, reason) == status
