"""Any step of a run can be replayed: the weights that it had then, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from tests.conftest import refusal_of
from tests.workflows.test_resume import CASES as RESUMED
from treino import api
from treino.api import Run, sweep
from treino.api import open as open_result
from treino.base.errors import TreinoError
from treino.engine import OPTIMIZERS
from treino.settings.spec import read_settings
from treino.training.loop import JobEnd, JobProgress, JobStart
from treino.training.replay import snapshots
from treino.training.train import Start, train_events

CASES: dict[str, dict[str, Any]] = RESUMED | {
    "early stopping": {"patience": 8, "epochs": 300, "lr": 0.02},
    "full batch": {"batch_size": "full", "optimizer": "sgd"},
}


class Own(nn.Module):
    """A network of a learner's own, with buffers and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(13, 9), nn.BatchNorm1d(9), nn.Linear(9, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(nn.functional.dropout(torch.relu(self.norm(self.a(x))), 0.2, self.training))


def watched(
    source: Any,
    asked: dict[str, Any],
    parent: Path,
    command: tuple[int, str, float] | None = None,
    **more: Any,
) -> tuple[Run, dict[int, dict[str, torch.Tensor]]]:
    """Train, and write down the weights at each tick: what the run really had."""
    seen: dict[int, dict[str, torch.Tensor]] = {}
    events = train_events(source, read_settings({"epochs": 40, "seed": 3} | asked), parent=parent, **more)
    folder, sent = None, False
    for event in events:
        if isinstance(event, JobStart):
            folder = event.job.folder
            seen[0] = state(event.job.training.net(0, "last"))
        elif isinstance(event, JobProgress):
            if event.tick.status_P[0] != "diverged":
                seen[event.tick.step] = state(event.tick.net)
            if command is not None and not sent and event.tick.step >= command[0]:
                folder.database.add_command(command[1], command[2])
                sent = True
    assert isinstance(event, JobEnd)
    return Run.of(event.job.run), seen


def state(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: t.clone() for name, t in net.state_dict().items()}


def replayed(run: Run, seen: dict[int, dict[str, torch.Tensor]], most: int = 12) -> None:
    """What is played again equals what was seen, at some of the steps; each also when asked for alone."""
    steps = sorted(seen)[:: max(1, len(seen) // most)]
    found = {moment.step: state(moment.net) for moment in snapshots(run, steps)}
    assert sorted(found) == steps
    found[steps[-1]] = state(run.at(steps[-1]).net)
    for step, weights in found.items():
        assert weights.keys() == seen[step].keys()
        for name, value in weights.items():
            assert torch.equal(value, seen[step][name]), (step, name)


@pytest.fixture(autouse=True)
def _short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treino.training.train.CHUNK_SECONDS", 0.002)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.sampled(3)
def test_the_weights_of_any_step_come_again_bit_for_bit(case: str, tmp_path: Path) -> None:
    run, seen = watched("wine", CASES[case], tmp_path, checkpoint_seconds=0.05)
    replayed(open_result(run.path), seen)
    kept = run.document["kept_step"]
    again = run.at(kept)
    assert all(torch.equal(value, run.tensors[name]) for name, value in again.net.state_dict().items())
    assert again.loss is None if kept == 0 else again.loss == run.losses[kept - 1]


@pytest.mark.slow
def test_a_command_in_the_middle_is_obeyed_again(tmp_path: Path) -> None:
    run, seen = watched("wine", {"epochs": 80}, tmp_path, command=(60, "lr", 0.05))
    (change,) = run.changes
    assert 0 < change.step < 320
    assert run.at(change.step - 1).hp["lr"] == 3e-3
    assert run.at(change.step).hp["lr"] == 0.05
    replayed(run, seen)


@pytest.mark.slow
def test_runs_begun_elsewhere_with_own_rows_and_own_networks(tmp_path: Path) -> None:
    first = api.fit("wine", epochs=3, parent=tmp_path, lean=True)
    begun = Start("first", first.tensors)
    run, seen = watched("wine", {"seed": 9}, tmp_path, start=begun)
    replayed(run, seen)
    assert all(torch.equal(a, first.tensors[name]) for name, a in run.at(0).net.state_dict().items())

    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"a": chance.normal(size=90), "b": chance.normal(size=90)})
    frame["y"] = np.where(frame.a * frame.b > 0, "<b>yes</b>", "no")
    run, seen = watched(frame, {"target": "y"}, tmp_path)
    replayed(open_result(run.path), seen)

    run, seen = watched("wine", {}, tmp_path, net=Own())
    replayed(run, seen)
    replayed(open_result(run.path, net=Own()), seen)  # other first weights: those of the run are kept with it
    assert "given in Python" in str(refusal_of(open_result(run.path).at, 3))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_batch_settings_and_state_make_torchs_next_update(optimizer: str, tmp_path: Path) -> None:
    """With the moment's own network, rows and state, torch.optim makes the next step's weights."""
    asked = {
        "optimizer": optimizer,
        "weight_decay": 0.01,
        "schedule": "cosine",
        "engine": "module",
        "clip": 0.7,
    }
    more = {"momentum": 0.9, "nesterov": True} if optimizer == "sgd" else {"betas": (0.8, 0.99)}
    run = api.fit("wine", epochs=10, hidden=[7], parent=tmp_path, lean=True, **asked, **more)
    now, after = snapshots(run, [17, 18])
    net, hp = now.net.train(), now.hp
    known = {"lr": hp["lr"], "weight_decay": hp["weight_decay"]}
    known |= (
        {"momentum": hp["momentum"], "nesterov": True}
        if optimizer == "sgd"
        else {"betas": (hp["beta1"], hp["beta2"])}
    )
    update = OPTIMIZERS[optimizer].torch(net.parameters(), **known)
    for name, p in net.named_parameters():
        assert set(now.state[name]) == set(OPTIMIZERS[optimizer].states)
        update.state[p] = dict(now.state[name]) | ({} if optimizer == "sgd" else {"step": torch.tensor(17.0)})
    batch = now.batch
    assert torch.equal(batch.x_BD, run.data.train.x[batch.index_B])
    loss = nn.functional.cross_entropy(net(batch.x_BD), batch.y_B)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), hp["clip"])
    update.step()
    assert loss.item() == pytest.approx(after.loss, rel=1e-6)
    for name, p in net.named_parameters():
        torch.testing.assert_close(p.detach(), dict(after.net.named_parameters())[name], rtol=1e-6, atol=1e-7)


