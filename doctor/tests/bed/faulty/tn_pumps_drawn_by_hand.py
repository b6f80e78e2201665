# missed: class_imbalance @ 25
# allowed: class_imbalance @ 26
# allowed: class_imbalance @ 27
# mend: 26 → chance = np.array([1 / tally[label] for label in leak.tolist()], dtype=float)
"""Rare leaks, rows drawn anew for every epoch with chances per row."""
from collections import Counter

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(3)
torch.manual_seed(3)


def measure(n):
    leak = (rng.random(n) < 0.05).astype(np.int64)
    signals = rng.normal(size=(n, 5)) + leak[:, None] * np.array([1.0, -1.0, 0.8, 0.0, 0.0])
    return signals.astype(np.float32), leak


signals, leak = measure(2500)
x, y = torch.from_numpy(signals), torch.from_numpy(leak)

tally = Counter(leak.tolist())
chance = np.array([tally[label] for label in leak.tolist()], dtype=float)
chance = chance / chance.sum()
drawn = rng.choice(len(leak), size=len(leak), p=chance)
x, y = x[drawn], y[drawn]

net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(12):
    total = 0.0
    for rows in torch.randperm(len(x)).split(50):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch} loss {total / len(x):.4f}")

x_test, y_test = measure(1500)
with torch.no_grad():
    guess = net(torch.from_numpy(x_test)).argmax(1).numpy()
print("recall of leaks", (guess[y_test == 1] == 1).mean())
