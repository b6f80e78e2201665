# expect: nothing
"""Sensor fault diagnosis: recordings of four machine states are stacked and fed by a batch generator."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def record(state, n, rng):
    t = np.arange(32)
    amp = [1.0, 1.3, 0.9, 1.1][state]
    f = [2.0, 2.6, 3.2, 3.8][state]
    ph = rng.uniform(0, 2 * np.pi, (n, 1))
    return (amp * np.sin(2 * np.pi * f * t / 32 + ph) + rng.normal(0, 0.35, (n, 32))).astype("float32")


def build(n_per_state, seed):
    rng = np.random.default_rng(seed)
    xs = [record(s, n_per_state, rng) for s in range(4)]
    ys = [np.full(n_per_state, s) for s in range(4)]
    return torch.from_numpy(np.concatenate(xs)), torch.from_numpy(np.concatenate(ys))


def batches(x, y, size):
    order = torch.randperm(len(x))
    for s in range(0, len(x), size):
        yield x[order[s:s + size]], y[order[s:s + size]]


class ConvClf(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv1d(1, 16, 7, padding=3)
        self.c2 = nn.Conv1d(16, 16, 5, padding=2)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        h = F.relu(self.c1(x.unsqueeze(1)))
        h = F.relu(self.c2(F.max_pool1d(h, 2)))
        return self.fc(h.mean(-1))


torch.manual_seed(1)
x_train, y_train = build(300, 0)
x_test, y_test = build(100, 1)
net = ConvClf()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(12):
    net.train()
    for xb, yb in batches(x_train, y_train, 30):
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
    if epoch % 3 == 2:
        net.eval()
        with torch.no_grad():
            pred = net(x_test).argmax(1)
        print(epoch, f"loss {loss.item():.3f} acc {(pred == y_test).float().mean():.3f}")
