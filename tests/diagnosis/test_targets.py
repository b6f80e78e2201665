"""What the best constant answer loses, and the axes of weights that pool, against NumPy and by hand."""

import numpy as np
import pytest
import torch

from treino.diagnosis.watch import graph
from treino.diagnosis.watch.attention import wrong_weights
from treino.diagnosis.watch.targets import Targets


def test_the_best_constant_has_a_number_for_each_output():
    for shape in ((40,), (40, 1), (40, 3), (40, 2, 5)):
        seen, drawn = Targets(), np.random.default_rng(0).normal(3.0, 2.0, shape)
        t = drawn * np.arange(1.0, shape[-1] + 1)
        for part in torch.from_numpy(t).split(7):
            seen.add(part)
        assert seen.variance() == pytest.approx(np.mean((t - t.mean(axis=0)) ** 2))


def test_targets_of_changing_width_share_one_constant():
    seen, all_of_them = Targets(), []
    for width in (4, 3, 4):
        t = torch.rand(8, width)
        seen.add(t)
        all_of_them.append(t.flatten().numpy())
    assert seen.variance() == pytest.approx(np.concatenate(all_of_them).var(), rel=1e-5)


def test_one_row_that_comes_again_and_again_is_measured_as_a_whole():
    seen, row = Targets(), torch.rand(1, 9)
    for _ in range(5):
        seen.add(row)
    assert seen.variance() == pytest.approx(row.numpy().var(), rel=1e-5)


def test_weights_of_a_pooling_must_sum_to_one_over_the_pooled_axis():
    x_BTD = torch.randn(4, 6, 3)
    scores_BT1 = torch.randn(4, 6, 1, requires_grad=True)
    for over, pooled, wrong in ((0, 1, (0, 1)), (1, 1, None), (0, 0, None)):
        out = (torch.softmax(scores_BT1, over) * x_BTD).sum(pooled)
        found = list(wrong_weights(list(graph.walk(out.sum().grad_fn))))
        assert [f[1:] for f in found] == ([] if wrong is None else [wrong])


def test_weights_of_heads_must_sum_to_one_over_the_keys():
    q, k, v = (torch.randn(3, 5, 2, 4, requires_grad=True) for _ in range(3))
    for scores, axes in (("bqkh", (None, (1, 2), None, (3, 2))), ("bhqk", (None, (1, 3), (2, 3), None))):
        for over, wrong in enumerate(axes):
            if over == 0:
                continue
            weights = torch.einsum(f"bqhd,bkhd->{scores}", q, k).softmax(over)
            out = torch.einsum(f"{scores},bkhd->bqhd", weights, v)
            found = list(wrong_weights(list(graph.walk(out.sum().grad_fn))))
            assert [f[1:] for f in found] == ([] if wrong is None else [wrong])


def test_parts_that_compete_for_rows_are_no_heads():
    rows_BIOD = torch.randn(3, 6, 4, 2, requires_grad=True)  # what each row would give to each part
    parts_BOD = torch.randn(3, 4, 2, requires_grad=True)
    shares = torch.einsum("biod,bod->bio", rows_BIOD, parts_BOD).softmax(-1)
    routed = torch.einsum("bio,biod->bod", shares, rows_BIOD)
    rows_BHND, parts_BHCD = torch.randn(3, 2, 6, 4, requires_grad=True), torch.randn(3, 2, 5, 4)
    chosen = (rows_BHND @ parts_BHCD.transpose(2, 3)).softmax(-1)
    pooled = chosen.transpose(2, 3) @ rows_BHND
    for out in (routed, pooled):
        assert not list(wrong_weights(list(graph.walk(out.sum().grad_fn))))
