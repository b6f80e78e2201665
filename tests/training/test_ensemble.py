"""Runs with several members: one population, whose best half answers as one module."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import treino as tr
from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.engine.ensemble import Ensemble
from treino.engine.rng import member_seeds
from treino.settings.spec import read_settings
from treino.training.futures import FutureEnd, futures
from treino.training.train import Start, resuming, train_events

pytestmark = pytest.mark.usefixtures("bare")


def plain(*sizes: int) -> nn.Sequential:
    """The same layers, written down by hand."""
    layers: list[nn.Module] = []
    for place, (one, other) in enumerate(pairwise(sizes)):
        layers += [nn.Linear(one, other), *([nn.ReLU()] if place < len(sizes) - 2 else [])]
    return nn.Sequential(*layers)


def alone(tmp_path: Path, seed: int, like: tr.Run, data: str = "iris", **settings: Any) -> tr.Run:
    """One member trained by itself, on the same rows in the same order."""
    settings |= {"seed": seed} | {name: like.settings[name] for name in ("data_seed", "engine")}
    found = tr.fit(data, parent=tmp_path / f"alone-{seed}", **settings)
    assert isinstance(found, tr.Run)
    return found


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "settings", [{"epochs": 60, "patience": 6, "dropout": 0.2, "lr": 0.02}, {"epochs": 12}]
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
        own = f"members.{member}."
        net.load_state_dict({n.removeprefix(own): t for n, t in weights.items() if n.startswith(own)})
        outputs.append(net(x).detach().softmax(-1))
    assert torch.allclose(torch.stack(outputs).mean(0), again.module(x).softmax(-1), atol=1e-6)


def test_resumed_has_the_bits_of_the_uninterrupted(tmp_path: Path) -> None:
    asked = {"ensemble": 3, "epochs": 30, "patience": 9, "dropout": 0.1, "lr": 0.01}
    whole = tr.fit("iris", parent=tmp_path / "whole", **asked)
    settings = read_settings({**asked, "out": str(tmp_path / "cut")})
    stream = train_events("iris", settings, checkpoint_seconds=0.0)
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


@pytest.mark.parametrize("loss", ["mse", "l1", "huber", "bce", "cross_entropy"])
def test_output_of_every_loss_is_the_mean_in_its_own_terms(loss: str) -> None:
    outputs = 1 if loss == "bce" else 3
    torch.manual_seed(0)
    members = [nn.Linear(4, outputs) for _member in range(5)]
    x_BD = 30 * torch.randn(50, 4)  # logits far from 0, too
    answer_BC = Ensemble(members, loss)(x_BD).double()
    output_RBC = torch.stack([member(x_BD) for member in members]).double()
    if loss == "cross_entropy":
        assert torch.allclose(answer_BC.exp(), output_RBC.softmax(-1).mean(0), atol=1e-6)
    elif loss == "bce":
        assert torch.allclose(answer_BC.sigmoid(), output_RBC.sigmoid().mean(0), atol=1e-6)
        assert bool(answer_BC.isfinite().all())
    else:
        assert torch.allclose(answer_BC, output_RBC.mean(0), atol=1e-4)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("settings", [{"validation": 0}, {"keep": "last"}])
def test_who_answers_without_validation_rows_or_with_last_weights(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    run = tr.fit("diabetes", parent=tmp_path, ensemble=4, epochs=3, **settings)
    document = run.document
    assert len(document["answering"]) == (4 if "validation" in settings else 2)
    assert document["kept_step"] == document["steps"]
    outputs = [alone(tmp_path, s, run, data="diabetes", epochs=3, **settings) for s in member_seeds(0, 4)]
    x = run.data.test.x
    wanted = torch.stack([outputs[n].module(x) for n in document["answering"]]).mean(0)
    assert torch.allclose(run.module(x), wanted, atol=1e-5)


def test_diverged_members_don_t_answer(tmp_path: Path) -> None:
    run = tr.fit("diabetes", parent=tmp_path, ensemble=4, epochs=20, lr=0.9, optimizer="sgd")
    document = run.document
    lost = [n for n, member in enumerate(document["members"]) if member["status"] == "diverged"]
    assert 0 < len(lost) < 4, "choose another rate"
    assert document["status"] == "finished"
    assert not set(document["answering"]) & set(lost)
    assert any(f"{len(lost)} of 4" in note for note in document["notes"])
    every = tr.fit("iris", parent=tmp_path, ensemble=2, epochs=3, lr=1e6, optimizer="sgd")
    assert every.status == "diverged"
    assert every.module(every.data.test.x).shape == (21, 3)


@pytest.mark.slow
def test_every_step_can_be_had_again_and_branched_from(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"ensemble": 4, "epochs": 30, "patience": 7, "lr": 0.02, "dropout": 0.1}
    run = tr.fit("iris", parent=tmp_path, every=16, **asked)
    without = tr.fit("iris", parent=tmp_path, **asked)
    assert np.array_equal(run.losses, without.losses)
    statuses = [member["status"] for member in run.document["members"]]
    assert {"stopped", "finished"} == set(statuses)
    for step in (0, 33, 90):
        one, other = (each.at(step).net.state_dict() for each in (run, without))
        assert all(torch.equal(t, other[name]) for name, t in one.items())
    again = run.at(40).branch()
    assert np.array_equal(again.losses, run.losses)
    assert again.document["members"] == run.document["members"]
    for name, weight in run.module.state_dict().items():
        assert torch.equal(again.module.state_dict()[name], weight)
    assert again.member_evaluations == run.member_evaluations
    changed = run.at(40).branch(lr=1e-3, batch_size=16, hidden=[70, 40], epochs=40)
    assert (changed.status, changed.settings["hidden"]) == ("finished", (70, 40)) or changed.steps > 40
    back = run.rewind(60, optimizer="sgd", lr=0.1)
    assert len(back.document["segments"]) == 2
    assert "ensemble can't change" in str(refusal_of(run.at(20).branch, ensemble=2))


def test_futures_are_those_of_the_best_member_in_its_branch(tmp_path: Path) -> None:
    run = tr.fit("iris", parent=tmp_path, ensemble=3, epochs=20, dropout=0.1)
    moment = run.at(40)
    assert moment.member == run.document["answering"][0]
    found = [each for each in futures(moment, [{}, {"lr": 1e-3}], 12) if isinstance(each, FutureEnd)]
    for future, branch in zip(found, (run, moment.branch(lr=1e-3)), strict=True):
        net = branch.member(moment.member).at(52).net
        for name, weight in net.state_dict().items():
            assert torch.equal(weight, future.net.state_dict()[name])


def test_members_of_a_run(tmp_path: Path) -> None:
    run = tr.fit("iris", parent=tmp_path, ensemble=4, epochs=6, dropout=0.1)
    best, second = run.document["answering"]
    assert torch.equal(run.member().module[0].weight, run.module.members[0][0].weight)
    assert torch.equal(run.member(second).module[0].weight, run.module.members[1][0].weight)
    assert run.member(second).title == f"{run.name}, network {second} of 4"
    other = next(n for n in range(4) if n not in (best, second))
    with pytest.raises(TreinoError, match=f"Network {other} .* is not one of those that answer"):
        _module = run.member(other).module
    assert "no member 4" in str(refusal_of(run.member, 4))
    pytest.importorskip("treino_microscope")
    page = tr.explain("adam", run, member=other, step=3)
    assert page.holds
    seed = member_seeds(0, 4)[other]
    same = alone(tmp_path, seed, run, epochs=6, dropout=0.1)
    pages = page, tr.explain("adam", same, step=3)
    values = [[s["value"] for s in p.document["steps"] if s["value"] is not None] for p in pages]
    assert values[0] == values[1]
    single = tr.fit("iris", parent=tmp_path, epochs=2)
    assert single.member() is single


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 6)
        self.norm = nn.BatchNorm1d(6)
        self.outer = nn.Linear(6, 3)

    def forward(self, x):
        return self.outer(torch.relu(self.norm(self.inner(x))))

one = Net()
"""


