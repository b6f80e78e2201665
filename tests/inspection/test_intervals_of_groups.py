"""Intervals of rows in groups: they draw whole groups, and hold what rows of new groups give."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import treino
from treino.base.resampling import effective_rows
from treino.engine.losses import Loss
from treino.folders.prediction import predict
from treino.inspection.intervals import intervals, paired_classes, paired_errors, weighted_accuracy

GROUPS, ROWS = 30, 10


def truths(rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Errors, whether a row is right, and groups; rows of a group share most of their error."""
    group_N = np.repeat(np.arange(GROUPS), ROWS)
    error_N = rng.normal(size=GROUPS)[group_N] + 0.3 * rng.normal(size=len(group_N))
    right_N = rng.random(len(group_N)) < np.clip(rng.normal(0.7, 0.3, GROUPS), 0, 1)[group_N]
    return torch.tensor(error_N)[:, None].float(), torch.tensor(right_N), torch.tensor(group_N)


@pytest.mark.slow
def test_as_many_intervals_as_promised_hold_what_new_groups_give() -> None:
    rng, zero = np.random.default_rng(0), torch.zeros(GROUPS * ROWS, 1)
    many_N = np.clip(rng.normal(0.7, 0.3, 10**6), 0, 1)
    expected = {"rmse": float(np.sqrt(1 + 0.09)), "accuracy": float(many_N.mean())}
    held, alone, draws = dict.fromkeys(expected, 0), dict.fromkeys(expected, 0), 120
    for _draw in range(draws):
        error, right, group = truths(rng)
        for of, counted in ((group, held), (None, alone)):
            low, high = intervals(error, zero, Loss("mse"), group=of)["rmse"] or (0.0, 0.0)
            counted["rmse"] += low <= expected["rmse"] <= high
            low, high = weighted_accuracy(right.numpy(), None, of)[1]
            counted["accuracy"] += low <= expected["accuracy"] <= high
    for name in expected:  # of 95 %; below 87 % by chance in one of a thousand
        assert held[name] >= 0.87 * draws, (name, held[name] / draws)
        assert alone[name] < 0.8 * draws, "rows drawn alone promise too much"


def test_groups_of_one_row_and_no_groups_change_nothing() -> None:
    rng = np.random.default_rng(1)
    z, y = torch.tensor(rng.normal(size=(60, 3))), torch.tensor(rng.integers(0, 3, 60))
    loss = Loss("cross_entropy")
    assert intervals(z, y, loss, group=torch.arange(60)) == intervals(z, y, loss)
    assert effective_rows(np.ones(60)) == 60


def test_copies_of_rows_count_once() -> None:
    """Each row five times, by groups: as wide as the rows alone are, and not as five times as many."""
    rng = np.random.default_rng(2)
    z, y = torch.tensor(rng.normal(size=(80, 2))), torch.tensor(rng.integers(0, 2, 80))
    loss, five = Loss("cross_entropy"), torch.arange(80).repeat_interleave(5)
    plain, copies = intervals(z, y, loss), intervals(z[five], y[five], loss, group=five)
    for name in ("loss", "accuracy", "f1_macro", "auc"):
        (a, b), (c, d) = plain[name] or (0.0, 0.0), copies[name] or (0.0, 0.0)
        assert d - c == pytest.approx(b - a, rel=0.25), name
    right_N = np.ones(400, dtype=bool)
    assert weighted_accuracy(right_N, None, five)[1] == weighted_accuracy(right_N[:80], None)[1]


def test_two_networks_are_compared_by_groups() -> None:
    rng = np.random.default_rng(4)
    a_N, group_N = rng.choice([-1.0, 1.0], 200), np.repeat(np.arange(20), 10)
    b_N = a_N * (1 + 0.5 * rng.normal(size=20))[group_N]
    rows, groups = (paired_errors(a_N, b_N, group_N=of) for of in (None, group_N))
    assert rows.interval is not None
    assert groups.interval is not None
    assert np.ptp(groups.interval) > 2 * np.ptp(rows.interval)
    better = rng.random(20) < 0.7  # the groups in which only the second is right
    right_b_N = better[group_N]
    assert paired_classes(~right_b_N, right_b_N, group_N=group_N).p > paired_classes(~right_b_N, right_b_N).p


