"""Futures of a step: each has the bits of the branch that goes on with its settings; nothing stays behind."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import refusal_of
from tests.training.test_moments import Own
from treino import api
from treino.api import Run
from treino.inspection.outputs import outputs
from treino.training.branch import branching
from treino.training.futures import FutureEnd, FutureSteps, futures, usual_futures
from treino.training.loop import JobProgress
from treino.training.replay import Snapshot

pytestmark = pytest.mark.usefixtures("bare")

CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "default": ({"dropout": 0.3, "schedule": "cosine", "clip": 0.5}, [{}, {"lr": 0.05}, {"clip": None}]),
    "module": ({"engine": "module", "dropout": 0.2}, [{"dropout": 0.6}, {"weight_decay": 0.1}]),
    "batched": ({"engine": "batched", "optimizer": "adamw"}, [{}, {"betas": (0.7, 0.9)}, {"eps": 1e-3}]),
    "momentum": ({"optimizer": "sgd", "momentum": 0.9, "nesterov": True}, [{}, {"momentum": 0.5}]),
    "batch norm": ({"batch_norm": True}, [{"lr": 0.1}, {"lr": 1e-4}]),
    "as taught": ({"as_taught": True, "optimizer": "sgd", "lr": 1e-3}, [{}, {"lr": 1e-2, "clip": 1.0}]),
    "full batch": ({"batch_size": "full", "optimizer": "sgd"}, [{"lr": 1.0}, {}]),
    "diverges": ({"optimizer": "sgd", "lr": 0.1}, [{"lr": 1e6}, {}, {"lr": 1e5}]),
    "orders": ({"dropout": 0.2}, [{"seed": 4, "lr": 0.01}, {}, {"seed": 5}, {"batch_size": 8}, {"seed": 4}]),
    "orders diverge": ({"optimizer": "sgd"}, [{"seed": 4, "lr": 1e6}, {"seed": 5}, {"seed": 6, "lr": 1e5}]),
    "orders by module": ({"engine": "module", "dropout": 0.2}, [{"seed": 4}, {}, {"seed": 5, "lr": 0.1}]),
    "orders by batched": ({"engine": "batched", "dropout": 0.2}, [{"seed": 4}, {}, {"seed": 5}]),
    "patience": ({"patience": 1, "epochs": 60}, [{"lr": 0.3}, {"lr": 1e-3}]),
}


def run_of(parent: Path, **settings: Any) -> Run:
    return api.fit(
        "wine", parent=parent, lean=True, **{"epochs": 20, "seed": 3, "hidden": [12, 6]} | settings
    )


def curves(stream: Iterable[FutureSteps | FutureEnd], count: int) -> tuple[list[np.ndarray], list[FutureEnd]]:
    """The losses of each future up to its last step, and the ends by their places."""
    parts: list[list[np.ndarray]] = [[] for _ in range(count)]
    ends: dict[int, FutureEnd] = {}
    for event in stream:
        if isinstance(event, FutureEnd):
            ends[event.future] = event
            continue
        for future, loss_S in zip(event.futures, event.loss_FS, strict=True):
            parts[future].append(loss_S)
    return [np.concatenate(part) for part in parts], [ends[i] for i in range(count)]


def branch_losses(snapshot: Snapshot, changes: dict[str, Any], steps: int) -> np.ndarray:
    """Of the branch's first steps; fewer where it stops before."""
    events = branching(snapshot, changes)
    losses: list[np.ndarray] = []
    for event in events:
        if isinstance(event, JobProgress):
            losses.append(event.tick.loss_SP[:, 0].numpy())
            if sum(map(len, losses)) >= steps:
                break
    events.close()
    return np.concatenate(losses)[:steps]


