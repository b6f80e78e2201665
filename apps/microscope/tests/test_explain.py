"""Explanations of runs: the arithmetic of any training is right to the last digit, or refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import Treino, refusal_of
from tests.plots.browser import looked_at
from torch import nn

import treino as tr
from treino.base.formula import Symbol
from treino_microscope.explanation import Check
from treino_microscope.from_python import ExplanationPage, update_of
from treino_microscope.run_explanation import kind, topic_name
from treino_microscope.topics import topics
from treino_microscope.update import Update

pytestmark = pytest.mark.usefixtures("bare", "here")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a test's own where it works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


TOPICS = topics()
WEIGHTED: dict[str, Any] = {"label_smoothing": 0.1, "class_weights": "balanced"}
ONE_ROW: dict[str, Any] = {"batch_size": 1, "epochs": None, "steps": 9}
CASES: dict[str, dict[str, Any]] = {
    "dropout": {"hidden": [16, 8], "dropout": 0.3},
    "adamw-clip": {"optimizer": "adamw", "weight_decay": 0.1, "clip": 0.05, "activation": "gelu"},
    "l2": {"weight_decay": 0.05, "hidden": [8], "activation": "leaky_relu", "betas": (0.8, 0.99)},
    "schedule": {"optimizer": "sgd", "lr": 0.1, "schedule": "cosine", "warmup": 4, "activation": "tanh"},
    "nesterov": {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "linear-weighted": WEIGHTED | {"optimizer": "sgd", "momentum": 0.5, "hidden": []},
    "summed-clip": {"fault": ("missing_zero_grad",), "clip": 1.0, "hidden": [8]},
    "as-taught": {"as_taught": True, "optimizer": "sgd", "lr": 0.01, "hidden": [8]},
    "bce": {"data": "breast_cancer", "loss": "bce", "hidden": [8], "activation": "sigmoid"},
    "full": {"data": "iris", "batch_size": "full", "hidden": [8], "activation": "silu", "epochs": 5},
    "one-row": ONE_ROW | {"data": "diabetes", "loss": "l1", "hidden": [8]},
    "huber": {"data": "diabetes", "loss": "huber", "hidden": [8, 8, 8], "optimizer": "adamw"},
    "mse-module": {"data": "diabetes", "optimizer": "sgd", "hidden": [8], "dropout": 0.5, "engine": "module"},
    "bmm": {"data": "moons", "hidden": [8], "engine": "batched", "dropout": 0.2},
    "zeros": {"data": "moons", "hidden": [8], "init": "zeros", "lr": 0.1},
}


def trained(name: str, **asked: Any) -> tr.Run:
    settings = {"data": "wine", "epochs": 3, "hidden": [8], "name": name, **asked}
    return tr.fit(settings.pop("data"), **settings)


def shown_as_computed(found: ExplanationPage, update: Update) -> None:
    """Each z, h and δ that a formula gives is the one that the network has there."""
    seen = set()
    for step in found.explanation.steps:
        left = None if step.formula is None else step.formula.left
        if isinstance(left, Symbol) and left.name in "zhδ" and left.sub.isdigit() and step.formula:
            at = int(left.sup[1:-1]) if left.sup else len(update.layers) - 1
            known = {"z": update.through[at].z, "h": update.through[at].h, "δ": update.through[at].d}
            there = float(known[left.name][update.row, int(left.sub)])
            assert step.formula.value == pytest.approx(there, rel=1e-9, abs=1e-14), step.title
            seen.add(left.name)
    assert {"z"} <= seen


def wrong(checks: tuple[Check, ...]) -> list[Check]:
    return [check for check in checks if not check.holds]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.sampled(5)
def test_every_topic_that_fits_is_right(case: str) -> None:
    run = trained(case, **CASES[case])
    steps: int = run.document["steps"]
    layers = len(run.settings["hidden"])
    for step, weight in ((0, None), (steps - 1, (layers, 0, 1)), (None, (0, 1))):
        update = update_of(run, step, weight)
        own = {kind(update), topic_name(update.loss.name)}
        for topic in (*own, "backprop", "learning-rate", "accumulated-gradient"):
            found = tr.explain(topic, run, step=step, weight=weight)
            assert wrong(found.explanation.checks) == [], (topic, step, weight)
            if topic in own:
                shown_as_computed(found, update_of(run, step, weight))
            assert json.loads(json.dumps(found.document))["topic"] == topic
            assert found.html().startswith("<!doctype html>")
        for topic in set(TOPICS) - own - {"backprop", "learning-rate", "accumulated-gradient"}:
            assert run.name in refusal_of(tr.explain, topic, run, step=step, weight=weight).hint


@pytest.mark.proof
def test_the_new_weight_is_the_one_that_the_run_went_on_with() -> None:
    """Update by update, each explained from the run's own state, lands on the weights that the run kept."""
    run = trained("w", keep="last")
    place = (0, 2, 5)
    for step in range(run.document["steps"]):
        update = update_of(run, step, place)
        found = tr.explain("adam", run, step=step, weight=place).explanation.steps
        after = next(each.formula.value for each in found if each.title == "The new weight")
        assert after == pytest.approx(update.after["0.weight"][2, 5], rel=1e-6)
    assert after == pytest.approx(float(run.tensors["0.weight"][2, 5]), rel=1e-6)
    assert sorted(update.batch.rows.tolist()) != update.batch.rows.tolist(), "in the order of the epoch"


