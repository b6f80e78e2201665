"""Weights that a program moves by their gradients itself: the rules read its steps as an optimizer's."""

import pytest

from examination import examined

START = """
import torch, torch.nn.functional as F
torch.manual_seed(0)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
w, b = torch.randn(9, 2).requires_grad_(), torch.zeros(2, requires_grad=True)
rate = 0.5
for step in range(60):
    loss = F.cross_entropy(x @ w + b, y)
"""
BACKWARD = """
    loss.backward()
    with torch.no_grad():
        for p in (w, b):
            p -= rate * p.grad
            p.grad = None
"""
DATA = """
    loss.backward()
    for p in (w, b):
        p.data = p.data - rate * p.grad
        p.grad.zero_()
"""
ASKED = """
    slopes = torch.autograd.grad(loss, (w, b))
    with torch.no_grad():
        for p, g in zip((w, b), slopes):
            p.sub_(rate * g)
"""
ANEW = """
    gw, gb = torch.autograd.grad(loss, (w, b))
    w, b = ((p - rate * g).detach().requires_grad_() for p, g in ((w, gw), (b, gb)))
"""
MEASURED = BACKWARD + "    torch.autograd.grad(F.cross_entropy(x[:40] @ w + b, y[:40]), (w, b))\n"
LATER = (
    DATA.replace("    for", "    if step < 9: continue\n    for")
    + """
optimizer = torch.optim.SGD([w, b], lr=0.1)
for step in range(9):
    optimizer.zero_grad()
    F.cross_entropy(x @ w + b, y).backward()
    optimizer.step()
"""
)
RIGHT = {
    "backward": BACKWARD,
    "data": DATA,
    "asked": ASKED,
    "anew": ANEW,
    "measured": MEASURED,
    "later": LATER,
}
KEPT = BACKWARD.replace("            p.grad = None\n", "")
EARLY = DATA.replace("    for", "    w.grad.zero_(); b.grad.zero_()\n    for")
UNUSED = KEPT.replace("p -= rate", "p = p - rate") + "    w.grad = b.grad = None\n"
BROKEN = ASKED.replace("    slopes", "    loss = loss + (step > 20) * (w.sum() * 0 - 1).log()\n    slopes")
NOISE = ASKED.replace("    slopes", "    loss = F.cross_entropy(x @ w + b, y.roll(1))\n    slopes")
FAULTS = {
    "never cleared": ("missing_zero_grad", KEPT),
    "cleared too early": ("grad_cleared_before_step", EARLY),
    "never kept": ("no_step", UNUSED),
    "too small": ("lr_too_low", ASKED.replace("rate", "1e-7")),
    "too large": ("lr_too_high", NOISE.replace("rate", "1e4")),
    "not finite": ("non_finite_loss", BROKEN),
}


@pytest.mark.parametrize("form", RIGHT)
def test_right_training_by_hand_is_left_in_peace(form, tmp_path):
    findings, _ = examined(START + RIGHT[form], tmp_path)
    assert [f.rule for f in findings] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_training_by_hand_are_found(fault, tmp_path):
    rule, text = FAULTS[fault]
    findings, _ = examined(START + text, tmp_path)
    assert [f.rule for f in findings] == [rule]
