"""Weights of rows: each member's own, equal to repeated rows, in every kernel."""

import pytest
import torch
from oracles import FLOAT64, sample

from treino.engine import Bags, mlp, train

LOSSES = {
    "cross_entropy": {},
    "class_weights": {"class_weights": [0.5, 2.0, 1.0]},
    "label_smoothing": {"label_smoothing": 0.2},
    "both": {"class_weights": [0.5, 2.0, 1.0], "label_smoothing": 0.2},
    "softmax_first": {"fault": "softmax_before_cross_entropy"},
    "summed": {"fault": "missing_zero_grad"},
    "bce": {"loss": "bce"},
    "mse": {"loss": "mse"},
    "l1": {"loss": "l1"},
    "huber": {"loss": "huber"},
}


def problem(loss, rows=20, dtype=torch.float64):
    x, y = sample(rows=rows, dtype=dtype)
    if loss in ("mse", "l1", "huber"):
        y = torch.stack([x.sum(1), x[:, 0] * 2 - 0.3], 1)
    return x, y.clamp(max=1) if loss == "bce" else y


def trained(data, bags=None, *, dtype=torch.float64, hidden=(7, 6), seeds=(1,), **arguments):
    usual = {
        "lr": 0.05,
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "engine": "batched",
        "steps": 6,
        "batch_size": "full",
    }
    training = train(data, mlp(*hidden), bags=bags, seeds=list(seeds), dtype=dtype, **usual | arguments)
    return training, torch.cat([tick.loss_SP for tick in training])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("engine", FLOAT64)
def test_a_weight_is_how_often_a_row_is_there(engine, loss):
    x, y = problem(loss)
    count = torch.randint(4, (20,), generator=torch.Generator().manual_seed(3))
    again = torch.arange(20).repeat_interleave(count)
    arguments = {"engine": engine, **LOSSES[loss]}
    weighed, loss_S = trained((x, y), Bags(count[None]), **arguments)
    repeated, wanted_S = trained((x[again], y[again]), **arguments)
    torch.testing.assert_close(loss_S, wanted_S, rtol=1e-6, atol=0)
    for a, b in zip(weighed.net().parameters(), repeated.net().parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
