# expect: nothing
"""Reptile on digits: plain SGD within a task, the weights moved towards its end, and put back after each test."""

import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(4)
data = load_digits()
x = torch.tensor(data.data / 16.0, dtype=torch.float32)
y = torch.tensor(data.target)
train_pool, test_pool = [0, 1, 2, 3, 4, 5], [6, 7, 8, 9]


def task(pool):
    kinds = [pool[i] for i in torch.randperm(len(pool))[:3]]
    parts = []
    for name, kind in enumerate(kinds):
        rows = (y == kind).nonzero().squeeze(1)
        rows = rows[torch.randperm(len(rows))[:15]]
        parts.append((rows, torch.full((15,), name)))
    rows = torch.stack([r for r, _ in parts])
    names = torch.stack([n for _, n in parts])
    return x[rows[:, :10]].flatten(0, 1), names[:, :10].flatten(), x[rows[:, 10:]].flatten(0, 1), names[:, 10:].flatten()


def learn(net, rows, names, steps):
    inner = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(steps):
        batch = torch.randperm(len(rows))[:10]
        inner.zero_grad()
        F.cross_entropy(net(rows[batch]), names[batch]).backward()
        inner.step()


net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
for update in range(80):
    before = copy.deepcopy(net.state_dict())
    net.train()
    learn(net, *task(train_pool)[:2], steps=8)
    after = net.state_dict()
    net.load_state_dict({k: before[k] + 0.3 * (after[k] - before[k]) for k in before})

share = []
for _ in range(40):
    before = copy.deepcopy(net.state_dict())
    rows, names, test_rows, test_names = task(test_pool)
    net.train()
    learn(net, rows, names, steps=12)
    net.eval()
    with torch.no_grad():
        share.append((net(test_rows).argmax(1) == test_names).float().mean())
    net.load_state_dict(before)
print(f"accuracy on new tasks {torch.stack(share).mean():.3f}")
