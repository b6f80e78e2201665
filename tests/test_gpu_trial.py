"""The trial of a GPU runs on a CPU too, says that it is none, and sees where a device trains otherwise."""

import json
from pathlib import Path

import pytest
import torch
from tools import gpu_trial

import treino as tr


@pytest.mark.slow
def test_without_a_gpu_it_runs_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "trial.json"
    assert gpu_trial.main(["--device", "cpu", "--quick", "--to", str(written)]) == 0
    said = capsys.readouterr().out
    assert "No GPU" in said
    assert said.count("\n|---") == 3, "three tables in Markdown"
    document = json.loads(written.read_text())
    assert len(document["tables"]) == 3
    assert document["figures"]["gpu"] is False
    assert all(document["figures"]["kept"].values())
    assert set(document["figures"]["kept"]) == {"tests", "wine", "mnist", "mnist_cnn", "population"}


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_steps_as_graphs_have_the_bits_of_single_calls(optimizer: str) -> None:
    """Also where a hyper-parameter changes, and where an epoch's last batch is smaller."""
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    found = []
    for graphs in (False, True):
        how = {"momentum": 0.9} if optimizer == "sgd" else {}
        how |= {"optimizer": optimizer, "schedule": "cosine", "lr": 0.01, "clip": 1.0, "threads": 1}
        how |= {"steps": 40, "batch_size": 20, "seeds": range(4), "engine": gpu_trial.BATCHED}
        training = tr.train((x, torch.arange(50) % 3), tr.mlp(8, dropout=0.2), **how)
        losses = [training.advance(None, until=training.steps_per_epoch).loss_SP]
        if graphs:
            gpu_trial.with_graphs(training)
        training.set("lr", 0.005, step=20)
        losses += [tick.loss_SP for tick in training]
        found.append(torch.cat(losses))
    assert torch.equal(*found)
