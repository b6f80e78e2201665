"""Right programs that look wrong: the doctor says nothing."""

import pytest

from zygote import findings_in

HEAD = "net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))\n"
RIGHT = {
    "a decoder called for each of 30 time steps before one backward": """
cell, out, drop = nn.GRUCell(8, 16), nn.Sequential(nn.Dropout(0.1), nn.Linear(16, 3)), nn.Dropout(0.1)
optimizer = torch.optim.Adam([*cell.parameters(), *out.parameters()])
for step in range(12):
    h, loss = torch.zeros(24, 16), 0.0
    for t in range(30):
        h = cell(drop(x[t : t + 24]), h)
        loss = loss + F.cross_entropy(out(h), y[t : t + 24])
    STEP: loss
""",
    "a teacher in eval mode whose graph is never used, without no_grad": """
teacher = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))
first = torch.optim.Adam(teacher.parameters(), lr=0.01)
for step in range(20):
    first.zero_grad()
    F.cross_entropy(teacher(x), y).backward()
    first.step()
teacher.eval()
print((teacher(x).detach().argmax(1) == y).float().mean().item())
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
20 STEPS: F.kl_div(F.log_softmax(net(x), 1), F.softmax(teacher(x), 1), reduction="batchmean")
""",
    "multiple instances: a maximum over the rows": """
plain = nn.Linear(8, 3)
optimizer = torch.optim.Adam(plain.parameters(), lr=0.01)
for step in range(20):
    bags = [plain(x[i : i + 6]).max(0).values for i in range(0, 60, 6)]
    STEP: F.cross_entropy(torch.stack(bags), y[:60:6])
""",
    "private gradients: one backward per row, summed by hand": """
plain = nn.Linear(8, 3)
optimizer = torch.optim.SGD(plain.parameters(), lr=0.1)
for step in range(12):
    total = [torch.zeros_like(p) for p in plain.parameters()]
    for i in range(step, step + 10):
        optimizer.zero_grad()
        F.cross_entropy(plain(x[i : i + 1]), y[i : i + 1]).backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        for t, p in zip(total, plain.parameters()):
            t += p.grad
    for t, p in zip(total, plain.parameters()):
        p.grad = t / 10
    optimizer.step()
""",
    "continual learning: one task after the other, the first is forgotten": """
plain = nn.Linear(8, 3)
optimizer = torch.optim.SGD(plain.parameters(), lr=0.5)


def accuracy(rows, labels):
    with torch.no_grad():
        return (plain(rows).argmax(1) == labels).float().mean().item()


for task in range(3):
    own = y == task
    train, test = own.clone(), own.clone()
    train[200:], test[:200] = False, False
    15 STEPS: F.cross_entropy(plain(x[train]), y[train])
    seen_test = (y <= task) & (torch.arange(240) >= 200)
    print(task, accuracy(x[seen_test], y[seen_test]))
""",
    "hinge: a loss whose ReLU is zero at the end": """
plain = nn.Linear(8, 1)
optimizer = torch.optim.SGD(plain.parameters(), lr=0.5)
side = torch.where(x[:, :1] > 0, 1.0, -1.0)
x = x + 3 * side * torch.eye(8)[0]
80 STEPS: torch.relu(1 - side * plain(x)).mean()
""",
    "pseudo-labels from the net in training mode": """
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(20):
    with torch.no_grad():
        pseudo = net(x[120:]).softmax(1).max(1)[1]
    STEP: F.cross_entropy(net(x[:120]), y[:120]) + 0.1 * F.cross_entropy(net(x[120:]), pseudo)
""",
    "Monte-Carlo dropout at the end": """
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
20 STEPS: F.cross_entropy(net(x[:200]), y[:200])
with torch.no_grad():
    draws = torch.stack([net(x[200:]).softmax(1) for _ in range(10)])
print((draws.mean(0).argmax(1) == y[200:]).float().mean().item())
""",
    "an average of the weights, made by hand": """
import copy
average = copy.deepcopy(net).eval()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(20):
    with torch.no_grad():
        goal = average(x).softmax(1)
    STEP: F.cross_entropy(net(x), y) + F.mse_loss(net(x).softmax(1), goal)
    for a, p in zip(average.parameters(), net.parameters()):
        a.data.mul_(0.9).add_(p.data, alpha=0.1)
""",
    "double Q-learning whose graphs are let go": """
import copy
q, frozen = nn.Linear(8, 3), nn.Linear(8, 3)
optimizer = torch.optim.Adam(q.parameters(), lr=0.01)
for step in range(30):
    if step % 10 == 0:
        frozen.load_state_dict(q.state_dict())
    s, s2 = x[:100], x[100:200]
    best = q(s2).detach().max(1)[1]
    goal = 0.9 * frozen(s2).detach().gather(1, best[:, None]).squeeze(1)
    STEP: F.smooth_l1_loss(q(s).gather(1, y[:100, None]).squeeze(1), goal)
""",
    "pairs that a test set draws anew each time": """
import random
class Pairs(torch.utils.data.Dataset):
    def __init__(self, rows, kinds):
        self.rows, self.places = rows, [(kinds == k).nonzero()[:, 0].tolist() for k in range(3)]
    def __len__(self):
        return len(self.rows)
    def __getitem__(self, i):
        one, other = random.sample(range(3), 2)
        other = one if i % 2 else other
        first, second = (self.rows[random.choice(self.places[k])] for k in (one, other))
        return first, second, float(i % 2)
class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(8, 16), nn.ReLU()), nn.Linear(16, 1)
    def forward(self, a, b):
        return self.head((self.body(a) - self.body(b)).abs())[:, 0]
random.seed(0)
twin = Twin()
known, test_pairs = Pairs(x[:160], y[:160]), Pairs(x[160:], y[160:])
optimizer = torch.optim.Adam(twin.parameters(), lr=0.01)
for epoch in range(6):
    for a, b, same in torch.utils.data.DataLoader(known, batch_size=20):
        STEP: F.binary_cross_entropy_with_logits(twin(a, b), same.float())
    with torch.no_grad():
        for a, b, same in torch.utils.data.DataLoader(test_pairs, batch_size=40):
            print(((twin(a, b) > 0) == (same > 0.5)).float().mean().item())
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
20 STEPS: F.cross_entropy(net(x), y)
""",
    "bytes of images whose first convolution has a norm behind it": """
torch.manual_seed(0)
pixels = torch.randint(0, 256, (240, 1, 8, 8)).float() * (torch.arange(8) > 1)
first = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
deep = nn.Sequential(first, nn.Flatten(), nn.Linear(144, 3))
optimizer = torch.optim.SGD(deep.parameters(), lr=0.001)
30 STEPS: F.cross_entropy(deep(pixels), y)
""",
    "labels that are noise, in a small demonstration": """
y = torch.randint(0, 3, (240,))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
60 STEPS: F.cross_entropy(net(x), y)
""",
    "a fixed seed for samples, put back afterwards": """
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(20):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        noise = torch.randn(240, 8)
    STEP: F.cross_entropy(net(x + 0.1 * noise), y)
""",
}


ALARM = pytest.mark.xfail(strict=True, reason="a known alarm: the rule's page says so")
ALARMS = {"pairs that a test set draws anew each time": ALARM}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("text", [pytest.param(RIGHT[w], id=w, marks=ALARMS.get(w, ())) for w in RIGHT])
def test_silence(text, tmp_path):
    assert findings_in(HEAD + text, tmp_path) == []
