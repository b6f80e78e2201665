# expect: detached_graph @ 53
# allowed: detached_graph @ 56
"""Bags of points: say which of four laws a bag of 2-d points was drawn from."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(11)
rng = np.random.default_rng(11)


def draw_bag(kind):
    n = int(rng.integers(12, 28))
    if kind == 0:
        pts = rng.normal(size=(n, 2))
    elif kind == 1:
        a = rng.uniform(0, 2 * np.pi, n)
        pts = np.c_[np.cos(a), np.sin(a)] * np.sqrt(2)
    elif kind == 2:
        pts = rng.uniform(-np.sqrt(3), np.sqrt(3), (n, 2))
    else:
        pts = rng.choice([-1.0, 1.0], (n, 2))
    return (pts + 0.25 * rng.normal(size=(n, 2))).astype(np.float32)


def make_bags(count):
    kinds = np.tile(np.arange(4), count // 4)
    rng.shuffle(kinds)
    return [torch.from_numpy(draw_bag(k)) for k in kinds], torch.from_numpy(kinds)


class PointEncoder(nn.Module):
    def __init__(self, width=24, out=6):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out)
        )

    def forward(self, pts):
        return self.layers(pts).mean(dim=0)


class BagNet(nn.Module):
    def __init__(self, n_classes=4):
        super().__init__()
        self.phi = PointEncoder()
        self.rho = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, n_classes))

    def summarise(self, bags):
        rows = []
        for bag in bags:
            rows.append(self.phi(bag))
        return torch.tensor([r.tolist() for r in rows])

    def forward(self, bags):
        return self.rho(self.summarise(bags))


def minibatches(bags, kinds, size):
    order = torch.randperm(len(bags))
    for start in range(0, len(bags), size):
        pick = order[start:start + size]
        yield [bags[i] for i in pick.tolist()], kinds[pick]


def hit_rate(net, bags, kinds):
    net.eval()
    with torch.no_grad():
        return (net(bags).argmax(dim=1) == kinds).float().mean().item()


train_bags, train_kinds = make_bags(800)
test_bags, test_kinds = make_bags(400)
net = BagNet()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(1, 11):
    net.train()
    total = 0.0
    for bags, kinds in minibatches(train_bags, train_kinds, 32):
        opt.zero_grad()
        loss = criterion(net(bags), kinds)
        loss.backward()
        opt.step()
        total += loss.item() * len(bags)
    if epoch % 2 == 0:
        print(f"epoch {epoch:2d}  loss {total / len(train_bags):.4f}")

print(f"train hit rate {hit_rate(net, train_bags, train_kinds):.3f}")
print(f"test  hit rate {hit_rate(net, test_bags, test_kinds):.3f}")
