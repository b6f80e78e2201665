"""Landscape, path, walker, line and dynamics of whole runs, successful and failed ones."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

import treino as tr
from tests.conftest import refusal_of
from tests.training.test_moments import watched
from treino.api import Run
from treino.folders.store.output_files import OutputFolder
from treino.reports.pictures.curves import overlaid
from treino.reports.pictures.dynamics import dynamics_of
from treino.reports.pictures.picture_files import draw, draw_together
from treino.training.replay import snapshots


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "wine"
    return tr.fit("wine", hidden=[8, 6], epochs=20, dropout=0.0, out=folder)


@pytest.mark.slow
def test_dynamics_are_those_of_a_plain_loop_of_the_same_training(tmp_path: Path) -> None:
    update = {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "schedule": "cosine", "warmup": 3}
    plan = {"hidden": [8, 6], "epochs": 2, "batch_size": 16, "engine": "module"}
    run = tr.fit("wine", out=tmp_path / "r", **plan, **update)
    d = dynamics_of(run)
    first = run.at(0)
    net, data = first.net, run.data.train
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    layers = [m for m in net if isinstance(m, nn.Linear)]
    seen: dict[nn.Module, torch.Tensor] = {}
    for place, module in enumerate(net):
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _m, _a, out, place=place: seen.__setitem__(net[place], out))
    steps = len(run.losses)
    assert d.step_K.tolist() == list(range(steps))  # fewer than 60: all of them
    for moment in snapshots(run, range(steps)):
        step = moment.step
        with torch.no_grad():
            net(data.x)
        for u, relu in enumerate(seen):
            dead = float((seen[relu] <= 0).all(0).double().mean())
            assert d.dead_KU[step, u] == pytest.approx(dead)
        optimizer.zero_grad()
        functional.cross_entropy(net(moment.batch.x_BD), moment.batch.y_B).backward()
        sizes, before = [], [m.weight.detach().clone() for m in layers]
        for place, m in enumerate(layers):
            whole = torch.cat([m.weight.grad.flatten(), m.bias.grad]).double().norm().item()
            assert d.gradient_KL[step, place] == pytest.approx(whole, rel=1e-4)
            sizes.append(m.weight.detach().double().norm().item())
        optimizer.param_groups[0]["lr"] = d.lr_S[step]
        assert d.lr_S[step] == pytest.approx(moment.hp["lr"], rel=1e-12)
        optimizer.step()
        for place, m in enumerate(layers):
            ratio = (m.weight.detach() - before[place]).double().norm().item() / sizes[place]
            assert d.ratio_KL[step, place] == pytest.approx(ratio, rel=1e-3)


@pytest.mark.slow
def test_learning_rates_are_those_of_every_update_also_of_a_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.reports.pictures.dynamics.MOMENTS", 4)
    run = tr.fit("wine", hidden=[4], epochs=5, lr=0.01, schedule="cosine", warmup=3, out=tmp_path / "a")
    branch = run.at(7).branch(lr=0.05, schedule="constant", out=tmp_path / "b")
    monkeypatch.setattr("treino.training.train.CHUNK_SECONDS", 0.002)  # often enough to hear the command
    asked = {"epochs": 40, "schedule": "step", "engine": "module"}
    told, _seen = watched("wine", asked, tmp_path / "c", command=(60, "lr", 0.2))
    assert dynamics_of(told).lr_S[0] == 3e-3
    assert dynamics_of(told).lr_S[-1] == pytest.approx(0.2 * 0.01)  # the schedule's last quarter
    for one in (run, told, branch):
        d = dynamics_of(one)
        assert len(d.step_K) in (4, 5)  # the step of a command or a branch is one of them
        assert len(d.lr_S) == len(one.losses)
        for moment in snapshots(one, range(0, len(one.losses), 1 + len(one.losses) // 40)):
            assert d.lr_S[moment.step] == pytest.approx(moment.hp["lr"], rel=1e-12)
    assert d.lr_S[6] < 0.01
    assert d.lr_S[7] == 0.05


def test_a_network_of_a_sweep_is_said_to_have_no_steps(tmp_path: Path) -> None:
    best = tr.fit("wine", hidden=[4], epochs=2, seeds=2, out=tmp_path / "s").best
    assert refusal_of(draw, best, ["dynamics"], OutputFolder(tmp_path)).rule == "replay_of_a_member"


@pytest.mark.slow
def test_curves_over_one_another(wine: Run, tmp_path: Path) -> None:
    one = tr.fit("wine", hidden=[8], epochs=1, batch_size=16, out=tmp_path / "short", validation=0.0)
    house = tr.fit("diabetes", hidden=[8], epochs=5, out=tmp_path / "house")
    ((name, content),) = overlaid([wine, one, house], 0.9)
    assert (name, content[:4]) == ("curves-of-several.png", b"\x89PNG")
    assert "from 1 to 12" in str(refusal_of(overlaid, [wine] * 13))
    assert "weight of the past" in str(refusal_of(overlaid, [wine], 1.0))
    assert "of several runs" in str(refusal_of(draw_together, [wine], ["lines"]))
