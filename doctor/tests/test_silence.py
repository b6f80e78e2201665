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
    "pseudo-labels from the net in training mode": """
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(20):
    with torch.no_grad():
        pseudo = net(x[120:]).softmax(1).max(1)[1]
    STEP: F.cross_entropy(net(x[:120]), y[:120]) + 0.1 * F.cross_entropy(net(x[120:]), pseudo)
""",
    "a random net whose answers another one learns": """
aim, pupil = nn.Linear(8, 16), nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
optimizer = torch.optim.Adam(pupil.parameters(), lr=0.01)
20 STEPS: F.mse_loss(pupil(x), aim(x))
""",
    "entries without a target, which a mask leaves out": """
target = x[:, :3].masked_fill(x[:, :3] > 1, float("nan"))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
20 STEPS: F.l1_loss(net(x), target, reduction="none").nanmean()
""",
    "rows that are gathered in clusters": """
near, first, last = (x @ x.T > 4).float(), nn.Linear(8, 5), nn.Linear(5, 3)
optimizer = torch.optim.Adam([*first.parameters(), *last.parameters()], lr=0.01)
for step in range(20):
    share = (near @ first(x)).softmax(1)
    STEP: F.cross_entropy(last(share), y) - (share.T @ near @ share).trace() / 1e5
""",
    "as many centres as points, which learn": """
points, goal = x[:, :1], x[:, 1]
centres, height = nn.Parameter(x[:, 0].clone()), nn.Parameter(torch.zeros(240))
optimizer = torch.optim.Adam([centres, height], lr=0.01)
20 STEPS: ((-((points - centres) ** 2)).exp() @ height - goal).pow(2).mean()
""",
    "Monte-Carlo dropout at the end": """
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
20 STEPS: F.cross_entropy(net(x[:200]), y[:200])
with torch.no_grad():
    draws = torch.stack([net(x[200:]).softmax(1) for _ in range(10)])
print((draws.mean(0).argmax(1) == y[200:]).float().mean().item())
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