@pytest.mark.slow
def test_networks_of_ones_own_answer_together(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(NET)
    asked: dict[str, Any] = {"epochs": 8, "batch_size": 14}
    run = tr.fit("iris", f"{file}:Net", parent=tmp_path, ensemble=3, **asked)
    again = tr.open(run.path, trust=True)
    x = run.data.test.x
    assert torch.equal(again.module(x), run.module(x))
    singles = [
        tr.fit("iris", f"{file}:Net", parent=tmp_path, seed=seed, data_seed=0, **asked)
        for seed in member_seeds(0, 3)
    ]
    p = torch.stack([singles[n].module(x).softmax(-1) for n in run.document["answering"]]).mean(0)
    assert torch.allclose(run.module(x).softmax(-1), p, atol=1e-6)
    assert again.at(20).net.state_dict().keys() >= {"members.0.norm.running_mean"}
    with pytest.raises(TreinoError, match="can't start from 3 seeds"):
        tr.fit("iris", f"{file}:one", parent=tmp_path, ensemble=3, epochs=1)


def test_loop_over_an_ensemble() -> None:
    data = tr.load("iris")
    training = tr.train(data, tr.mlp(8), ensemble=3, epochs=5, seeds=4)
    assert training.config.seeds == member_seeds(4, 3)
    for tick in training:
        assert tick.loss.shape == (3,)
        assert tick.loss_S.shape == (len(tick.loss_SP),)
        net = tick.net
    assert len(net.members) == len(training.answering) == 2
    figure = torch.nn.functional.cross_entropy(net(data.validation.x), data.validation.y)
    assert tick.answer["validation"]["loss"] == pytest.approx(figure.item(), rel=1e-5)
    assert "can't have 2 seeds" in str(refusal_of(tr.train, data, tr.mlp(8), ensemble=3, seeds=(1, 2)))


def test_an_ensemble_begins_with_no_weights_of_one(tmp_path: Path) -> None:
    run = tr.fit("iris", parent=tmp_path, epochs=1, lean=True)
    settings = read_settings({"ensemble": 2})
    with pytest.raises(TreinoError, match="would begin alike"):
        list(train_events("iris", settings, parent=tmp_path, start=Start("it", run.state)))


def test_numbers_stay_within_those_of_the_training_rows(tmp_path: Path) -> None:
    """Far from all rows, on the way, and from the folder; one member alone goes where it will."""
    r = np.random.default_rng(0)
    frame = pd.DataFrame({"a": r.normal(size=200), "b": r.normal(size=200)}).assign(y=lambda f: 3 * f.a + f.b)
    settings = {"target": "y", "recipe": "plain", "ensemble": 3, "epochs": 20, "parent": tmp_path}
    free = tr.fit(frame, **settings)
    run = tr.fit(frame, clip_target=True, name="held", **settings)
    far = frame.drop(columns="y") * 50
    y = frame["y"].iloc[run.data.train.index.numpy()]
    low, high = y.min(), y.max()
    assert np.allclose(run.predict(far)["prediction"], free.predict(far)["prediction"].clip(low, high))
    assert not free.predict(far)["prediction"].between(low, high).all()
    again = tr.open(tmp_path / "held")
    assert (again.predict(far)["prediction"] == run.predict(far)["prediction"]).all()
    x = run.preparation.transform(far.to_numpy())
    assert torch.equal(run.at(60).net(x).clamp(*run.module.limits), run.at(60).net(x))
    assert not again.member().predict(far)["prediction"].between(low, high).all()
    with pytest.raises(TreinoError, match="needs ensemble"):
        tr.fit(frame, target="y", clip_target=True, ensemble=1, recipe="plain", parent=tmp_path)