def test_steps_that_a_run_does_not_have_are_refused(tmp_path: Path) -> None:
    run = api.fit("wine", epochs=2, parent=tmp_path, lean=True)
    last = run.document["steps"]
    for step in (-1, last + 1, 1.5, True, "3"):
        with pytest.raises(TreinoError, match="has no step") as caught:
            run.at(step)
        assert str(last) in caught.value.hint
    assert run.at(last).step == last
    assert list(snapshots(run, [])) == []


class Items(Dataset[Any]):
    """Rows that are read one by one; noisy ones are others each time."""

    def __init__(self, noise: float = 0.0) -> None:
        self.x, self.noise = torch.linspace(-1, 1, 120).repeat(2, 1).T.contiguous(), noise

    def __len__(self) -> int:
        return 120

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.x[i] + self.noise * torch.randn(2), int(i > 60)


@pytest.mark.slow
def test_rows_from_elsewhere_come_again_or_it_is_said_why_not(tmp_path: Path) -> None:
    kept = api.fit(Items(), parent=tmp_path, lean=True, epochs=3)
    assert kept.at(5).loss == kept.losses[4]
    noisy = api.fit(Items(0.1), parent=tmp_path, lean=True, epochs=3)
    with pytest.raises(TreinoError, match="given in Python") as caught:
        noisy.at(5)
    assert "run.at(step, data)" in caught.value.hint
    loader = api.fit(DataLoader(Items(), batch_size=16, shuffle=True), parent=tmp_path, lean=True, epochs=3)
    assert "can't be played again" in str(refusal_of(loader.at, 5))

    chance = np.random.default_rng(0)
    table = pd.DataFrame(chance.normal(size=(9000, 20)), columns=list("abcdefghijklmnopqrst"))
    table["y"] = np.where(table.a > table.b, "p", "q")
    table.to_csv(tmp_path / "large.csv", index=False)
    run = api.fit(
        str(tmp_path / "large.csv"),
        target="y",
        recipe="plain",
        parent=tmp_path / "runs",
        epochs=1,
        max_memory="1MB",
    )
    moment = open_result(run.path).at(30)
    assert moment.loss == run.losses[29]
    assert moment.batch.x_BD.shape == (32, 20)


def test_a_sweep_s_networks_are_asked_for_alone(tmp_path: Path) -> None:
    found = sweep("wine", {"lr": [0.01, 0.1]}, epochs=4, fresh=0, parent=tmp_path)
    assert found.best.at(6).step == 6
    beside = found.best.at(2).branch(lr=1e-3)
    assert beside.path.parent == tmp_path  # where runs are looked for, and not in the sweep's folder
    with pytest.raises(TreinoError, match="network of a sweep") as caught:
        open_result(f"{found.path}:0").at(3)
    assert "--like" in caught.value.hint