def same_bits(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_array_equal(a.view(np.int32), b.view(np.int32))


def check(run: Run, step: int, changes: list[dict[str, Any]], steps: int) -> list[FutureEnd]:
    snapshot = run.at(step)
    losses, ends = curves(futures(snapshot, changes, steps), len(changes))
    for loss_S, change in zip(losses, changes, strict=True):
        wanted_S = branch_losses(snapshot, change, steps)
        same_bits(loss_S[: len(wanted_S)], wanted_S)
        beyond_S = loss_S[len(wanted_S) :]  # patience ends the branch and not the future
        assert (np.isfinite(beyond_S) if snapshot.settings["patience"] else np.isnan(beyond_S)).all()
    return ends


@pytest.mark.parametrize("case", ["default", "orders diverge", "orders by batched"])
def test_a_future_has_the_bits_of_its_branch(case: str, tmp_path: Path) -> None:
    settings, changes = CASES[case]
    ends = check(run_of(tmp_path, **settings), 30, changes, 25)
    assert [end.status == "diverged" for end in ends] == [change.get("lr", 0) > 1 for change in changes]
    assert [end.validation is None for end in ends] == [end.status == "diverged" for end in ends]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.sampled(7)
def test_so_it_is_on_every_kernel(case: str, tmp_path: Path) -> None:
    settings, changes = CASES[case]
    run = run_of(tmp_path, **settings)
    last = run.document["steps"]
    check(run, 0, changes, 10)
    check(run, last // 2 + 1, changes, 30)
    if "orders" not in case:  # another order begins a new epoch, and there the last has begun
        check(run, last - 3, changes, 200)  # to the end that is planned


def test_of_a_network_of_ones_own(tmp_path: Path) -> None:
    run = api.fit("wine", Own(), parent=tmp_path, lean=True, epochs=8)
    check(run, 13, [{"lr": 0.05}, {}, {"weight_decay": 0.3}], 12)


def test_the_last_weights_and_the_validation_are_the_branchs(tmp_path: Path) -> None:
    run = run_of(tmp_path, features=["alcohol", "color_intensity"])
    moment = run.at(30)
    x_ND = moment.data.validation.x
    changes = [{"lr": 0.02}, {"weight_decay": 0.2}, {}]
    events = list(futures(moment, changes, 21, x_ND=x_ND))
    branch = moment.branch(lr=0.02)
    after = branch.at(51)
    (end,) = [event for event in events if isinstance(event, FutureEnd) and event.future == 0]
    assert (end.step, end.status) == (51, "running")
    theirs = after.net.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in end.net.state_dict().items())
    assert end.outputs_NC is not None
    np.testing.assert_allclose(end.outputs_NC, outputs(after.net, x_ND).numpy(), atol=1e-5)
    slices = [event for event in events if isinstance(event, FutureSteps)]
    measured = {step: figures for each in slices for step, figures in each.evaluations}
    rows = moment.data.validation
    for step, figures in measured.items():
        loss = nn.functional.cross_entropy(branch.at(step).net(rows.x), rows.y)
        assert figures["loss"][0] == pytest.approx(loss.item(), rel=1e-5)
    assert sorted(measured) == [30, 40, 51]
    assert end.validation == pytest.approx(np.mean([measured[s]["loss"][0] for s in (40, 51)]))


def test_slices_change_no_bit(tmp_path: Path) -> None:
    moment = run_of(tmp_path, dropout=0.2, optimizer="sgd", lr=0.1).at(7)
    changes = [{"lr": lr} for lr in (1e-3, 1e-2, 1e6)]
    whole, ends = curves(futures(moment, changes, 30, slice_seconds=60), 3)
    cut, same = curves(futures(moment, changes, 30, slice_seconds=0), 3)
    for a, b in zip(whole, cut, strict=True):
        same_bits(a, b)
    for a, b in zip(ends, same, strict=True):
        assert (a.step, a.status, a.validation) == (b.step, b.status, b.validation)
        assert (a.status == "diverged") == (a.future == 2)
        assert all(torch.equal(t, b.net.state_dict()[name]) for name, t in a.net.state_dict().items())


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}


def test_what_is_left_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path, dropout=0.2)
    moment = run.at(30)
    before, threads, state = files(tmp_path), torch.get_num_threads(), torch.get_rng_state()
    stream: Iterator[Any] = futures(moment, usual_futures(moment, "lr", 4), 40, slice_seconds=0)
    first = list(islice(stream, 5))
    stream.close()
    assert [event.first for event in first] == [30, 30, 31, 32, 33]
    assert files(tmp_path) == before
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(run.at(30).net.state_dict()["0.weight"], moment.net.state_dict()["0.weight"])


@pytest.mark.slow
def test_the_usual_seeds_and_batch_sizes(tmp_path: Path) -> None:
    moment = run_of(tmp_path).at(40)
    assert usual_futures(moment, "seed", 3) == [{}, {"seed": 4}, {"seed": 5}]
    sizes = [change["batch_size"] for change in usual_futures(moment, "batch_size")]
    assert sizes == [1, 2, 4, 8, 16, 32, 64, "full"]
    sizes = [change["batch_size"] for change in usual_futures(moment, "batch_size", 3)]
    assert sizes == [16, 32, 64]
    moment = run_of(tmp_path, batch_norm=True).at(40)  # of 124 rows
    changes = usual_futures(moment, "batch_size")
    assert 1 not in [change["batch_size"] for change in changes]
    assert len(curves(futures(moment, changes, 3), len(changes))[1]) == len(changes)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ([{"lr": 0.1}, {"normalise": False}], "branch_setting"),
        ([{"lr": 0.1}, {"lr": -1}], "lr_range"),
        ([{"name": "other"}], "branch_setting"),
        ([], "futures_count"),
    ],
)
def test_what_can_not_be_a_future(changes: list[dict[str, Any]], rule: str, tmp_path: Path) -> None:
    moment = run_of(tmp_path, epochs=2).at(3)
    refused = refusal_of(futures, moment, changes, 10)
    assert refused.rule == rule


def test_more_than_memory_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = run_of(tmp_path, epochs=2).at(3)
    parameters = sum(p.numel() for p in moment.net.parameters())
    memory = SimpleNamespace(total=parameters * 4 * 6 * 10, available=2**40)  # room for ten
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    assert list(futures(moment, [{}] * 10, 1))
    assert refusal_of(futures, moment, [{}] * 11, 1).rule == "net_too_large"
