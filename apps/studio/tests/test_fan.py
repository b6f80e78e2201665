"""The fan as the page is sent it: curves that grow, no best before the end, boundaries of the networks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from apps.studio.tests.running import command
from treino import api
from treino.base.errors import TreinoError
from treino.inspection.boundary import boundary, sight
from treino.training import FanBoundaries, SmallPicture, usual_futures, with_remedy
from treino.training.branch import rewinding
from treino.training.futures import FutureEnd, fan, futures
from treino.training.replay import Snapshot, snapshots
from treino.training.stored_results import open_run
from treino.training.train import drain
from treino_studio.messages import ContinueRequest
from treino_studio.run_commands import adopt, branch, fan_out, play_control
from treino_studio.run_page import RunPage
from treino_studio.scene import boundary_parts


def moment(parent: Path, **settings: Any) -> Snapshot:
    asked = {"epochs": 20, "seed": 3, "hidden": [8], "features": ["alcohol", "color_intensity"]} | settings
    return api.fit("wine", parent=parent, lean=True, **asked).at(40)


def test_curves_grow_and_the_best_is_said_at_the_end(tmp_path: Path) -> None:
    start = moment(tmp_path, optimizer="sgd", lr=0.1)
    changes: list[dict[str, Any]] = [{"lr": 0.1}, {"lr": 1e6}, {"lr": 0.5}]
    messages = [json.loads(json.dumps(each, allow_nan=False)) for each in fan(7, "lr", start, changes, 40)]
    fans = [each["fan"] for each in messages]
    assert {key: fans[-1][key] for key in ("number", "kind", "step", "steps", "done", "split")} == {
        "number": 7, "kind": "lr", "step": 40, "steps": 40, "done": 40, "split": "validation",
    }  # fmt: skip
    assert all(one["best"] is None for one in fans[:-1])
    assert [one["done"] for one in fans] == sorted(one["done"] for one in fans)
    futures = fans[-1]["futures"]
    assert [f["text"] for f in futures] == ["lr 0.1", "lr 1e+06", "lr 0.5"]
    assert [f["changes"] for f in futures] == changes
    assert [f["status"] == "diverged" for f in futures] == [False, True, False]
    assert futures[1]["worth"] is None
    assert futures[0]["step"] == [40, 60, 80]
    worth = {i: float(np.mean(futures[i]["loss"][1:])) for i in (0, 2)}
    assert futures[0]["worth"] == pytest.approx(worth[0])
    assert fans[-1]["best"] == min(worth, key=lambda i: worth[i])
    loss = nn.functional.cross_entropy(start.net(start.data.validation.x), start.data.validation.y)
    assert [f["loss"][0] for f in futures] == pytest.approx([loss.item()] * 3, rel=1e-5)


def test_the_boundaries_are_those_of_the_big_picture(tmp_path: Path) -> None:
    start = moment(tmp_path)
    big = boundary(start.net, start.data, resolution=24)
    seen = sight(start.net, start.data)
    at_N2 = np.stack(np.meshgrid(big.x_R, big.y_R), axis=-1).reshape(-1, 2)  # type: ignore[union-attr]
    picture = SmallPicture("plane", seen.rows(at_N2), (24, 24))
    *_messages, last = fan(1, "lr", start, [{"lr": 1e-30}, {}], 5, picture)
    assert isinstance(last, FanBoundaries)
    assert last.header == {"fan": 1, "shows": "plane"}
    parts = dict(boundary_parts(last, start.data))
    assert parts["winner"].dtype == parts["margin"].dtype == np.uint8
    assert parts["winner"].shape == (2, 24, 24)
    np.testing.assert_array_equal(parts["winner"][0], big.winner_RR)  # type: ignore[union-attr]
    ordered = np.sort(big.probability_RRC, axis=2)  # type: ignore[union-attr]
    lead = np.sqrt(ordered[..., -1] - ordered[..., -2])
    np.testing.assert_allclose(parts["margin"][0], lead * 255, atol=0.6)


def test_without_validation_rows_the_training_losses_are_shown(tmp_path: Path) -> None:
    messages = list(fan(1, "seed", moment(tmp_path, validation=0), [{}, {"seed": 4}], 12))
    last = messages[-1]["fan"]  # type: ignore[index]
    assert last["split"] == "train"
    assert last["best"] is None
    assert [f["text"] for f in last["futures"]] == ["seed 3", "seed 4"]
    assert all(f["step"][-1] == 52 and f["loss"][-1] > 0 for f in last["futures"])


def test_a_regressions_boundaries_are_in_the_targets_units(tmp_path: Path) -> None:
    x = np.linspace(-2, 2, 60, dtype=np.float32)[:, None]
    start = api.fit((x, 100 + 50 * x[:, 0]), parent=tmp_path, lean=True, epochs=3, recipe="plain").at(4)
    rows = start.data.train.x[:7]
    *_messages, last = fan(1, "lr", start, [{"lr": 1e-30}], 2, SmallPicture("line", rows, (7,)))
    assert isinstance(last, FanBoundaries)
    with torch.no_grad():
        wanted = start.net(rows).numpy() * start.data.target_scale + start.data.target_mean
    np.testing.assert_allclose(dict(boundary_parts(last, start.data))["value"], wanted[None], rtol=1e-4)


@pytest.mark.slow
def test_long_curves_are_thinned_and_keep_their_ends(tmp_path: Path) -> None:
    start = moment(tmp_path, epochs=500)
    *_messages, last = fan(1, "lr", start, usual_futures(start, "lr", 2), 1450)
    for future in last["fan"]["futures"]:  # type: ignore[index]
        assert 30 <= len(future["step"]) <= 60
        assert future["step"][-1] == 1490


@pytest.mark.parametrize("settings", [{}, {"data_seed": 7}])
def test_futures_of_other_orders_differ_also_where_the_data_have_a_seed(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    snapshot = moment(tmp_path, **settings)
    *_, last = (
        m["fan"]
        for m in fan(1, "seed", snapshot, usual_futures(snapshot, "seed", 3), 12)
        if isinstance(m, dict)
    )
    assert len({tuple(future["loss"]) for future in last["futures"]}) == 3


def tried(start: Snapshot, rule: str, steps: int = 120) -> dict[str, Any]:
    """The newest message of a fan of two: as it is, and with what the finding of this rule asks for."""
    *_, last = (m for m in fan(1, "remedy", start, with_remedy(start, rule), steps) if isinstance(m, dict))
    return dict(json.loads(json.dumps(last, allow_nan=False))["fan"])


def test_what_a_finding_asks_for_is_tried_beside_the_run_as_it_is(tmp_path: Path) -> None:
    start = moment(tmp_path, optimizer="sgd", lr=3e-6, epochs=60)
    message = tried(start, "lr_too_low")
    assert [f["text"] for f in message["futures"]] == ["lr 3e-06", "lr 3e-05"]
    assert [f["changes"] for f in message["futures"]] == [{}, {"lr": 3e-5}]
    found, rows = message["comparison"], start.data.validation
    assert (found["metric"], found["rows"]) == ("loss", len(rows))
    for name, future in zip("ab", message["futures"], strict=True):
        assert found[name] == pytest.approx(future["loss"][-1], rel=1e-5)
    low, high = found["interval"]
    assert low < found["b"] - found["a"] < high < 0  # better, beyond the luck of these rows


def test_a_remedy_that_changes_nothing_on_these_rows_is_not_called_better(tmp_path: Path) -> None:
    start = moment(tmp_path, weight_decay=1e-12)
    found = tried(start, "weight_decay_too_high")["comparison"]
    assert (found["a"], found["interval"]) == (found["b"], None)


def test_a_training_that_is_over_goes_on_for_its_remedy(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=10, lr=1e-4)
    start = run.at(run.steps)
    plain, changed = with_remedy(start, "lr_too_low")
    assert (plain, changed) == ({"epochs": 20}, {"epochs": 20, "lr": 1e-3})
    message = tried(start, "lr_too_low", 20)
    assert [f["text"] for f in message["futures"]] == ["lr 0.0001", "lr 0.001"]
    assert all(f["step"][-1] == run.steps + 20 for f in message["futures"])


def test_of_a_future_that_diverges_there_is_no_comparison(tmp_path: Path) -> None:
    start = api.fit("wine", parent=tmp_path, lean=True, optimizer="sgd", lr=1e7, epochs=60).at(0)
    message = tried(start, "lr_too_high")
    assert [f["status"] == "diverged" for f in message["futures"]] == [True, False]
    assert message["comparison"] is None


def test_what_no_setting_mends_is_refused(tmp_path: Path) -> None:
    start = moment(tmp_path)
    for rule in ("unscaled_inputs", "dead_relu_of_nothing"):
        with pytest.raises(TreinoError, match="mends"):
            with_remedy(start, rule)


def fanned(page: RunPage, sent: list[dict[str, Any]], **asked: Any) -> dict[str, Any]:
    """The newest message of a fan that a page asks for."""
    fan_out(page, command("fan", **{"count": 3, "steps": 60, **asked}))
    while page.fan is not None:
        page.idle(0.0)
    return next(dict(each["fan"]) for each in reversed(sent) if "fan" in each)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faulty", "rule", "text"),
    [
        ({"fault": "missing_zero_grad", "optimizer": "sgd", "lr": 0.2}, "missing_zero_grad", "fault none"),
        ({"weight_decay": 3.0}, "weight_decay_too_high", "weight_decay 0.03"),
    ],
)
def test_what_a_finding_asks_for_is_compared_from_before_the_fault(
    faulty: dict[str, Any], rule: str, text: str, tmp_path: Path
) -> None:
    """Also long after: what the fault did to the weights is not charged to its remedy."""
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=40, patience=0, optimizer="sgd", lr=0.05)
    run.rewind(24, **faulty)
    sent: list[dict[str, Any]] = []
    page = RunPage("run", run.path, lambda message, _body: sent.append(message.send))
    page.viewers = 1
    page.open()
    page.tick()
    (state,) = (each["state"] for each in sent if "state" in each)
    found = next(each["remedy"] for each in state["findings"] if each["rule"] == rule)
    assert (found["text"], found["step"]) == (text, 24)
    message = fanned(page, sent, kind="remedy", rule=rule, step=found["step"])
    assert message["step"] == 24
    assert page.look.step is None  # what the page looks at stays
    plain, mended = message["futures"]
    assert plain["loss"][0] == mended["loss"][0]
    assert plain["status"] == "diverged" or mended["loss"][-1] < plain["loss"][-1]


@pytest.mark.parametrize(
    ("kind", "length"), [("lr", {"epochs": 90, "patience": 1, "lr": 0.5}), ("batch_size", {"epochs": 3})]
)
def test_futures_of_a_training_that_is_over_go_on_as_play_does(
    kind: str, length: dict[str, Any], tmp_path: Path
) -> None:
    """Also where its patience ended it: for as long again, as is said on the page."""
    run = api.fit("iris", parent=tmp_path, lean=True, **length)
    result, steps = run.result, run.steps
    assert result is not None
    assert result.stopped_early == ("patience" in length)
    twice = 2 * -(-steps // result.steps_per_epoch)
    sent: list[dict[str, Any]] = []
    page = RunPage("run", run.path, lambda message, _body: sent.append(message.send))
    page.viewers = 1
    message = fanned(page, sent, kind=kind)
    assert all(each["step"][-1] > steps and each["changes"]["epochs"] == twice for each in message["futures"])
    page.show_step(None)
    page.send_state()
    said = [m["state"]["length"] for m in sent if "state" in m]
    assert (said[-1]["over"], said[-1]["goes_on_to"]) == (True, twice)
    branched = branch(page, command("branch"))
    kept = adopt(page, command("adopt", future=1, **{"as": "segment"}))
    played = play_control(page, command("play"))
    for each in (branched, kept, played):
        assert isinstance(each, ContinueRequest)
        assert each.changes["epochs"] == twice
    (snapshot,) = snapshots(open_run(run.path), [steps])
    assert drain(rewinding(snapshot, kept.changes)).steps > steps


@pytest.mark.slow
def test_after_a_change_patience_begins_anew_and_futures_do_not_end_by_it(tmp_path: Path) -> None:
    run = api.fit("wine", parent=tmp_path, lean=True, lr=0.05, patience=5)
    result = run.result
    assert result is not None
    assert result.stopped_early
    start = run.at(result.steps - 4)
    assert start.branch().steps == result.steps  # nothing was changed
    count, best = start.plan.count, result.kept_step
    assert best is not None
    for changes in ({"weight_decay": 0.01}, {"schedule": "cosine"}, {"label_smoothing": 0.05}):
        changed = start.branch(**changes).result
        assert changed is not None
        begun = max(count.epoch_of(changed.kept_step or 0), count.epoch_of(start.step))
        assert count.epoch_of(changed.steps) >= begun + 5
    ends = [e for e in futures(start, [{}, {"lr": 0.1}], 200) if isinstance(e, FutureEnd)]
    assert [(end.step, end.status) for end in ends] == [(start.step + 200, "running")] * 2
