"""Runs with several members: one population, whose best half answers as one module."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import treino as tr
from treino.engine.rng import member_seeds
from treino.spec import read_settings
from treino.training.train import resuming, training


def plain(*sizes: int) -> nn.Sequential:
    """The same layers, written down by hand."""
    layers: list[nn.Module] = []
    for place, (one, other) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(one, other), *([nn.ReLU()] if place < len(sizes) - 2 else [])]
    return nn.Sequential(*layers)


def alone(tmp_path: Path, seed: int, like: tr.Run, **settings: object) -> tr.Run:
    """One member trained by itself, on the same rows in the same order."""
    found = tr.fit(
        "iris", parent=tmp_path / f"alone-{seed}", lean=True, seed=seed,
        data_seed=like.settings["data_seed"], engine=like.settings["engine"], **settings,
    )  # fmt: skip
    assert isinstance(found, tr.Run)
    return found


@pytest.mark.parametrize(
    "settings", [{"epochs": 12}, {"epochs": 60, "patience": 6, "dropout": 0.2, "lr": 0.02}]
)
def test_answer_is_mean_of_best_half_of_networks_trained_alone(
    tmp_path: Path, settings: dict[str, float]
) -> None:
    run = tr.fit("iris", parent=tmp_path, ensemble=5, seed=7, **settings)
    seeds = member_seeds(7, 5)
    assert seeds[0] == 7
    assert len(set(seeds)) == 5
    singles = [alone(tmp_path, seed, run, **settings) for seed in seeds]
    figures = [min(v for v in s.evaluations["validation"]["loss"] if v is not None) for s in singles]
    answering = sorted(range(5), key=figures.__getitem__)[:3]
    document = run.document
    assert document["answering"] == answering
    assert [m["validation"] for m in document["members"]] == figures
    assert [m["seed"] for m in document["members"]] == list(seeds)
    assert [m["kept_step"] for m in document["members"]] == [s.document["kept_step"] for s in singles]
    assert document["kept_step"] == max(singles[i].document["kept_step"] for i in answering)
    assert document["steps"] == max(s.document["steps"] for s in singles)
    for place, member in enumerate(answering):  # bit for bit
        for name, weight in singles[member].module.state_dict().items():
            assert torch.equal(run.module.state_dict()[f"members.{place}.{name}"], weight)
    x = run.data.test.x
    with torch.no_grad():
        p = torch.stack([singles[i].module(x).double().softmax(-1) for i in answering]).mean(0)
        assert torch.allclose(run.module(x).double().softmax(-1), p, atol=1e-6)
    wanted = float(-p[torch.arange(len(x)), run.data.test.y].log().mean())
    assert document["metrics"]["test"]["loss"] == pytest.approx(wanted, rel=1e-5)
    each = np.full((5, len(run.losses)), np.nan)
    for loss_S, single in zip(each, singles, strict=True):
        loss_S[: len(single.losses)] = single.losses
    assert np.allclose(run.losses, np.nanmean(each, 0), rtol=1e-6)


def test_reopened_folder_answers_the_same(tmp_path: Path) -> None:
    run = tr.fit("iris", parent=tmp_path, ensemble=4, epochs=6)
    again = tr.open(run.path)
    assert torch.equal(again.module(run.data.test.x), run.module(run.data.test.x))
    frame = again.predict(run.data.test.x.numpy()[:3])
    assert len(frame) == 3
    weights = load_file(run.path / "model.safetensors")
    x, outputs = run.data.test.x, []
    for member in range(2):
        net = plain(4, 64, 32, 3)
        net.load_state_dict({n.removeprefix(f"members.{member}."): t for n, t in weights.items()
                             if n.startswith(f"members.{member}.")})  # fmt: skip
        outputs.append(net(x).detach().softmax(-1))
    assert torch.allclose(torch.stack(outputs).mean(0), again.module(x).softmax(-1), atol=1e-6)


def test_resumed_has_the_bits_of_the_uninterrupted(tmp_path: Path) -> None:
    asked = {"ensemble": 3, "epochs": 30, "patience": 9, "dropout": 0.1, "lr": 0.01}
    whole = tr.fit("iris", parent=tmp_path / "whole", **asked)
    settings = read_settings({**asked, "out": str(tmp_path / "cut")})
    stream = training("iris", settings, checkpoint_seconds=0.0)
    for event in stream:  # as if the process died: closed without a further word
        if getattr(event, "tick", None) is not None and event.tick.step > 40:
            break
    stream.close()
    for _event in resuming(tmp_path / "cut"):
        pass
    cut = tr.open(tmp_path / "cut")
    assert np.array_equal(cut.losses, whole.losses)
    assert cut.document["members"] == whole.document["members"]
    assert cut.evaluations == whole.evaluations
    for name, weight in whole.module.state_dict().items():
        assert torch.equal(cut.module.state_dict()[name], weight)
