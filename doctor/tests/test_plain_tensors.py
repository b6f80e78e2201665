"""Nets of plain tensors, which no module calls: what becomes of what they say, and of their weights."""

import pytest

from zygote import told

NET = """
w = [torch.randn(8, 16).mul(0.3), torch.zeros(16), torch.randn(16, 3).mul(0.3), torch.zeros(3)]
for p in w:
    p.requires_grad_()

def net(x, train=True):
    h = torch.relu(x @ w[0] + w[1])
    {drop}
    return h @ w[2] + w[3]

def right(said, labels):
    return (said.argmax(1) == labels).float().mean()

def move(weights, lr=0.2):
    with torch.no_grad():
        for p in weights:
            p -= lr * p.grad
            p.grad = None
"""
LOOP = """
for epoch in range(8):
    {first}
    for rows in {order}:  # {drawn}
        said = net(x[rows])
        loss = F.cross_entropy(said, y[rows])
        {step}
    {look}
"""
DROP = "h = F.dropout(h, 0.3)"
STEP = "loss.backward(); move(w)"
QUIETLY = "with torch.no_grad(): print(right(net(x[180:]), y[180:]).item())"
ORDER = "torch.randperm(180).split(30)"


def hand(look=QUIETLY, drop="", step=STEP, before="", first="pass", order=ORDER, drawn=""):
    """A script; ``look`` is done once an epoch."""
    loop = LOOP.format(step=step, look=look, first=first, order=order, drawn=drawn)
    return NET.format(drop=drop) + before + loop


FAULTS = {
    "answers": ("missing_no_grad", hand("print(right(net(x[180:]), y[180:]).item())  # here")),
    "values dropped": ("missing_eval", hand(drop=DROP + "  # here")),
    "values dropped by a mask": (
        "missing_eval",
        hand(QUIETLY + "  # here", drop="h = h * (torch.rand_like(h) > 0.3) / 0.7 if train else h"),
    ),
    "a weight that is left out": (
        "params_not_in_optimizer",
        hand(step="loss.backward(); move(moved)", before="moved = w[:2] + w[3:]  # here"),
    ),
}
ALL = "hits = right(said, y[rows]).item()"
SEVERAL = "answers = torch.stack([net(x[180:]).softmax(1) for _ in range(9)])"
RIGHT = {
    "looked at after it": hand(step=f"{STEP}; {ALL}; total = float(loss)"),
    "gradients that are asked for": hand(
        step=f"{ALL}\n        slopes = torch.autograd.grad(loss, w)\n"
        "        with torch.no_grad():\n            for p, g in zip(w, slopes): p -= 0.2 * g"
    ),
    "a backward for several batches": hand(
        "sum(losses).backward(); move(w, 0.05)\n    " + QUIETLY,
        step=f"{ALL}; losses = [*losses[-5:], loss]",
        first="losses = []",
    ),
    "many answers to the same rows": hand(
        f"with torch.no_grad():\n        {SEVERAL}\n        print(right(answers.mean(0), y[180:]))", drop=DROP
    ),
    "told not to drop": hand(
        "with torch.no_grad(): print(right(net(x[180:], False), y[180:]).item())",
        drop="h = F.dropout(h, 0.3, train)",
    ),
    "points that ask for gradients": """
w = [torch.randn(1, 16), torch.zeros(16), torch.randn(16, 1).mul(0.3)]
for p in w:
    p.requires_grad_()
t = torch.linspace(0, 1, 60)[:, None].requires_grad_()
for step in range(120):
    u = torch.tanh(t @ w[0] + w[1]) @ w[2]
    du, = torch.autograd.grad(u.sum(), t, create_graph=True)
    loss = (du + u).pow(2).mean() + (u[0] - 1).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        for p in w:
            p -= 0.02 * p.grad
            p.grad = None
    t.grad = None
print(loss.item())
""",
}


CASES = {**FAULTS, **{case: ("", text) for case, text in RIGHT.items()}}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_nets_of_plain_tensors_are_judged_as_modules(rule, text, tmp_path):
    assert told(text, tmp_path) == rule
