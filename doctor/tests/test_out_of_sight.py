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
METHOD = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.code, self.drop, self.out = nn.Linear(8, 16), nn.Dropout(0.2), nn.Linear(16, 3)

    def encode(self, x):
        return self.drop(self.code(x).relu())

    def forward(self, x):
        return self.out(self.encode(x))

net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    net.train()
    5 STEPS: F.cross_entropy(net(x[:150]), y[:150])
    net.eval()
    {guard}said = net.encode(x[150:]) @ net.out.weight.T  # here
    print((said.topk(1).indices[:, 0] == y[150:]).float().mean().item())
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
MAPS = """
maps = torch.randn(64, 1, 6, 6)
marks = (maps[:, 0] > 0).long() + (maps[:, 0] > 1)
net = nn.Conv2d(1, 3, 3, padding=1)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

def dice(scores, marks):
    said = scores.softmax({softmax})
    true = F.one_hot(marks, 3).permute(0, 3, 1, 2).float()
    both = (said * true).sum((0, 2, 3))
    return 1 - (2 * both / (said.sum((0, 2, 3)) + true.sum((0, 2, 3)))).mean()

for step in range(40):
    i = torch.randperm(64)[:16]
    STEP: {loss}(net(maps[i]), marks[i])
with torch.no_grad():
    right = [(net(m[None]).argmax({best}) == t).float().mean() for m, t in zip(maps, marks)]{mark}
print(torch.stack(right).mean().item())
"""
SAMPLER = """
import numpy as np

class Rows:
    def __init__(self, seed):
        self.seed, self.rng = seed, np.random.default_rng(seed)

    def __iter__(self):
        rng = {rng}
        for rows in np.array_split(rng.permutation(len(x)), 12):
            yield torch.from_numpy(rows)

w = torch.zeros(8, 3, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
rows = Rows(3)
for epoch in range(6):
    for i in rows:
        STEP: F.cross_entropy(x[i] @ w, y[i])
"""
RATES = """
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.02)

def plan(step):
    return {plan}  # here

scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, plan)
for step in range(120):
    STEP: F.cross_entropy(net(x), y)
    scheduler.step()
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
    "written without a graph": (
        "detached_graph",
        GRAPH.format(write="with torch.no_grad():  # here\n            sums.index_add_(0, to, said)"),
    ),
    "weights put back at the end": ("detached_graph", RESTORED),
    "best rows, by hand": (
        "metric_wrong_axis",
        PLAIN.format(hits="return (torch.argmax(z, 0) == y).sum().item()  # here", loss="nll"),
    ),
    "a method of the net": ("missing_no_grad", METHOD.format(guard="")),
    "a method that drops values": ("missing_eval", SCORED),
    "told to drop values": ("missing_eval", BY_ARGUMENT.format(told=", True")),
    "a softmax over places": (
        "softmax_wrong_dim",
        MAPS.format(softmax="-1)  # here\n    said = said.clone(", loss="dice", best=1, mark=""),
    ),
    "the best of one map": (
        "metric_wrong_axis",
        MAPS.format(softmax=1, loss="F.cross_entropy", best=0, mark="  # here"),
    ),
    "a generator anew": (
        "seed_reset_each_epoch",
        SAMPLER.format(rng="np.random.default_rng(self.seed)  # here"),
    ),
    "a rate of a rate": ("scheduler_misuse", RATES.format(plan="0.02 * min(1, (step + 1) / 10)")),
}
STATEFUL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.GRU(4, 16{first}), nn.Linear(16, 4)

    def forward(self, x, h=None):
        z, h = self.rnn(x, h)
        return x + self.out(z), h

time = torch.arange(600.0)[:, None, None]
series = torch.sin(time / torch.linspace(3, 9, {rows})[:, None] + torch.randn(4))
series += 0.1 * torch.randn(600, {rows}, 4)
train, test = series[:400], series[400:]
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    h = None
    for i in range(0, 375, 25):
        said, h = net({chunk}, None if h is None else h.detach())
        STEP: F.mse_loss(said, {after})

@torch.no_grad()
def test_error(known, test):
    net.eval()
    whole = torch.cat([known, test])
    said, _ = net({whole})
    return F.mse_loss(said[-len(test) :], whole[-len(test) :]).item()

print(test_error(train, test))
"""
RIGHT = {
    "what is known comes before the test": STATEFUL.format(
        rows=3, first="", chunk="train[i : i + 25]", after="train[i + 1 : i + 26]", whole="whole[:-1]"
    ),
    "a single series": STATEFUL.format(
        rows=1,
        first="",
        chunk="train[i : i + 25, 0]",
        after="train[i + 1 : i + 26, 0]",
        whole="whole[:-1, 0]",
    ).replace("said[-len(test) :], whole[-len(test) :]", "said[-len(test) :], whole[-len(test) :, 0]"),
    "written in place": GRAPH.format(write="sums[to] = said"),
    "best classes": PLAIN.format(hits="return (z.argmax(1) == y).sum().item()", loss="nll"),
    "most typical rows": PLAIN.format(
        hits="typical = z.argmax(0)\n    return (z[typical].argmax(1) == torch.arange(3)).sum().item()",
        loss="nll",
    ),
    "told not to drop values": BY_ARGUMENT.format(told=""),
    "a softmax over classes": MAPS.format(softmax=1, loss="dice", best=1, mark=""),
    "a generator that goes on": SAMPLER.format(rng="self.rng"),
    "a share of a rate": RATES.format(plan="min(1, (step + 1) / 10)"),
    "without a graph": METHOD.format(guard="with torch.no_grad(): "),
}


CASES = {**FOUND, **{case: ("", text) for case, text in RIGHT.items()}}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule", "text"), CASES.values(), ids=CASES)
def test_what_is_out_of_sight_is_judged_all_the_same(rule, text, tmp_path):
    assert told(text, tmp_path) == rule