def test_dropout_s_masks_are_the_run_s() -> None:
    update = update_of(trained("d", dropout=0.4, hidden=[32, 16]), 1, None)
    for mask, width in zip(update.batch.masks, (32, 16), strict=True):
        assert mask.shape == (len(update.batch.rows), width)
        assert set(np.unique(mask)) == {0.0, 1 / 0.6}
    other = replace(update.batch, masks=tuple(np.roll(m, 1, 0) for m in update.batch.masks))
    moved = replace(update, batches=(other, *update.batches[1:]))
    assert wrong(TOPICS["cross-entropy"].of(moved).checks), "other masks give another loss than the run noted"


@pytest.mark.slow
def test_networks_of_the_user_s_own() -> None:
    chain = nn.Sequential(nn.Flatten(), nn.Linear(13, 5, bias=False), nn.Tanh(), nn.Linear(5, 3))
    run = tr.fit("wine", net=chain, epochs=2)
    assert "no biases" in str(refusal_of(tr.explain, "adam", run, weight=(0, 1)))
    for own in (AsTheCourseWritesIt, Lines):
        run = tr.fit("wine", net=own(), epochs=2, lean=True)
        for topic in ("adam", "backprop", "accumulated-gradient"):
            assert tr.explain(topic, run, step=3).holds, own
    alone = tr.fit("wine", net=nn.Linear(13, 3), epochs=2, lean=True)
    assert tr.explain("adam", alone, weight=(0, 2, 5)).holds
    tied, frozen, hooked = nn.Linear(13, 13), nn.Linear(13, 4), nn.Linear(13, 4)
    frozen.requires_grad_(False)
    hooked.register_forward_hook(lambda _layer, _inputs, output: 2 * output)
    refusals: dict[str, nn.Module] = {
        "calls add": Skipping(),
        "Batch norm": nn.Sequential(nn.Linear(13, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3)),
        "same layer twice": nn.Sequential(tied, nn.ReLU(), tied, nn.ReLU(), nn.Linear(13, 3)),
        "can't be followed": Choosing(),
        "weight is not trained": nn.Sequential(frozen, nn.ReLU(), nn.Linear(4, 3)),
        "hooks on its layers": nn.Sequential(hooked, nn.ReLU(), nn.Linear(4, 3)),
        "LeakyReLU(negative_slope=0.3)": nn.Sequential(nn.Linear(13, 4), nn.LeakyReLU(0.3), nn.Linear(4, 3)),
    }
    for said, net in refusals.items():
        refused = refusal_of(tr.explain, "adam", tr.fit("wine", net=net, epochs=1, lean=True))
        assert refused.rule == "explain_net"
        assert said in refused.message
        assert refused.hint


class AsTheCourseWritesIt(nn.Module):
    """A chain in a class of its own; its dropouts are drawn in another order than they are used in."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Linear(13, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 6))
        self.thin, self.out = nn.Dropout(0.3), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.view(x.size(0), -1)
        found: torch.Tensor = self.out(self.thin(torch.tanh(self.features(x))))
        return found


class Lines(AsTheCourseWritesIt):
    """The same in lines, its parts declared in no order."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.features[2](nn.functional.gelu(self.features[0](x.reshape(x.shape[0], -1))))
        found: torch.Tensor = self.out(self.features[3](first).sigmoid())
        return found


