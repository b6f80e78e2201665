"""Weights that a program moves by their gradients itself: the rules read its steps as an optimizer's."""

import pytest

from examination import examined
from treino_doctor.record.log import Course, OptimizerEnded

START = """
import torch, torch.nn.functional as F
torch.manual_seed(0)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
w, b = torch.randn(9, 2).requires_grad_(), torch.zeros(2, requires_grad=True)
for step in range(60):
    loss = F.cross_entropy(x @ w + b, y)
"""
BACKWARD = """
    loss.backward()
    with torch.no_grad():
        for p in (w, b):
            {move}
            {clear}
"""
DATA = """
    loss.backward()
    {before}
    for p in (w, b):
        p.data = p.data - 0.5 * p.grad
        p.grad.zero_()
"""
ASKED = """
    {before}
    slopes = torch.autograd.grad(loss, (w, b))
    with torch.no_grad():
        for p, g in zip((w, b), slopes):
            p.sub_({rate} * g)
"""
ANEW = """
    gw, gb = torch.autograd.grad(loss, (w, b))
    w, b = ((p - 0.5 * g).detach().requires_grad_() for p, g in ((w, gw), (b, gb)))
"""
OPTIMIZED = """
optimizer = torch.optim.SGD([w, b], lr=0.1)
9 STEPS: F.cross_entropy(x @ w + b, y)
"""
USUAL = BACKWARD.format(move="p -= 0.5 * p.grad", clear="p.grad = None")
CLEARED = "    w.grad = b.grad = None\n"
NOISE = "loss = F.cross_entropy(x @ w + b, y.roll(1))"
CASES = {
    "backward": ("", USUAL),
    "data": ("", DATA.format(before="")),
    "asked": ("", ASKED.format(before="", rate=0.5)),
    "anew": ("", ANEW),
    "measured": ("", USUAL + "    torch.autograd.grad(F.cross_entropy(x[:40] @ w + b, y[:40]), (w, b))\n"),
    "later": ("", DATA.format(before="if step < 9: continue") + OPTIMIZED),
    "never cleared": ("missing_zero_grad", BACKWARD.format(move="p -= 0.5 * p.grad", clear="")),
    "cleared too early": ("grad_cleared_before_step", DATA.format(before="w.grad.zero_(); b.grad.zero_()")),
    "never kept": ("no_step", BACKWARD.format(move="p = p - 0.5 * p.grad", clear="") + CLEARED),
    "too small": ("lr_too_low", ASKED.format(before="", rate=1e-7)),
    "too large": ("lr_too_high", ASKED.format(before=NOISE, rate=1e4)),
    "not finite": (
        "non_finite_loss",
        ASKED.format(before="loss = loss + (step > 20) * (w.sum() * 0 - 1).log()", rate=0.5),
    ),
}


@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_training_by_hand_is_judged_as_an_optimizer_s(rule, text, tmp_path):
    findings, _ = examined(START + text, tmp_path)
    assert [f.rule for f in findings] == ([rule] if rule else [])


@pytest.mark.parametrize("move", ["backward", "data", "asked"])
@pytest.mark.parametrize("steps", [1, 33, 64, 129])
def test_each_step_by_hand_is_counted_also_the_last_and_a_second_training_s(move, steps, tmp_path):
    text = (START + CASES[move][1]).replace("range(60)", f"range({steps})")
    again = "\n".join(text.splitlines()[5:]) if move != "asked" else ""
    _, log = examined(f"{text}\n{again}", tmp_path)
    times = 2 if again else 1
    assert sum(end.steps for end in log.of(OptimizerEnded)) == times * steps
    if again:
        first, *second = [len(course.values) for course in log.of(Course)]
        assert [first, sum(second)] == [steps, steps]
