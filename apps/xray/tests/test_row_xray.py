"""The x-ray of rows beside counting by hand, cleanlab, gradients by autograd, and really training again."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from treino.base.errors import TreinoError
from treino.data import load
from treino_xray import row_xray
from treino_xray.row_influence import estimates, influence, measured
from treino_xray.row_xray import ALL, RowXray, confident_classes, xray

NETWORKS = 24


def swapped(n: int = 240, swaps: int = 16, seed: int = 0) -> tuple[pd.DataFrame, set[int]]:
    """Three classes by two numbers, of which some are named wrongly; the rows of these."""
    r = np.random.default_rng(seed)
    centre = np.repeat(np.arange(3), n // 3)
    label = np.array(["red", "green", "blue"])[centre]
    x = np.c_[np.cos(centre * 2.1), np.sin(centre * 2.1)] * 2 + r.normal(0, 0.6, (n, 2))
    wrong = r.choice(n, swaps, replace=False)
    label[wrong] = np.array(["red", "green", "blue"])[(centre[wrong] + 1) % 3]
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "colour": label})
    return frame, set(wrong.tolist())


@pytest.fixture(scope="module")
def colours() -> tuple[RowXray, set[int]]:
    frame, wrong = swapped()
    return xray(load(frame, target="colour", validation=0.2, test=0.0), networks=NETWORKS), wrong


@pytest.fixture(scope="module")
def diabetes_rows() -> RowXray:
    return xray(load("diabetes"), networks=NETWORKS)


def outputs(x: RowXray) -> NDArray[np.float64]:
    """``[P, M, C]``: by each network alone, as a plain module."""
    halves = x.halves
    answers = []
    for p in range(x.networks):
        weights = halves.population.layout.named(halves.population.params)
        hidden, hidden_bias, out, out_bias = (w[p].double() for w in weights.values())
        z = (x.x_MD.double() @ hidden.T + hidden_bias).relu() @ out.T + out_bias
        answers.append(z.numpy())
    return np.stack(answers)


def test_the_figures_of_classes_are_counts_over_the_networks_that_did_not_see_a_row(
    colours: tuple[RowXray, set[int]],
) -> None:
    x, _wrong = colours
    logits = outputs(x)
    share = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    learned = len(x.halves.x_ND)
    for m in range(len(x)):
        unseen = [p for p in range(x.networks) if m >= learned or not x.halves.seen_PN[p, m]]
        seen = [p for p in range(x.networks) if p not in unseen]
        mean = np.mean([share[p, m] for p in unseen], axis=0)
        label = int(x.label_M[m])
        assert x.unseen_M[m] == len(unseen)
        assert x.answer_M[m] == mean.argmax()
        assert x.sure_M[m] == pytest.approx(mean.max(), rel=1e-4)
        assert x.own_M[m] == pytest.approx(mean[label], rel=1e-4, abs=1e-6)
        assert x.disagreement_M[m] == pytest.approx(np.mean([share[p, m].argmax() != label for p in unseen]))
        if seen:
            there = np.mean([share[p, m].argmax() != label for p in seen])
            assert x.seen_disagreement_M[m] == pytest.approx(there)
            assert x.hard_M[m] == (there > 0.5)
        else:
            assert np.isnan(x.seen_disagreement_M[m])
            assert ALL[x.split_M[m]] != "train"


def test_the_figures_of_numbers_are_distances_in_the_networks_own_spread(diabetes_rows: RowXray) -> None:
    x, data = diabetes_rows, diabetes_rows.data
    value = outputs(x)[:, :, 0] * data.target_scale + data.target_mean
    learned = len(x.halves.x_ND)
    seen_PN = x.halves.seen_PN.numpy()
    means = np.array([value[~seen_PN[:, n], n].mean() for n in range(learned)])
    spreads = np.array([value[~seen_PN[:, n], n].std() for n in range(learned)])
    off = (x.label_M[:learned] - means) / (spreads + spreads.mean())
    np.testing.assert_allclose(x.answer_M[:learned], means, rtol=1e-4)
    np.testing.assert_allclose(x.spread_M[:learned], spreads, rtol=1e-3)
    np.testing.assert_allclose(
        x.disagreement_M[:learned], off / (1.4826 * np.median(np.abs(off))), rtol=1e-3, atol=1e-3
    )


def test_planted_labels_are_suspected_with_the_label_that_they_had(colours: tuple[RowXray, set[int]]) -> None:
    x, wrong = colours
    suspects = x.index_M[x.suspects].tolist()
    assert len(wrong & set(suspects)) >= 0.8 * len(wrong)
    assert len(wrong & set(suspects)) >= 0.8 * len(suspects)
    before = {"green": "red", "blue": "green", "red": "blue"}
    for row in wrong & set(suspects):
        place = x.place(row)
        assert x["suggested"][place] == before[x["label"][place]]


def test_a_suspect_is_one_of_the_confident_joint_s(colours: tuple[RowXray, set[int]]) -> None:
    count = pytest.importorskip("cleanlab.count", reason="needs cleanlab")
    r = np.random.default_rng(1)
    share = r.dirichlet([1, 1, 2], 200)
    label = np.array([r.choice(3, p=0.7 * p + 0.1) for p in share])
    _joint, off = count.compute_confident_joint(
        label, share, calibrate=False, return_indices_of_off_diagonals=True
    )
    sure = confident_classes(share, label, len(label))
    assert set(off) == set(np.flatnonzero((sure >= 0) & (sure != label)).tolist())


@pytest.mark.parametrize("of", ["classes", "numbers"])
def test_the_estimate_orders_rows_as_training_without_each_of_them_does(
    of: str, colours: tuple[RowXray, set[int]], diabetes_rows: RowXray
) -> None:
    x = colours[0] if of == "classes" else diabetes_rows
    place = len(x.halves.x_ND)  # a validation row
    answer = int(x.answer_M[place]) if of == "classes" else None
    answer_1 = None if answer is None else torch.tensor([answer])
    (estimate_N,) = estimates(x.halves, x.x_MD[place][None], answer_1)
    order_N = np.argsort(-np.abs(estimate_N))
    rows = np.r_[order_N[:25], np.random.default_rng(0).choice(order_N[25:], 25, replace=False)]
    value_GS = measured(x.halves, x.x_MD[place], answer, rows, place, 8)
    effect_K = (value_GS[:1] - value_GS[1:]).mean(1).numpy()
    assert spearmanr(effect_K, estimate_N[rows])[0] >= 0.6


def test_an_influence_names_the_strongest_rows_and_never_the_row_itself(
    colours: tuple[RowXray, set[int]],
) -> None:
    x, wrong = colours
    row = next(row for row in wrong if ALL[x.split_M[x.place(row)]] == "train")
    found = influence(x, row, most=3, seeds=4)
    pushes = [*found.up, *found.down]
    assert len(found.up) <= 3
    assert len(found.down) <= 3
    assert row not in [push.row for push in pushes]
    assert all(push.estimate > 0 for push in found.up)
    assert all(push.estimate < 0 for push in found.down)
    assert x.data.classes[int(found.answer)] == x["suggested"][x.place(row)]
    strongest = np.argsort(-found.estimate_N)[:3]
    assert [push.row for push in found.up] == x.index_M[strongest].tolist()


def test_equal_rows_are_named_also_across_the_split() -> None:
    frame, _wrong = swapped(60, 0)
    frame.loc[1] = frame.loc[0]
    frame.loc[3, ["a", "b"]] = frame.loc[2, ["a", "b"]]
    frame.loc[3, "colour"] = "blue"
    frame["part"] = ["train", "test"] + ["train"] * 58
    x = xray(load(frame, target="colour", split_column="part"), networks=8)
    twin = {row: x["equal_row"][x.place(row)] for row in range(5)}
    assert twin == {0: 1, 1: 0, 2: 3, 3: 2, 4: None}
    assert (x.crossing, x.contradicting) == (2, 2)


def test_a_row_that_is_not_there_is_refused_with_those_that_are(colours: tuple[RowXray, set[int]]) -> None:
    with pytest.raises(TreinoError, match="no row 999") as refused:
        influence(colours[0], 999)
    assert "0 to 239" in refused.value.hint


def test_of_many_rows_a_sample_is_x_rayed_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_xray, "MOST_ROWS", 60)
    x = xray(load("iris", validation=0.2, test=0.0), networks=8)
    assert (len(x.halves.x_ND), len(x)) == (60, 90)
    assert x.notes == ("60 of 120 training rows are x-rayed.",)


def test_a_weight_counts_in_what_a_row_teaches() -> None:
    """Labels that no input tells of: whoever counts a thousand times as much is believed everywhere."""
    x_ND, label_N = np.random.default_rng(0).normal(size=(80, 2)), np.arange(80) % 2
    said = [
        xray(load((x_ND, label_N, weight_N), validation=0.0, test=0.0), networks=8).answer_M
        for weight_N in (np.where(label_N == label, 1e3, 1.0) for label in (0, 1))
    ]
    assert (said[0] == 0).all()
    assert (said[1] == 1).all()
