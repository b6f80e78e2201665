"""Intervals against scipy, against recomputing every metric on the drawn rows, and by their coverage."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, stdtrit
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from treino.engine.losses import Loss
from treino.engine.metrics import measure
from treino.inspection import intervals as module
from treino.inspection.intervals import intervals, tail_of, wilson


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(counted: tuple[int, int]) -> None:
    right, rows = counted
    theirs = binomtest(right, rows).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson(right, rows), (theirs.low, theirs.high), atol=1e-12)
    assert 0 <= wilson(right, rows)[0] <= right / rows <= wilson(right, rows)[1] <= 1


def classes(rows: int, count: int, seed: int = 0, ties: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    y = torch.randint(0, count, (rows,), generator=random)
    z = torch.randn(rows, count, generator=random) + 1.5 * torch.nn.functional.one_hot(y, count)
    return (z.round() if ties else z), y


LOSSES = [
    (Loss("cross_entropy"), 3),
    (Loss("cross_entropy", label_smoothing=0.1, class_weights=(1.0, 3.0, 0.0)), 3),
    (Loss("cross_entropy", softmax_first=True), 2),
    (Loss("cross_entropy", class_weights=(1.0, 2.0), softmax_first=True), 2),
    (Loss("bce"), 1),
    (Loss("mse"), 0),
    (Loss("l1"), 0),
    (Loss("huber"), 0),
]


@pytest.mark.parametrize(("loss", "outputs"), LOSSES, ids=[str(k) for k in range(len(LOSSES))])
@pytest.mark.parametrize(("ties", "weighted"), [(False, False), (True, False), (True, True)])
def test_every_draw_is_the_metric_on_the_drawn_rows(
    loss: Loss, outputs: int, ties: bool, weighted: bool
) -> None:
    rows, scale = 23, 4.0
    if outputs:
        z, y = classes(rows, max(2, outputs), ties=ties)
        z = z[:, 1:] - z[:, :1] if outputs == 1 else z
    else:
        y, z = torch.randn(2, rows, 1, generator=torch.Generator().manual_seed(3)) + 5
    weight = torch.rand(rows, generator=torch.Generator().manual_seed(4)) * 4 if weighted else None
    names = list(measure(z[None], y, loss, scale))
    draws = module._draws(module._Sample(z, y, loss, scale, weight, None), names, seed=3)
    # The rows are drawn in order of score where there is an AUC, for its sake.
    order = torch.arange(rows)
    if "auc" in names:
        d = z.double()
        order = torch.argsort(d[:, 1] - d[:, 0] if z.shape[1] == 2 else d[:, 0])
    places = np.random.default_rng(3).integers(rows, size=(25, rows))
    for b in range(25):
        drawn = order[torch.from_numpy(places[b])]
        expected = measure(z[drawn][None], y[drawn], loss, scale, None if weight is None else weight[drawn])
        for name in set(names) - {"accuracy", "f1_macro"}:
            assert draws[name][b] == pytest.approx(float(expected[name][0]), rel=1e-9, nan_ok=True), name


@pytest.mark.parametrize("count", [2, 5])
def test_f1_draws_are_distributed_as_by_a_plain_loop(count: int) -> None:
    z, y = classes(40, count, seed=1)
    sample = module._Sample(z, y, Loss("cross_entropy"), 1.0, None, None)
    draws = module._draws(sample, ["f1_macro"], 0)["f1_macro"]
    said, random = z.argmax(1).numpy(), np.random.RandomState(5)
    plain = []
    for _draw in range(200):
        k = random.randint(0, 40, 40)
        plain.append(f1_score(y.numpy()[k], said[k], average="macro"))
    assert draws.mean() == pytest.approx(np.mean(plain), abs=0.02)
    assert draws.std() == pytest.approx(np.std(plain), rel=0.2)


def test_the_figure_lies_inside_and_accuracy_is_wilsons() -> None:
    z, y = classes(60, 3)
    loss = Loss("cross_entropy")
    found, measured = intervals(z, y, loss), measure(z[None], y, loss)
    assert set(found) == {"loss", "accuracy", "f1_macro"}
    for name, interval in found.items():
        assert interval[0] < float(measured[name][0]) < interval[1]
    assert found["accuracy"] == wilson(int((z.argmax(1) == y).sum()), 60)
    assert found == intervals(z, y, loss)
    assert found != intervals(z, y, loss, seed=1)


@given(st.one_of(st.integers(2, 40), st.integers(2, 10**7)))
def test_the_tail_is_scipys(rows: int) -> None:
    wanted = ndtr(math.sqrt(rows / (rows - 1)) * stdtrit(rows - 1, 0.025))
    assert tail_of(rows) == pytest.approx(wanted, rel=1e-12 if rows < 40 else 1e-7)


def test_few_rows() -> None:
    loss = Loss("cross_entropy")
    assert intervals(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), loss) == {}
    one = intervals(torch.tensor([[2.0, 0.0]]), torch.tensor([0]), loss)
    assert one == {"loss": None, "accuracy": wilson(1, 1), "f1_macro": None, "auc": None}
    alone = intervals(torch.tensor([[1.0]]), torch.tensor([[0.5]]), Loss("mse"))
    assert alone == dict.fromkeys(("loss", "rmse", "mae", "r2"))
    two = intervals(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [0.0]]), Loss("mse"))
    assert all(math.isfinite(end) for pair in two.values() if pair for end in pair)


@given(rows=st.integers(1, 12), seed=st.integers(0, 99), alike=st.booleans(), outputs=st.integers(1, 3))
def test_no_interval_is_a_point(rows: int, seed: int, alike: bool, outputs: int) -> None:
    """Rows that are all alike say nothing of how much a figure varies, and one row is alike with itself."""
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(max(2, outputs), (rows,), generator=g)
    z = 2.0 * torch.nn.functional.one_hot(y, max(2, outputs)).float()  # all right, all of one loss
    z = z if alike else z + torch.randn(z.shape, generator=g)
    loss = Loss("cross_entropy")
    if outputs == 1:
        loss, z = Loss("bce"), z[:, 1:] - z[:, :1]
    found = intervals(z, y, loss)
    assert all(low < high for low, high in filter(None, found.values()))
    assert found["accuracy"] is not None
    if alike:
        assert (found["loss"], found["f1_macro"]) == (None, None)


def test_what_is_not_finite_has_no_interval() -> None:
    z, y = classes(20, 2)
    z[3, 0] = math.nan
    found = intervals(z, y, Loss("cross_entropy"))
    assert found == dict.fromkeys(("loss", "accuracy", "f1_macro", "auc"))


@pytest.mark.parametrize(
    ("rows", "least"),
    [
        pytest.param(12, 0.84, marks=pytest.mark.slow),
        pytest.param(30, 0.90, marks=pytest.mark.release),
        pytest.param(150, 0.92, marks=pytest.mark.release),
    ],
)
def test_coverage(rows: int, least: float) -> None:
    """Of many test sets, 95 % hold the true figure: E|e| = √(2/π), RMSE 1, accuracy 0.85."""
    random = torch.Generator().manual_seed(0)
    trials, hits = 500, {"mae": 0, "rmse": 0, "accuracy": 0}
    for _trial in range(trials):
        error = torch.randn(rows, 1, generator=random)
        y = torch.randn(rows, 1, generator=random) * 3
        found = intervals(y + error, y, Loss("mse"))
        label = torch.randint(0, 2, (rows,), generator=random)
        right = torch.rand(rows, generator=random) < 0.85
        z = torch.nn.functional.one_hot(torch.where(right, label, 1 - label), 2).float()
        found["accuracy"] = intervals(z, label, Loss("cross_entropy"))["accuracy"]
        for name, true in (("mae", math.sqrt(2 / math.pi)), ("rmse", 1.0), ("accuracy", 0.85)):
            hits[name] += found[name][0] <= true <= found[name][1]
    for name, count in hits.items():
        assert least <= count / trials <= 0.985, (name, count / trials)


def test_equal_weights_are_none_and_one_heavy_row_widens_the_interval() -> None:
    z, y = classes(80, 2)
    plain = intervals(z, y, Loss("cross_entropy"))
    alike = intervals(z, y, Loss("cross_entropy"), weight=torch.full((len(y),), 0.3))
    for name in ("loss", "accuracy", "auc"):
        assert alike[name] == pytest.approx(plain[name], rel=1e-3 if name == "accuracy" else 1e-9)
    assert alike["f1_macro"] == pytest.approx(plain["f1_macro"], abs=0.02)
    heavy = torch.ones(len(y))
    heavy[0] = len(y)
    low, high = intervals(z, y, Loss("cross_entropy"), weight=heavy)["accuracy"]
    assert high - low > 2 * (plain["accuracy"][1] - plain["accuracy"][0])
