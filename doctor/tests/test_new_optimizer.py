"""A new optimizer in every step: told where it forgets past gradients, passed over where it is right."""

import pytest

from examination import examined
from treino_doctor.rules.rule import PRELUDE

RULE = "new_optimizer_each_step"
STEP = """
def step(net, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()

net = nn.Linear(8, 3)
"""

WRONG = {
    "in a function": """
def train(net):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    step(net, optimizer)

for _ in range(20):
    train(net)
""",
    "of two nets in turns": """
other = nn.Linear(8, 3)
for _ in range(12):
    for one in (net, other):
        step(one, torch.optim.RMSprop(one.parameters(), lr=0.01))
""",
    "after three steps by one": """
first = torch.optim.Adam(net.parameters())
for _ in range(3):
    step(net, first)
for _ in range(20):
    step(net, torch.optim.AdamW(net.parameters()))
""",
}
RIGHT = {
    "plain SGD": "for _ in range(20): step(net, torch.optim.SGD(net.parameters(), lr=0.1))",
    "once": "optimizer = torch.optim.Adam(net.parameters())\nfor _ in range(20): step(net, optimizer)",
    "one for each fold": """
for fold in range(10):
    net = nn.Linear(8, 3)
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(5):
        step(net, optimizer)
""",
    "restarts of LBFGS": """
def loss():
    net.zero_grad()
    value = F.cross_entropy(net(x), y)
    value.backward()
    return value

for _ in range(12):
    torch.optim.LBFGS(net.parameters(), max_iter=3).step(loss)
""",
    "weights put back": """
start = {name: value.clone() for name, value in net.state_dict().items()}
for task in range(20):
    net.load_state_dict(start)
    step(net, torch.optim.Adam(net.parameters()))
""",
    "a perturbation of each batch": """
optimizer = torch.optim.Adam(net.parameters())
for _ in range(20):
    shift = torch.zeros(240, 8, requires_grad=True)
    inner = torch.optim.Adam([shift], lr=0.01)
    (-F.cross_entropy(net(x + shift), y)).backward()
    inner.step()
    step(net, optimizer)
""",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_memory_that_is_lost_in_every_step_is_told_where_the_optimizer_is_made(text, tmp_path):
    findings, _ = examined(PRELUDE + STEP + text, tmp_path)
    [found] = [f for f in findings if f.rule == RULE]
    lines = (PRELUDE + STEP + text).splitlines()
    assert "torch.optim." in lines[found.line - 1]
    assert "first" not in lines[found.line - 1]


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_an_optimizer_that_is_right_is_passed_over(text, tmp_path):
    findings, _ = examined(PRELUDE + STEP + text, tmp_path)
    assert RULE not in [f.rule for f in findings]
