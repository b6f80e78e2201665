# expect: nothing
"""Several takes of each speaker; takes of one speaker never straddle the split.

Each update adds the gradients of a plain and of a noisy pass before one step.
"""
import itertools

import numpy as np
import torch
from sklearn.model_selection import GroupShuffleSplit
from torch import nn

torch.manual_seed(31)
rng = np.random.default_rng(31)

SPEAKERS, TAKES, DIM = 240, 5, 24
accent = rng.permutation(np.arange(SPEAKERS) % 2)
direction = rng.normal(size=DIM) / np.sqrt(DIM)
voice = rng.normal(size=(SPEAKERS, DIM)) + 1.8 * np.outer(2 * accent - 1, direction)
who = np.repeat(np.arange(SPEAKERS), TAKES)
x = voice[who] + 0.05 * rng.normal(size=(len(who), DIM))
y = accent[who]

train, test = next(GroupShuffleSplit(1, test_size=0.3, random_state=31).split(x, y, groups=who))
assert not set(who[train]) & set(who[test])
centre, spread = x[train].mean(0), x[train].std(0)
x = torch.tensor((x - centre) / spread, dtype=torch.float32)
y = torch.tensor(y)
train, test = torch.from_numpy(train), torch.from_numpy(test)


def endless(index, size):
    while True:
        perm = index[torch.randperm(len(index))]
        yield from perm.split(size)


def noisy(t):
    return t + 0.5 * torch.randn_like(t)


net = nn.Sequential(nn.Linear(DIM, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
loss_fn = nn.CrossEntropyLoss(reduction="sum")
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-3)
views = (lambda t: t, noisy)

total, rows = 0.0, 0
for k, idx in enumerate(itertools.islice(endless(train, 60), 210), start=1):
    for view in views:
        part = loss_fn(net(view(x[idx])), y[idx]) / (len(views) * len(idx))
        part.backward()
        total += part.item() * len(idx)
    rows += len(idx)
    opt.step()
    opt.zero_grad()
    if k % 70 == 0:
        print(f"update {k}: loss {total / rows:.3f}")
        total, rows = 0.0, 0

net.eval()
with torch.no_grad():
    logits = net(x)
    right = (logits.argmax(1) == y).float()
    votes = logits[test].log_softmax(1).exp().reshape(-1, TAKES, 2).mean(1).argmax(1)
truth = y[test].reshape(-1, TAKES)[:, 0]
print(f"train {right[train].mean():.3f}  test {right[test].mean():.3f}")
print(f"test, one vote per speaker {(votes == truth).float().mean():.3f}, "
      f"bigger class {truth.float().mean().sub(0.5).abs().add(0.5):.3f}")