class Choosing(AsTheCourseWritesIt):
    """What it does hangs on its numbers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x if x.mean() > 0 else -x)


class Skipping(nn.Module):
    """No chain: its input goes round the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(13, 13), nn.Linear(13, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.two(torch.relu(self.one(x)) + x)
        return found


def test_a_run_of_weighted_rows_is_refused() -> None:
    x, y, weight = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2, 1 + np.arange(60) % 3
    run = tr.fit((x, y, weight), hidden=[8], steps=3)
    assert refusal_of(tr.explain, "adam", run).rule == "explain_row_weights"


# ---- bad input


@pytest.mark.slow
def test_what_can_t_be_explained_says_why() -> None:
    run = trained("w")
    steps: int = run.document["steps"]
    for step in (-1, steps, 10**9, 1.5, True, "x"):
        refused = refusal_of(tr.explain, "adam", run, step=step)
        assert refused.rule == "step_range"
        assert f"{steps - 1}" in refused.hint
    misplaced: list[Any] = [(9, 0, 0), (0, 99, 0), (0, 0, 13), (0,), (), (0, True, 1), (1, 2, 3, 4)]
    for weight in (*misplaced, "a", "0,1,-2"):
        refused = refusal_of(tr.explain, "adam", run, weight=weight)
        assert refused.rule in ("weight_range", "weight_form")
        assert "layer 0 (module 0): 8 units of 13 inputs" in refused.hint
    for topic, rule in {"adma": "explain_topic", "sgd": "explain_topic_fits_not"}.items():
        assert refusal_of(tr.explain, topic, run).rule == rule
    assert "no run is named" in str(refusal_of(tr.explain, "adam", step=3))
    for digits in (0, 18, 2.5, True):
        assert "1 to 17" in str(refusal_of(tr.explain, "adam", digits=digits))


# ---- the command line


@pytest.mark.slow
def test_the_command_line(treino: Treino) -> None:
    listed = treino("explain")
    assert listed.status == 0
    assert all(f"treino explain {topic} " in listed.out for topic in TOPICS)
    assert [t["topic"] for t in treino("explain", "--json").document["topics"]] == list(TOPICS)
    assert treino("train", "wine", "--hidden", "8", "--epochs", "2", "--name", "w").status == 0
    said = treino("explain", "adam", "last", "--step", "3", "--weight", "0,2,5", "--json")
    assert said.status == 0
    assert said.document["steps"][-1]["title"]
    assert {c["name"] for c in said.document["checks"]} >= {"g: torch.autograd, float64"}
    assert "0,2,5" in treino("explain", "adam", "w", "--weight", "0,2,5").out
    for topic in TOPICS:
        assert " course" not in treino("explain", topic).out.replace("many courses", ""), topic
    assert "What the course says" in treino("explain", "backprop", "--as-taught").out
    page = treino("explain", "backprop", "w", "--to", "pages/b.html", "--json")
    assert page.status == 0
    assert Path(page.document["path"]).read_text().startswith("<!doctype html>")
    refused = treino("explain", "adam", "--to", "pages")
    assert (refused.status, "defect" in refused.err) == (2, False), refused.err
    refused = treino("explain", "adam", "--step", "2")
    assert (refused.status, "treino explain adam last" in refused.err) == (2, True)


def test_a_failed_check_is_said_loudly(treino: Treino, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = (Check("L: somebody", 1.0, 2.0, 1e-9), Check("fine", 1.0, 1.0, 0.0))
    off = replace(TOPICS["mse"], on_example=lambda: ((), checks))
    monkeypatch.setattr("treino_microscope.from_python.topics", lambda: {"mse": off})
    said = treino("explain", "mse", "--json")
    assert said.status == 1
    assert "1 of 2 checks FAIL: L: somebody" in said.err
    assert said.document["holds"] is False
    assert [c["holds"] for c in said.document["checks"]] == [False, True]


@pytest.mark.slow
def test_pages_in_a_browser(here: Path) -> None:
    found = tr.explain("backprop", trained("w", hidden=[8, 6]))
    seen = looked_at(found.save(here / "run.html"), scheme="dark", width=800)
    assert seen.said == seen.asked == []
    assert seen.wide <= 800
    assert seen.without_alt == 0
    assert "checks hold" in seen.text
    assert "<iframe srcdoc=" in found._repr_html_()
