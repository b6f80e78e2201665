"""Faults, and right programs, where neither the call of a net nor an operation with a history shows them."""

import pytest

from zygote import told

GRAPH = """
to = torch.randint(40, (len(x),))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.own, self.others, self.out = nn.Linear(8, 16), nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x):
        said, sums = self.others(x), torch.zeros(40, 16)
        {write}
        return self.out(torch.relu(self.own(x) + sums[to]))

net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
40 STEPS: F.cross_entropy(net(x), y)
"""
RESTORED = """
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=0.01)
for step in range(40):
    STEP: F.cross_entropy(head(torch.relu(body(x)).detach()), y)  # here
    best = {k: v.clone() for k, v in body.state_dict().items()}
body.load_state_dict(best)
"""
PLAIN = """
w = [torch.randn(8, 16).mul(0.3).requires_grad_(), torch.randn(16, 3).mul(0.3).requires_grad_()]

def scores(x):
    return torch.tanh(x @ w[0]) @ w[1]

def nll(z, y):
    return -z.log_softmax(1)[range(len(y)), y].mean()

def hits(z, y):
    {hits}

for step in range(60):
    loss = {loss}(scores(x), y)
    loss.backward()
    with torch.no_grad():
        for p in w:
            p -= 0.3 * p.grad
            p.grad = None
with torch.no_grad():
    print(sum(hits(scores(x[i : i + 3]), y[i : i + 3]) for i in range(0, 198, 3)) / 198)
"""
SCORED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.code, self.drop, self.out = nn.Linear(8, 16), nn.Dropout(0.4), nn.Linear(16, 3)

    def score(self, x):
        return self.out(self.drop(self.code(x)))

net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
40 STEPS: F.cross_entropy(net.score(x[:150]), y[:150])
with torch.no_grad():
    print((net.score(x[150:]).argmax(1) == y[150:]).float().mean().item())  # here
"""
BY_ARGUMENT = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.code, self.out = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x, train=False):
        return self.out(F.dropout(torch.relu(self.code(x)), 0.3, training=train))

net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(30):
    for i in torch.randperm(150).split(20):
        STEP: F.cross_entropy(net(x[i], train=True), y[i])
    if epoch % 10 == 9:
        with torch.no_grad():
            print((net(x[150:]{told}).argmax(1) == y[150:]).float().mean().item())  # here
"""
BATCHES = "return sum(int(a == b) for a, b in zip({best}.tolist(), y.tolist()))"
FOUND = {
    "written to data": ("detached_graph", GRAPH.format(write="sums.data.index_add_(0, to, said)  # here")),
    "weights put back at the end": ("detached_graph", RESTORED),
    "best rows, by hand": (
        "metric_wrong_axis",
        PLAIN.format(hits="return (torch.argmax(z, 0) == y).sum().item()  # here", loss="nll"),
    ),
    "a method that drops values": ("missing_eval", SCORED),
    "told to drop values": ("missing_eval", BY_ARGUMENT.format(told=", True")),
}
RIGHT = {
    "written in place": GRAPH.format(write="sums[to] = said"),
    "best classes": PLAIN.format(hits="return (z.argmax(1) == y).sum().item()", loss="nll"),
    "most typical rows": PLAIN.format(
        hits="typical = z.argmax(0)\n    return (z[typical].argmax(1) == torch.arange(3)).sum().item()",
        loss="nll",
    ),
    "told not to drop values": BY_ARGUMENT.format(told=""),
}


CASES = {**FOUND, **{case: ("", text) for case, text in RIGHT.items()}}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_what_is_out_of_sight_is_judged_all_the_same(rule, text, tmp_path):
    assert told(text, tmp_path) == rule
