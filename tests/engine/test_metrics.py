"""Metrics are scikit-learn's."""

import math
import warnings

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from treino.engine import Loss, measure
from treino.engine.metrics import METRICS, batch_deviation, metric_names

LOOSE = {
    "suppress_health_check": list(HealthCheck),
    "derandomize": True,
    "max_examples": 12,
}


@settings(**LOOSE)
@given(rows=st.integers(1, 9), outputs=st.integers(1, 4), row=st.integers(0, 8), everywhere=st.booleans())
def test_what_has_no_answer_has_no_figure(rows, outputs, row, everywhere):
    """argmax of NaN is a class, and comparing with NaN is false, so a row of NaN would count as class 0."""
    output_RNC = torch.randn(3, rows, outputs, generator=torch.Generator().manual_seed(rows))
    y = torch.zeros(rows, dtype=torch.int64)
    loss = "bce" if outputs == 1 else "cross_entropy"
    whole = measure(output_RNC, y, loss)
    output_RNC[1, slice(None) if everywhere else row % rows] = math.nan
    found = measure(output_RNC, y, loss)
    for name, value_R in found.items():
        assert math.isnan(value_R[1]), name
        assert value_R[::2].equal(whole[name][::2]) or value_R.isnan().all(), name


@settings(**LOOSE)
@given(rows=st.integers(1, 40), seed=st.integers(0, 999), ties=st.booleans())
def test_one_logit(rows, seed, ties):
    g = torch.Generator().manual_seed(seed)
    z_RN1 = torch.randn(2, rows, 1, generator=g)
    z_RN1 = z_RN1.round() if ties else z_RN1
    y = torch.randint(2, (rows,), generator=g)
    found = measure(z_RN1, y, "bce")
    for r, z_N in enumerate(z_RN1[..., 0].double()):
        assert found["accuracy"][r] == sk.accuracy_score(y, z_N > 0)
        assert found["f1_macro"][r] == pytest.approx(
            sk.f1_score(y, z_N > 0, average="macro", zero_division=0)
        )
        assert found["loss"][r] == pytest.approx(sk.log_loss(y, z_N.sigmoid(), labels=[0, 1]), rel=1e-9)
        if len(y.unique()) == 2:
            assert found["auc"][r] == pytest.approx(sk.roc_auc_score(y, z_N))


@settings(**LOOSE)
@given(
    rows=st.integers(1, 40),
    seed=st.integers(0, 999),
    targets=st.integers(1, 2),
    scale=st.floats(0.01, 100),
    constant=st.booleans(),
)
def test_regression(rows, seed, targets, scale, constant):
    g = torch.Generator().manual_seed(seed)
    output_RNK, y = torch.randn(2, rows, targets, generator=g), torch.randn(rows, targets, generator=g)
    y = torch.ones_like(y) if constant else y
    for name in ("mse", "l1", "huber"):
        found = measure(output_RNK, y, name, scale)
        in_unit = {"rmse", "mae"} if targets == 1 else set()  # targets have a unit each
        assert set(found) == {"loss", "r2"} | in_unit
        for r, output_NK in enumerate(output_RNK.double()):
            true, guess = y.double().numpy() * scale, output_NK.numpy() * scale
            if in_unit:
                assert found["rmse"][r] == pytest.approx(sk.root_mean_squared_error(true, guess))
                assert found["mae"][r] == pytest.approx(sk.mean_absolute_error(true, guess))
            if name == "mse":
                assert found["loss"][r] == pytest.approx(sk.mean_squared_error(y.double(), output_NK))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn warns of a single row
                r2 = sk.r2_score(y.double().numpy(), output_NK.numpy())
            assert found["r2"][r] == pytest.approx(r2, nan_ok=True, rel=1e-6)


def test_perfect_on_a_constant_target_is_one_as_in_scikit_learn():
    y = torch.ones(5, 1)
    assert measure(y[None], y, "mse")["r2"].item() == sk.r2_score(y, y) == 1.0


def test_no_rows_no_figures():
    assert measure(torch.zeros(2, 0, 3), torch.zeros(0, dtype=torch.int64)) == {}


def test_smoothing_and_weights_count_in_the_loss():
    loss = Loss("cross_entropy", label_smoothing=0.1, class_weights=(1.0, 2.0, 3.0))
    z, y = torch.randn(9, 3), torch.tensor([0, 1, 2] * 3)
    weight = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    wanted = torch.nn.functional.cross_entropy(z.double(), y, weight=weight, label_smoothing=0.1)
    assert measure(z[None], y, loss)["loss"].item() == pytest.approx(wanted.item(), rel=1e-12)


def test_every_metric_knows_which_way_is_better():
    every = {n for loss in ("cross_entropy", "bce") for n in metric_names(Loss(loss), 2)}
    every |= set(metric_names(Loss("mse"), 1))
    assert every == set(METRICS)
    assert {metric.better for metric in METRICS.values()} == {1, -1}


