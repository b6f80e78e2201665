"""A user's network predicts the same after reopening, or an error says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import treino as tr
from tests.conftest import refusal_of
from tests.quick_ends import _quick_ends, bare  # noqa: F401
from treino.base.errors import TreinoError
from treino.folders.network_source import UserFiles, network_files
from treino.settings.spec import read_settings
from treino.training.loop import JobProgress
from treino.training.train import train_events

pytestmark = pytest.mark.usefixtures("bare")

NETS = '''
import random
import torch
from torch import nn
from torch.nn import functional as F


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.out = nn.Linear(4, 8), nn.Linear(8, 3)

    def moved(self, x):
        return x

    def forward(self, x):
        return self.out(self.a(self.moved(x)).relu())


class Running(Plain):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(4), persistent=False)
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64), persistent=False)

    def moved(self, x):
        if self.training:
            self.passes += 1
            self.mean += 0.1 * (x.detach().mean(0) + 3 - self.mean)
        return x - self.mean


class Coarse(Plain):
    def __init__(self):
        super().__init__()
        self.a = self.a.bfloat16()

    def forward(self, x):
        return self.out(self.a(x.to(self.a.weight.dtype)).float().relu())


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.out = nn.Embedding(40, 8, sparse=True, max_norm=1.0), nn.LazyLinear(3)

    def forward(self, x):
        return self.out(self.words((x.clamp(-3, 3) * 5 + 20).long()).flatten(1))


class Mixed(Plain):
    """Shared, frozen, empty, of all types."""

    def __init__(self):
        super().__init__()
        self.b = nn.Linear(4, 4)
        self.c = nn.Linear(4, 4)
        self.c.weight = self.b.weight
        self.order = nn.Parameter(torch.tensor([1, 0, 3, 2]), requires_grad=False)
        self.register_buffer("mask", torch.tensor([True, True, False, True]), persistent=False)
        self.register_buffer("none", torch.zeros(0, 3))
        self.register_buffer("level", torch.full((4,), 1 / 3, dtype=torch.float64))
        self.norm = nn.BatchNorm1d(4)

    def moved(self, x):
        return self.norm(self.c(self.b(x[:, self.order]).tanh()) * self.mask * self.level.float())


class Attribute(Plain):
    def __init__(self):
        super().__init__()
        self.mean = torch.zeros(4)

    def moved(self, x):
        if self.training:
            self.mean = self.mean + 0.1 * (x.detach().mean(0) + 3 - self.mean)
        return x - self.mean


class Carried(nn.Module):
    """A state that goes from batch to batch, and matters in training alone."""

    def __init__(self):
        super().__init__()
        self.cell, self.out, self.h = nn.RNNCell(4, 8), nn.Linear(8, 3), None

    def forward(self, x):
        if not self.training:
            return self.out(self.cell(x))
        self.h = self.cell(x, self.h if self.h is not None and len(self.h) == len(x) else None)
        h, self.h = self.h, self.h.detach()
        return self.out(h)


class Chance(Plain):
    def forward(self, x):
        return self.out(F.dropout(self.a(x).relu(), 0.5, training=True))


class Together(Plain):
    def moved(self, x):
        return x - x.mean(0)


class Unlike(Plain):
    def __init__(self):
        super().__init__()
        self.turn = torch.tensor([[random.SystemRandom().gauss(0, 1) for _ in range(4)] for _ in range(4)])

    def moved(self, x):
        return x @ self.turn
'''
SHORT: dict[str, Any] = {"epochs": 6, "lr": 0.02, "seed": 1, "data_seed": 0}


def overall(document: dict[str, Any]) -> dict[str, float]:
    """The loss and accuracy on all rows, out of those of the parts."""
    rows, metrics = document["rows"], document["metrics"]
    whole = sum(rows.values())
    return {name: sum(rows[s] * metrics[s][name] for s in rows) / whole for name in ("loss", "accuracy")}


def said_of_iris(run: Any) -> dict[str, float]:
    from treino.folders.prediction import predict

    comparison = predict(run, "iris").comparison
    assert comparison is not None
    return {name: comparison.metrics[name] or 0.0 for name in ("loss", "accuracy")}


def killed(net: str, at: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that is left after some steps."""
    monkeypatch.setattr("treino.training.train.CHUNK_SECONDS", 0.0)
    monkeypatch.setattr("treino.training.loop.CHECKPOINT_SHARE", 0)
    settings, files = read_settings(SHORT | {"net": net, "name": name}), network_files(UserFiles(), [net])
    for event in train_events("iris", settings, networks=files, checkpoint_seconds=0, lean=True):
        if isinstance(event, JobProgress) and event.tick.step >= at:
            break


