"""Runs of treino's own: the same rules, out of settings, rows and the losses that were kept."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from treino.api import Run
from treino.data import load
from treino.settings.spec import read_settings
from treino.training import findings
from treino.training.resolution import resolve
from treino.training.train import Start, drain, train_events
from treino_doctor import rules


@pytest.fixture(autouse=True)
def other_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each look asks the doctor's other rules, too, and they have nothing to say of any run."""
    others = []

    def decide(log, names, **how):
        others.extend(f.rule for f in rules.decide(log, **how)[0] if f.rule not in names)
        return rules.decide(log, names, **how)

    monkeypatch.setattr(findings, "decide", decide)
    yield
    assert others == []


def trained(folder, source, net=None, **asked) -> Run:
    return Run.of(drain(train_events(source, read_settings(asked), net=net, parent=folder / "runs")))


def found(folder, source, net=None, **asked) -> list[str]:
    document = trained(folder, source, net, **asked).document
    assert not [n for n in document["notes"] if "defect" in n]
    for finding in document["findings"]:
        assert finding["file"] is finding["line"] is finding["seen"] is None
    return [f["rule"] for f in document["findings"]]


WRONG = {
    "far too large a rate": ("wine", {"lr": 3.0}, "lr_too_high"),
    "a rate that diverges within 5 steps": ("wine", {"optimizer": "sgd", "lr": 1e3}, "lr_too_high"),
    "no finite loss": ("diabetes", {"optimizer": "sgd", "lr": 10.0}, "non_finite_loss"),
    "a rate that moves nothing": ("iris", {"optimizer": "sgd", "lr": 1e-6}, "lr_too_low"),
    "a decay that wins": ("wine", {"weight_decay": 10.0}, "weight_decay_too_high"),
    "a clip that leaves nothing": ("wine", {"optimizer": "sgd", "lr": 0.01, "clip": 1e-5}, "clip_too_small"),
    "raw columns": ("wine", {"optimizer": "sgd", "lr": 0.01, "normalise": False}, "unscaled_inputs"),
    "zeros to start from": ("wine", {"init": "zeros"}, "symmetric_init"),
    "twelve sigmoids": ("wine", {"hidden": [16] * 12, "activation": "sigmoid"}, "vanishing_gradient"),
    "iris as it stands": ("iris", {"hidden": [], "shuffle": "off", "data_seed": 0}, "unshuffled_sorted"),
    "a fault on purpose": ("wine", {"fault": ["missing_zero_grad"]}, "missing_zero_grad"),
    "another": ("wine", {"fault": ["softmax_before_cross_entropy"]}, "softmax_before_cross_entropy"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting_is_found(what, tmp_path):
    source, asked, rule = WRONG[what]
    assert rule in found(tmp_path, source, **asked)


RIGHT = [
    *(
        (name, {})
        for name in (
            *("wine", "iris", "digits", "breast_cancer", "diabetes"),
            *("moons", "circles", "spirals", "xor", "gauss", "plane", "multi_gauss"),
        )
    ),
    ("wine", {"optimizer": "sgd", "lr": 0.1}),
    ("wine", {"epochs": 1}),
    ("wine", {"epochs": 4, "lr": 3e-4}),
    ("wine", {"batch_size": "full", "epochs": 60, "clip": 1.0}),
    ("wine", {"normalise": False}),
    ("iris", {"hidden": [], "init": "zeros"}),
    ("digits", {"shuffle": "off"}),
    ("diabetes", {"hidden": [64] * 6, "weight_decay": 1e-3, "optimizer": "adamw"}),
    ("breast_cancer", {"class_weights": "balanced", "loss": "cross_entropy", "label_smoothing": 0.1}),
    ("breast_cancer", {"loss": "bce", "hidden": [8], "activation": "tanh"}),
    ("circles", {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "schedule": "cosine", "warmup": 50}),
    ("moons", {"dropout": 0.5, "batch_norm": True, "epochs": 20}),
]


@pytest.mark.parametrize(("source", "asked"), RIGHT, ids=[f"{s} {a}" for s, a in RIGHT])
@pytest.mark.sampled(4)
def test_a_right_run_is_silent(source, asked, tmp_path):
    assert found(tmp_path, source, **asked) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.sampled(3)
def test_labels_that_say_nothing_are_nobodys_fault(seed, tmp_path):
    g = np.random.default_rng(seed)
    x, y = g.normal(size=(300, 6)), g.integers(0, 3, 300)
    assert found(tmp_path, (x, y), epochs=10, seed=seed) == []


@pytest.mark.slow
def test_a_rare_class_that_is_given_up_is_found_and_weights_mend_it(tmp_path):
    g = np.random.default_rng(0)
    y = (g.random(1500) < 0.04).astype(int)
    x = g.normal(size=(1500, 4)) + 0.4 * y[:, None]
    assert found(tmp_path, (x, y), epochs=15) == ["class_imbalance"]
    assert found(tmp_path, (x, y), epochs=15, class_weights="balanced") == []
    named = trained(tmp_path, (x, np.array(["good", "bad"])[y]), epochs=15).document["findings"]
    assert [f["message"].partition(" is ")[0] for f in named] == ["Class 'bad'"]


@pytest.mark.slow
def test_a_network_of_ones_is_found(tmp_path):
    net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
    mended = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
    nn.init.ones_(net[0].weight)
    nn.init.zeros_(net[0].bias)
    nn.init.constant_(net[2].weight, 0.1)
    assert "symmetric_init" in found(tmp_path, "wine", net, epochs=30)
    assert found(tmp_path, "wine", mended, epochs=30) == []


def test_dead_units_of_a_network_of_the_users_own_are_found(tmp_path):
    net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
    nn.init.constant_(net[0].bias, -50.0)
    assert found(tmp_path, "wine", net, epochs=30) == ["dead_relu"]


@pytest.mark.parametrize("warm", [False, True])
def test_what_is_measured_is_what_torch_does(warm, tmp_path):
    """The movement that lr_too_low names, by a plain loop with torch's own optimizer."""
    asked = {"optimizer": "sgd", "lr": 1e-6, "batch_size": "full", "epochs": 40}
    other = read_settings(asked | {"seed": 7} if warm else asked)
    start = resolve(other, load("iris")).training.net(0, "last").train()
    weights = Start("another", start.state_dict()) if warm else None
    run = drain(train_events("iris", read_settings(asked), start=weights, parent=tmp_path / "runs"))
    [finding] = run.document["findings"]
    before = torch.cat([p.detach().flatten() for p in start.parameters() if p.dim() > 1]).double()
    optimizer = torch.optim.SGD(start.parameters(), lr=1e-6)
    for _step in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(start(run.data.train.x), run.data.train.y).backward()
        optimizer.step()
    after = torch.cat([p.detach().flatten() for p in start.parameters() if p.dim() > 1]).double()
    moved = float((after - before).norm() / before.norm())
    assert math.isclose(finding["evidence"]["movement"], moved, rel_tol=0.02)  # float32 steps of 1e-8


@pytest.mark.slow
def test_the_doors_show_what_was_found(treino, monkeypatch):
    """--json, the summary, show, and the doctor with the run's name or folder."""
    said = treino("train", "wine", "--as-taught", "--epochs", "2", "--json")
    rules = [f["rule"] for f in said.document["findings"]]
    assert rules == ["missing_zero_grad", "softmax_before_cross_entropy"]
    shown = treino("show", "wine-1").out
    assert "missing_zero_grad (certain): " in shown
    assert "treino doctor wine-1" in shown
    for name in ("wine-1", "runs/wine-1"):
        told = treino("doctor", name)
        assert told.status == 0
        assert "To do: Train without --fault missing_zero_grad or --as-taught." in told.out
        assert "backward adds to .grad" in told.out
    assert treino("doctor", "last", "--fail-on", "certain").status == 3
    document = treino("doctor", "last", "--json").document
    assert [f["rule"] for f in document["findings"]] == rules
    assert treino("train", "iris", "--epochs", "2").status == 0
    assert "nothing found in 8 steps of iris-1" in treino("doctor", "iris-1", "--fail-on", "likely").out