@pytest.mark.parametrize("weights", [None, (1.0, 4.0)])
def test_the_deviation_over_batches_is_that_of_batches_drawn(weights):
    generator = torch.Generator().manual_seed(3)
    output_NC = torch.randn(60, 2, generator=generator)
    y_N = torch.randint(2, (60,), generator=generator)
    drawn_KB = torch.randint(60, (3000, 50), generator=generator)
    weight_C = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    each_KB = torch.nn.functional.cross_entropy(
        output_NC.double()[drawn_KB].mT, y_N[drawn_KB], weight_C, reduction="none"
    )
    total_K = 50 if weight_C is None else weight_C[y_N[drawn_KB]].sum(1)
    oracle = float((each_KB.sum(1) / total_K).std())
    loss = Loss("cross_entropy", class_weights=weights)
    assert batch_deviation(output_NC, y_N, loss, 50) == pytest.approx(oracle, rel=0.05)
    whole = batch_deviation(output_NC, y_N, loss, None)  # and a batch is never larger than all rows
    assert whole == batch_deviation(output_NC, y_N, loss, 900) < batch_deviation(output_NC, y_N, loss, 50)
    assert math.isnan(batch_deviation(output_NC[:1], y_N[:1], loss, 50))


# ---- rows with weights


@settings(**LOOSE)
@given(
    rows=st.integers(2, 50),
    classes=st.integers(2, 5),
    seed=st.integers(0, 999),
    ties=st.booleans(),
    own=st.booleans(),
)
def test_figures_of_weighted_classes_are_scikit_learns(rows, classes, seed, ties, own):
    g = torch.Generator().manual_seed(seed)
    output_RNC = torch.randn(3, rows, classes, generator=g)
    if ties:
        output_RNC = output_RNC.round()
    y = torch.randint(classes, (rows,), generator=g)
    weight_RN = torch.rand(3 if own else 1, rows, generator=g) * 9 + 0.01
    found = measure(output_RNC, y, weight=weight_RN if own else weight_RN[0])
    assert set(found) == set(metric_names(Loss("cross_entropy"), classes))
    for r, output_NC in enumerate(output_RNC.double()):
        guess, of = output_NC.argmax(1), {"sample_weight": weight_RN[r if own else 0].double()}
        assert found["accuracy"][r] == pytest.approx(sk.accuracy_score(y, guess, **of))
        f1 = sk.f1_score(y, guess, average="macro", zero_division=0, **of)
        assert found["f1_macro"][r] == pytest.approx(f1)
        loss = sk.log_loss(y, output_NC.softmax(1), labels=range(classes), **of)
        assert found["loss"][r] == pytest.approx(loss, rel=1e-9)
        if classes == 2 and len(y.unique()) == 2:
            area = sk.roc_auc_score(y, output_NC[:, 1] - output_NC[:, 0], **of)
            assert found["auc"][r] == pytest.approx(area)


@settings(**LOOSE)
@given(seed=st.integers(0, 999), loss=st.sampled_from(["cross_entropy", "bce", "mse", "huber"]))
def test_a_row_that_weighs_two_is_two_rows_and_one_of_zero_is_none(seed, loss):
    g = torch.Generator().manual_seed(seed)
    weight_N = torch.randint(4, (30,), generator=g)
    output_RNC = torch.randn(2, 30, 1 if loss != "cross_entropy" else 2, generator=g)
    y = torch.randn(30, generator=g) if loss in ("mse", "huber") else torch.randint(2, (30,), generator=g)
    output_RNC[:, weight_N == 0] = math.nan
    repeated = measure(
        output_RNC.repeat_interleave(weight_N, 1), y.repeat_interleave(weight_N), loss, scale=2.0
    )
    found = measure(output_RNC, y, loss, scale=2.0, weight=weight_N)
    for name, value_R in repeated.items():
        assert found[name].tolist() == pytest.approx(value_R.tolist(), nan_ok=True), name


@settings(**LOOSE)
@given(
    seed=st.integers(0, 999),
    rows=st.sampled_from([1, 26, 20_001]),
    loss=st.sampled_from(["cross_entropy", "bce", "mse"]),
    weighted=st.booleans(),
)
def test_networks_on_rows_of_their_own_have_the_bits_of_each_alone(seed, rows, loss, weighted):
    g = torch.Generator().manual_seed(seed)
    numbers = loss == "mse"
    output_RNC = torch.randn(3, rows, 2 if loss == "cross_entropy" else 1, generator=g)
    y = torch.randn(3, rows, 1, generator=g) if numbers else torch.randint(2, (3, rows), generator=g)
    scale_R = torch.rand(3, generator=g, dtype=torch.float64)
    weight_RN = torch.rand(3, rows, generator=g) if weighted else None
    found = measure(output_RNC, y, loss, scale_R if numbers else 1.0, weight_RN)
    for r in range(3):
        own = None if weight_RN is None else weight_RN[r]
        alone = measure(output_RNC[r : r + 1], y[r], loss, float(scale_R[r]) if numbers else 1.0, own)
        for name, value_1 in alone.items():
            assert found[name][r : r + 1].nan_to_num(-9).equal(value_1.nan_to_num(-9)), name
