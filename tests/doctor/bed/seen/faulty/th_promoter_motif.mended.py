# expect: nothing
"""Promoter recognition on DNA windows: convolutional encoder, position-wise attention pooling, small head."""
from itertools import chain

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

BASES = "ACGT"
MOTIF = "TATAAT"


def simulate(n, length, rng):
    seqs, labels = [], []
    for i in range(n):
        s = rng.choice(list(BASES), length)
        has_motif = i % 2
        if has_motif:
            m = list(MOTIF)
            if rng.random() < 0.3:
                m[rng.integers(len(m))] = rng.choice(list(BASES))
            at = rng.integers(0, length - len(m))
            s[at:at + len(m)] = m
        seqs.append("".join(s))
        labels.append(has_motif)
    order = rng.permutation(n)
    return [seqs[k] for k in order], np.array(labels)[order]


def encode(seqs):
    lut = {b: i for i, b in enumerate(BASES)}
    idx = torch.tensor([[lut[b] for b in s] for s in seqs])
    return F.one_hot(idx, 4).float().transpose(1, 2)


class PromoterNet(nn.Module):
    def __init__(self, filters=24):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv1d(4, filters, 7, padding=3), nn.ReLU())
        self.pool = nn.Sequential(nn.Conv1d(filters, 16, 1), nn.Tanh(), nn.Conv1d(16, 1, 1))
        self.head = nn.Sequential(nn.Linear(filters, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x):
        h = self.encoder(x)
        w = torch.softmax(self.pool(h), dim=2)
        return self.head((h * w).sum(2))


torch.manual_seed(11)
rng = np.random.default_rng(11)
seqs, labels = simulate(1200, 50, rng)
X, y = encode(seqs), torch.from_numpy(labels)
X_train, y_train, X_test, y_test = X[:900], y[:900], X[900:], y[900:]

model = PromoterNet()
optimizer = torch.optim.AdamW(chain(model.encoder.parameters(), model.pool.parameters(), model.head.parameters()), lr=4e-3)

for epoch in range(25):
    model.train()
    total = 0.0
    for batch in torch.randperm(len(X_train)).split(50):
        loss = F.cross_entropy(model(X_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    if epoch % 6 == 0:
        print(f"epoch {epoch:2d} loss {total / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    hit = (model(X_test).argmax(1) == y_test).float().mean().item()
print(f"test accuracy {hit:.3f}")
