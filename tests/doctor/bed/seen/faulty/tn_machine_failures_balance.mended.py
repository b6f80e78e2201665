# expect: nothing
"""Rare machine failures, repeated until they are as many as the others."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(0)


def balance(rows, times):
    out = []
    for row in rows:
        for _ in range(times if row[1] else 1):
            out.append(row)
    return out


def readings(n):
    found = []
    for _ in range(n):
        bad = rng.random() < 0.1
        found.append((rng.normal(0.7 * bad, 1, 8).astype(np.float32), int(bad)))
    return found


table = readings(1500)
rng.shuffle(table)
n_test = len(table) // 4
test_rows, train_rows = table[:n_test], balance(table[n_test:], 8)


def dataset(rows):
    return TensorDataset(torch.tensor(np.stack([r for r, _ in rows])), torch.tensor([label for _, label in rows]))


train, test = dataset(train_rows), dataset(test_rows)
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(15):
    for xb, yb in DataLoader(train, batch_size=64, shuffle=True):
        loss = nn.functional.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
model.eval()
right = 0
with torch.no_grad():
    for xb, yb in DataLoader(test, batch_size=256):
        right += (model(xb).argmax(1) == yb).sum().item()
print("test accuracy", right / len(test))