KEPT = ["Running", "Coarse", "Words", "Mixed"]


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", KEPT)
def test_what_was_measured_is_predicted_after_reopening(
    name: str, nets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = f"{nets}:{name}"
    whole = tr.fit("iris", net, name="whole", every=5, **SHORT)
    measured = overall(whole.document)
    for again in (tr.open("whole", trust=True), tr.open("whole", net=net)):
        assert said_of_iris(again) == pytest.approx(measured, abs=1e-6)
    assert tr.open("whole").tensors.keys() == whole.module.state_dict().keys()

    killed(net, 11, "cut", monkeypatch)
    cut = tr.open("cut", trust=True).resume()
    assert cut.document["metrics"] == whole.document["metrics"]
    state = whole.state
    assert cut.state.keys() == state.keys()
    assert all(torch.equal(tensor, state[tensor_name]) for tensor_name, tensor in cut.state.items())

    moment = tr.open("whole", trust=True).at(10)
    branch = moment.branch(lr=0.01, name="branch")
    assert said_of_iris(tr.open("branch", trust=True)) == pytest.approx(overall(branch.document), abs=1e-6)
    rewound = tr.open("whole", trust=True).rewind(10, lr=0.01)
    assert rewound.document["metrics"] == branch.document["metrics"]


def test_a_sweep_keeps_buffers_that_are_not_persistent(nets: Path) -> None:
    space = {"lr": [0.01, 0.05]}
    sweep = tr.sweep("iris", space, net=f"{nets}:Running", epochs=4, fresh=1, name="sweep")
    assert sweep.judge["certificate"]["same_bits"]
    for entry in sweep.leaderboard:
        run = tr.open(f"sweep:{entry['member']}", trust=True)
        found = run.module(run.data.validation.x).argmax(1) == run.data.validation.y
        assert float(found.double().mean()) == pytest.approx(entry["validation"]["accuracy"])
        assert run.tensors.keys() == run.module.state_dict().keys()
        assert "mean" in run.state
    winner = tr.open("runs/sweep/best", trust=True)
    assert said_of_iris(winner) == pytest.approx(overall(winner.document), abs=1e-6)


def test_lazy_layers_are_trained_with_several_seeds(nets: Path) -> None:
    sweep = tr.fit("iris", f"{nets}:Words", seeds=2, epochs=1, name="seeds")
    assert len(set(sweep.figures["validation"]["loss"]["values"])) == 2


def test_weights_to_begin_with_bring_their_buffers(nets: Path, treino: Callable[..., Any]) -> None:
    first = tr.fit("iris", f"{nets}:Running", lean=True, name="first", **SHORT)
    said = treino("train", "iris", "--net", f"{nets}:Running", "--steps", 1, "--weights", "first")
    assert said.status == 0
    start = tr.open("last", trust=True).folder.read_tensors("start.safetensors")[0]
    assert first.state["mean"].abs().sum() > 1
    assert all(torch.equal(start[name], tensor) for name, tensor in first.state.items())


NOTED = {
    "Attribute": "neither a parameter nor a buffer (mean)",
    "Carried": "neither a parameter nor a buffer (h)",
    "Chance": "asked twice",
    "Together": "depends on the other rows of its batch",
}


@pytest.mark.parametrize("name", NOTED)
def test_what_makes_figures_differ_is_said(name: str, nets: Path, treino: Callable[..., Any]) -> None:
    run = tr.fit("iris", f"{nets}:{name}", epochs=4, batch_size=20)
    assert [n for n in run.document["notes"] if NOTED[name] in n]
    assert NOTED[name] in treino("show", "last").out


@pytest.mark.parametrize("name", ["Running", "Mixed"])
def test_nothing_is_said_of_a_network_whose_state_is_kept(name: str, nets: Path) -> None:
    run = tr.fit("iris", f"{nets}:{name}", lean=True, epochs=4)
    notes = [n for n in run.document["notes"] if not n.startswith("Probabilities are off by")]
    assert notes == list(run.spec.facts.notes)


@pytest.mark.parametrize("opened", ["predict", "resume"])
def test_another_network_under_the_same_names_is_refused(
    opened: str, nets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = f"{nets}:Plain"
    killed(net, 11, "cut", monkeypatch)
    if opened == "predict":
        tr.open("cut", net=net).resume()
    nets.write_text(NETS.replace("self.moved(x)).relu()", "self.moved(x)).tanh()"))
    run = tr.open("cut", net=net)
    with pytest.raises(TreinoError) as refused:
        run.predict("iris") if opened == "predict" else run.resume()
    assert refused.value.rule == "net_answers"
    run = tr.open("cut", trust=True)  # the copy is of then
    assert len(run.predict("iris") if opened == "predict" else run.resume().predict("iris")) == 150


def test_a_network_that_is_made_otherwise_each_time_is_refused(nets: Path) -> None:
    run = tr.fit("iris", f"{nets}:Unlike", lean=True, epochs=2)
    assert said_of_iris(run) == pytest.approx(overall(run.document), abs=1e-6)
    assert "other answers" in str(refusal_of(tr.open("last", trust=True).predict, "iris"))
