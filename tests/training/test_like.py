"""A network of a sweep by its number: trained again to the same bits, its weights, its predictions."""

from pathlib import Path

import pytest
import torch

from tests.conftest import Treino
from treino.api import open as open_result

SWEEP = ("sweep", "iris", "--space", "lr=1e-3..1e-1:log", "--space", "hidden=8|8,8", "--space",
         "dropout=0|0.3", "--members", 8, "--epochs", 8, "--fresh", 0, "--name", "s")  # fmt: skip


@pytest.mark.slow
def test_a_network_of_a_sweep_by_its_number(treino: Treino) -> None:
    board = treino(*SWEEP, "--json").document["leaderboard"]
    finished = [entry["member"] for entry in board if entry["status"] == "finished"]
    for member in finished[:2]:
        assert treino("train", "--like", f"s:{member}", "--name", f"again-{member}").status == 0
        mine, kept = open_result(f"again-{member}").module.state_dict(), open_result(f"s:{member}").tensors
        assert mine.keys() == kept.keys()
        assert all(torch.equal(mine[name], kept[name]) for name in kept)
        one = treino("predict", f"s:{member}", "iris", "--json").document
        other = treino("predict", f"again-{member}", "iris", "--json").document
        assert one["metrics"] == pytest.approx(other["metrics"])
    assert treino("train", "--like", f"again-{finished[0]}", "--name", "third").status == 0
    assert open_result("third").metrics == open_result(f"again-{finished[0]}").metrics
    for word in ("script", "safetensors"):
        path = treino("export", f"s:{finished[0]}", "--format", word, "--json").document["path"]
        assert f"s-{finished[0]}" in path
    shown = treino("show", f"s:{finished[0]}", "--json").document
    assert shown["params"] == board[0]["params"]


@pytest.mark.slow
def test_weights_to_begin_with(treino: Treino) -> None:
    treino(*SWEEP)
    member = treino("show", "s", "--json").document["best"]["member"]
    words = ("train", "--like", f"s:{member}", "--weights", f"s:{member}", "--lr", 1e-30, "--epochs", 2)
    assert treino(*words, "--name", "same").status == 0
    same, kept = open_result("same"), open_result(f"s:{member}").tensors
    assert all(torch.equal(same.tensors[name], kept[name]) for name in kept)
    assert same.spec.weights == f"s:{member}"
    assert "--weights" in same.spec.command
    said = treino("train", "--like", "same", "--json").document["error"]
    assert (said["rule"], f"--weights s:{member}" in said["hint"]) == ("like_weights", True)
    script = Path(treino("export", "same", "--json").document["path"]).read_text()
    assert "The run began with the weights of" in script
    assert "def train" not in script
    words = ("train", "iris", "--weights", f"s:{member}", "--hidden", 5, "--json")
    assert treino(*words).document["error"]["rule"] == "weights_differ"


def test_a_run_that_began_with_weights_goes_on_with_them(treino: Treino) -> None:
    from treino.settings.spec import read_settings
    from treino.training.loop import JobStart
    from treino.training.train import Start, drain, resuming, train_events

    treino("train", "iris", "--epochs", 3, "--name", "first")
    start = Start("first", open_result("first").tensors)

    def events(out: str) -> object:
        return train_events("iris", read_settings({"epochs": 4, "out": out}), start=start)

    whole, torn = drain(events("whole")), events("torn")
    assert isinstance(next(torn), JobStart)
    torn.close()
    again = drain(resuming("torn"))
    assert all(torch.equal(again.tensors[name], t) for name, t in whole.tensors.items())
    assert whole.losses[0] < 0.9


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("train", "--like", "nowhere:3"), "no_runs"),
        (("train",), "usage"),
        (("predict", "nowhere:1", "iris"), "no_runs"),
    ],
)
def test_numbers_that_name_nothing(treino: Treino, words: tuple[str, ...], rule: str) -> None:
    assert treino(*words, "--json").document["error"]["rule"] == rule
