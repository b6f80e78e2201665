"""Losses that torch.func gives gradients of."""

import pytest

from zygote import findings_in, marked

pytest.importorskip("torch.func", reason="this torch has no torch.func")

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


def test_a_logarithm_of_zero_is_named_by_its_line(tmp_path):
    loss = "2 * (counts * torch.log(counts / rate) - counts + rate).mean()"
    assert findings_in(FUNCTIONAL.format(loss=loss), tmp_path) == [("non_finite_loss", marked(tmp_path))]


def test_a_loss_that_stays_finite_is_right(tmp_path):
    loss = "2 * (torch.xlogy(counts, counts) - counts * torch.log(rate) - counts + rate).mean()"
    assert findings_in(FUNCTIONAL.format(loss=loss), tmp_path) == []


def test_rows_that_are_not_finite_are_none_of_its_faults(tmp_path):
    assert findings_in(FUNCTIONAL.format(loss="(rate - spoiled).square().mean()"), tmp_path) == []


def test_gradients_alone_by_name(tmp_path):
    text = FUNCTIONAL.format(loss='(x @ w["w"]).square().mean()').replace(
        "torch.zeros(8)", '{"w": torch.zeros(8)}'
    )
    text = text.replace("grad_and_value(deviance)", "grad(deviance)").replace(
        "g, value = step(w)", "g = step(w)"
    )
    text = text.replace("w = w - 0.01 * g", 'w = {"w": w["w"] - 0.01 * g["w"]}')
    text = text.replace("rate = torch.exp(x @ w)\n    ", "")
    assert findings_in(text, tmp_path) == []
