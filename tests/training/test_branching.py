"""Branching and rewinding: the shared steps are equal to the bit, nothing is overwritten."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import refusal_of
from tests.training.test_moments import CASES
from treino import api
from treino.api import Run
from treino.api import open as open_result
from treino.engine import OPTIMIZERS
from treino.folders.documents.run_spec import Parent

pytestmark = pytest.mark.usefixtures("bare")


def same_end(a: Run, b: Run) -> None:
    np.testing.assert_array_equal(a.losses.view(np.int32), b.losses.view(np.int32))
    assert a.tensors.keys() == b.tensors.keys()
    assert all(torch.equal(a.tensors[name], t) for name, t in b.tensors.items())
    keys = ("status", "steps", "epochs", "kept_step", "metrics", "loss", "loss_std", "stopped_early")
    assert {k: a.document[k] for k in keys} == {k: b.document[k] for k in keys}
    assert a.evaluations == b.evaluations


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.sampled(6)
def test_without_changes_the_parents_bits(case: str, tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=CASES[case].get("epochs", 20), seed=3,
              **{k: v for k, v in CASES[case].items() if k != "epochs"})  # fmt: skip
    last = run.document["steps"]
    for step in sorted({last // 2, max(0, last - 1)}):
        branch = run.at(step).branch()
        same_end(branch, run)
        assert branch.spec.parent == Parent(run=run.name, segment=0, step=step, test_looks=1)
    before = open_result(run.path)
    model, losses = dict(before.tensors), before.losses
    again = run.rewind(last // 2)
    same_end(again, branch)
    assert again.path == run.path
    np.testing.assert_array_equal(again.folder.database.losses(0), losses)
    kept = again.folder.read_tensors("segments/0/model.safetensors")[0]
    assert all(torch.equal(kept[name], t) for name, t in model.items())


@pytest.mark.proof
@pytest.mark.sampled(3)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_changed_settings_make_torchs_steps(optimizer: str, tmp_path: Path) -> None:
    """From the moment on torch.optim with the other settings goes where the branch goes."""
    run = api.fit(
        "wine", parent=tmp_path, lean=True, epochs=10, hidden=[6], engine="module", optimizer=optimizer
    )
    start = run.at(13)
    more: dict[str, Any] = {"momentum": 0.5} if optimizer == "sgd" else {"betas": (0.7, 0.95), "eps": 1e-6}
    branch = start.branch(lr=0.02, weight_decay=0.03, clip=0.4, **more)
    net = start.net.train()
    update = OPTIMIZERS[optimizer].torch(net.parameters(), lr=0.02, weight_decay=0.03, **more)
    for name, p in net.named_parameters():
        if start.state[name]:
            update.state[p] = dict(start.state[name]) | {"step": torch.tensor(13.0)}
    for step in range(13, 18):
        batch = branch.at(step).batch
        update.zero_grad()
        loss = nn.functional.cross_entropy(net(batch.x_BD), batch.y_B)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.4)
        update.step()
        assert loss.item() == pytest.approx(branch.losses[step], rel=1e-5)
    for name, value in branch.at(18).net.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], value, rtol=1e-5, atol=1e-6)
    s = branch.settings
    assert (s["lr"], s["weight_decay"], s["clip"]) == (0.02, 0.03, 0.4)
    assert s["betas"] == (None if optimizer == "sgd" else [0.7, 0.95])


@pytest.mark.slow
def test_the_path_of_segments(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=20, dropout=0.2, every=10)
    first = run.losses
    second = run.rewind(50, lr=0.02, dropout=0)
    third = second.rewind(60, lr=1e-4)
    fourth = third.rewind(30, epochs=25, schedule="cosine")
    assert [s.origin for s in fourth.spec.segments] == [None, (0, 50), (1, 60), (0, 30)]
    assert len(fourth.losses) == 25 * fourth.spec.steps_per_epoch
    np.testing.assert_array_equal(fourth.losses[:30], first[:30])
    np.testing.assert_array_equal(third.folder.database.losses(0), first)
    assert len(fourth.folder.database.losses(2)) == len(first) - 60
    assert fourth.document["epochs"] == 25
    assert len(fourth.evaluations["validation"]["loss"]) == 25
    assert fourth.settings["lr"] == 3e-3
    assert fourth.settings["dropout"] == 0.2
    assert fourth.at(29).segment == 0
    assert fourth.at(31).segment == 3
    branch = fourth.at(40).branch(lr=0.01)
    shutil.rmtree(run.path)
    branch = open_result(branch.path)
    assert branch.spec.segments[-1].origin == (3, 40)
    np.testing.assert_array_equal(branch.losses[:30], first[:30])
    assert branch.at(20).loss == first[19]  # played again without its parent
    assert branch.at(35).loss == branch.losses[34]
    assert branch.at(45).hp["lr"] < 0.01  # with the cosine
    assert branch.module(branch.data.test.x).shape[1] == 3


def test_what_can_not_change_is_refused_with_the_reason(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=4, keep="last")
    moment = run.at(5)
    for changes, rule, word in (
        ({"batch_norm": True}, "branch_setting", "would not fit"),
        ({"metric": "accuracy"}, "branch_setting", "batches"),
        ({"target": "x"}, "branch_setting", "rows"),
        ({"engine": "module"}, "branch_setting", "bits"),
        ({"baselines": "full"}, "branch_setting", "whole run"),
        ({"lrr": 1}, "unknown_setting", "lrr"),
        ({"lr": -1}, "lr_range", "greater than 0"),
        ({"momentum": 0.9}, "momentum_with_adam", "momentum"),
        ({"dropout": 0}, "dropout_without_layer", "dropout"),
        ({"epochs": 1}, "branch_over", "over at step 5"),
        ({"epochs": 9, "steps": 9}, "epochs_and_steps", "steps"),
        ({"keep": "best"}, "branch_keep", "best"),
        ({"schedule": "up"}, "schedule_unknown", "up"),
    ):
        caught = refusal_of(moment.branch, **changes)
        assert caught.rule == rule, changes
        assert word in caught.message
    assert "over at step" in str(refusal_of(run.at(run.document["steps"]).branch, lr=0.1))
    assert "names a new run" in str(refusal_of(run.rewind, 3, name="other"))
    assert [p.name for p in tmp_path.iterdir()] == ["wine-1"]
    assert open_result(run.path).status == "finished"
    more = run.at(run.document["steps"]).branch(epochs=8)
    assert more.document["epochs"] == 8
