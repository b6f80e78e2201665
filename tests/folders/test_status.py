"""The status of a training is the same wherever it is read."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import treino as tr
from tests.conftest import Said
from tests.quick_ends import _quick_ends  # noqa: F401
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
def test_where_all_diverged_every_place_says_so(kind: str, treino: Callable[..., Said]) -> None:
    ended = treino(*COMMANDS[kind], *LOST, "--name", "m", "--json")
    assert (ended.status, ended.document["status"]) == (0, "diverged"), ended.err
    assert treino("show", "m", "--json").document["status"] == "diverged"
    assert [r["status"] for r in treino("runs", "--json").document["runs"]] == ["diverged"]
    assert tr.open("m").status == "diverged"
    for name in ("result.json", "manifest.json"):
        assert json.loads(Path("runs/m", name).read_text())["status"] == "diverged", name
    shown = treino("show", "m")
    assert "diverged" in shown.out
    assert "predict" not in shown.out


def test_one_that_did_not_diverge_is_enough(treino: Callable[..., Said]) -> None:
    said = treino("sweep", "wine", "--space", "lr=1e-3|1e6", "--fresh", 0, *LOST, "--json")
    assert (said.document["status"], said.document["diverged"]) == ("finished", 1), said.err


def test_networks_that_finish_and_have_no_figure_are_no_best(treino: Callable[..., Said]) -> None:
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
