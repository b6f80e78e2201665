# expect: duplicate_leakage @ 34
# allowed: duplicate_leakage @ 35
"""Bearing vibration: few labelled snippets, so each one is multiplied by small jitters before the net sees it."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(31)
torch.manual_seed(31)

COPIES = 4

# 420 snippets: energy in 20 frequency bands (log scale), worn or healthy; a few inspections were mistaken
n = 420
base = rng.normal(0, 1, (n, 20))
score = 0.9 * base[:, 3] + 0.7 * base[:, 8] - 0.8 * base[:, 13] + rng.normal(0, 0.6, n)
frame = pd.DataFrame(base, columns=[f"band{i:02d}" for i in range(20)])
frame["worn"] = (score > 0).astype(int)


def augment(table, copies):
    """The table and `copies` slightly disturbed versions of each of its rows."""
    parts = [table]
    for _ in range(copies):
        twin = table.copy()
        bands = twin.columns.drop("worn")
        twin[bands] = twin[bands] + rng.normal(0, 0.15, (len(twin), len(bands)))
        parts.append(twin)
    return pd.concat(parts, ignore_index=True)


frame = augment(frame, COPIES)
train, test = train_test_split(frame, test_size=0.3, stratify=frame["worn"], random_state=0)
print(f"{len(train)} training rows, {len(test)} test rows")

bands = frame.columns.drop("worn")
mu, sd = train[bands].mean(), train[bands].std()


def to_tensors(part):
    z = (part[bands] - mu) / sd
    return torch.tensor(z.to_numpy(), dtype=torch.float32), torch.tensor(part["worn"].to_numpy(), dtype=torch.float32)


X_train, y_train = to_tensors(train)
X_test, y_test = to_tensors(test)

net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
loss_fn = nn.BCEWithLogitsLoss()

for epoch in range(6):
    total = 0.0
    for idx in torch.randperm(len(X_train)).split(48):
        loss = loss_fn(net(X_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 2 == 1:
        print(f"epoch {epoch + 1:2d}  loss {total / len(X_train):.4f}")

net.eval()
with torch.no_grad():
    hit_train = ((net(X_train) > 0).float() == y_train).float().mean().item()
    hit_test = ((net(X_test) > 0).float() == y_test).float().mean().item()
print(f"accuracy: train {hit_train:.3f}  test {hit_test:.3f}")
