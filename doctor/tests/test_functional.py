"""Losses that torch.func gives gradients of."""

import pytest

from zygote import told

pytest.importorskip("torch.func", reason="needs torch>=2.0: torch.func")

FUNCTIONAL = """
from torch.func import grad, grad_and_value

counts = torch.arange(240.0) % 4
spoiled = counts / 0
def deviance(w):
    rate = torch.exp(x @ w)
    return {loss}  # here
w = torch.zeros(8)
step = grad_and_value(deviance)
for i in range(12):
    g, value = step(w)
    w = w - 0.01 * g
"""
DEVIANCE = "2 * ({logs} - counts + rate).mean()"
LOGS = "torch.xlogy(counts, counts) - counts * torch.log(rate)"
CASES = {
    "a logarithm of zero": ("non_finite_loss", DEVIANCE.format(logs="counts * torch.log(counts / rate)")),
    "a loss that stays finite": ("", DEVIANCE.format(logs=LOGS)),
    "rows that are not finite": ("", "(rate - spoiled).square().mean()"),
}


@pytest.mark.parametrize(("rule", "loss"), CASES.values(), ids=CASES)
def test_a_loss_that_is_not_finite_is_named_by_its_line(rule, loss, tmp_path):
    assert told(FUNCTIONAL.format(loss=loss), tmp_path) == rule