def test_a_run_that_is_split_by_groups_draws_groups(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(60), 12)
    x = rng.normal(size=(len(who), 2))
    table = pd.DataFrame(
        {"a": x[:, 0], "b": x[:, 1], "who": who, "y": x[:, 0] + 3 * rng.normal(size=60)[who]}
    )
    how = {"target": "y", "recipe": "plain", "epochs": 2, "parent": tmp_path, "test": 0.3}
    run = treino.fit(table, split_group="who", **how)
    group = run.data.test.group
    assert group is not None
    assert len(group.unique()) == 18
    result = run.result
    assert result is not None
    low, high = result.intervals.test["rmse"]
    own = run.data.test
    out = run.module(own.x).detach()
    rows = intervals(out, own.y, Loss("mse"), run.data.target_scale)["rmse"]
    assert rows is not None
    assert high - low > 1.5 * (rows[1] - rows[0])
    copies = pd.concat([table.drop(columns="who")[:200]] * 3)
    data = treino.load(copies, target="y")
    assert data.test.group is not None
    assert len(data.test.group.unique()) * 3 == len(data.test)
    assert data.train.group is None


def people(seed: int, each: int = 12) -> pd.DataFrame:
    """Rows of 60 persons, whose errors are alike; numbers and a class to learn."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(60), each)
    x, own = rng.normal(size=(len(who), 2)), 3 * rng.normal(size=60)[who]
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "who": who, "y": x[:, 0] + own})
    return frame.assign(k=np.where(frame["y"] > 0, "high", "low"))


def width(of: tuple[float, float] | None) -> float:
    assert of is not None
    return of[1] - of[0]


@pytest.mark.slow
@pytest.mark.parametrize(("target", "name"), [("y", "prediction_intervals"), ("k", "prediction_sets")])
def test_what_is_said_of_intervals_counts_groups_at_every_door(
    tmp_path: Path, target: str, name: str
) -> None:
    """The ± of a run, of folds and of predictions, and the share that new rows hold."""
    how = {"target": target, "recipe": "plain", "epochs": 2, "parent": tmp_path, "coverage": 0.8}
    table = people(0).drop(columns={"y": "k", "k": "y"}[target])
    grouped, alone = (treino.fit(table, **how, **of) for of in ({"split_group": "who"}, {"features": "a,b"}))
    of_groups, of_rows = (run.document[name] for run in (grouped, alone))
    assert of_groups["spread"] > 1.5 * of_rows["spread"]
    new = people(1).drop(columns={"y": "k", "k": "y"}[target])
    from_groups, from_rows = (predict(run, new).coverage[""] for run in (grouped, alone))
    assert from_groups.spread == of_groups["spread"]
    assert width(from_groups.interval) > 1.5 * width(from_rows.interval)
    lacking = predict(grouped, new.drop(columns="who")).coverage[""]
    assert (lacking.share, lacking.interval) == (None, None)  # it isn't known for how many rows they count


def test_copies_among_new_rows_count_once(tmp_path: Path) -> None:
    run = treino.fit(people(0, 4).drop(columns=["who", "k"]), target="y", epochs=2, parent=tmp_path)
    new = people(1, 2)
    once, often = (predict(run, rows).coverage[""] for rows in (new, pd.concat([new] * 5)))
    assert (once.share, often.compared) == (often.share, 5 * once.compared)
    assert often.interval == pytest.approx(once.interval, abs=0.02)


def test_folds_and_studies_count_groups(tmp_path: Path) -> None:
    how = {"target": "k", "recipe": "plain", "epochs": 1, "hidden": [4], "parent": tmp_path}
    groups, rows = ({"split_group": "who"}, {"features": "a,b"})
    table = people(0, 4).drop(columns="y")
    studies = [treino.study(table, batch_sizes=[32], **how, **of).rows[0] for of in (groups, rows)]
    assert width(studies[0]["accuracy_interval"]) > 1.5 * width(studies[1]["accuracy_interval"])
    table = table.drop(columns="who")
    folds = [treino.fit(of, folds=3, **how) for of in (table, pd.concat([table] * 4))]
    once, often = (predict(sweep.answer, people(1, 4), coverage=0.8).coverage[""] for sweep in folds)
    assert (once.rows, often.rows) == (240, 960)
    assert often.spread == pytest.approx(once.spread, rel=0.2)
