# expect: train_mode_never_restored @ 63
# allowed: train_mode_never_restored @ 64
# allowed: train_mode_never_restored @ 51
"""Bearing vibration notebook: 1-D CNN, early stopping on a validation part, best weights kept in memory."""
import copy

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(8)
torch.manual_seed(8)

# --- signals: healthy, inner ring, outer ring, unbalance --------------------------------
N, T = 1200, 96
labels = rng.integers(0, 4, N)
t = np.arange(T)
signals = rng.normal(0, 0.6, (N, T))
for i, kind in enumerate(labels):
    phase = rng.uniform(0, 2 * np.pi)
    signals[i] += 0.6 * np.sin(2 * np.pi * t / 24 + phase)
    if kind == 1:
        signals[i, rng.integers(0, 12)::12] += 1.6
    elif kind == 2:
        signals[i, rng.integers(0, 19)::19] -= 2.0
    elif kind == 3:
        signals[i] += 0.9 * np.sin(2 * np.pi * t / 24 + phase)
X = torch.tensor(signals, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(labels)
parts = {"train": slice(0, 700), "valid": slice(700, 900), "test": slice(900, N)}
mean, std = X[parts["train"]].mean(), X[parts["train"]].std()
X = (X - mean) / std
loaders = {
    name: DataLoader(TensorDataset(X[rows], y[rows]), batch_size=50, shuffle=name == "train")
    for name, rows in parts.items()
}

# --- network ------------------------------------------------------------------------------
model = nn.Sequential(
    nn.Conv1d(1, 16, 7, padding=3), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(0.15),
    nn.Conv1d(16, 32, 5, padding=2), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(0.15),
    nn.Conv1d(32, 32, 3, padding=1), nn.BatchNorm1d(32), nn.ReLU(), nn.AdaptiveAvgPool1d(1),
    nn.Flatten(), nn.Linear(32, 4),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)


def score(loader):
    model.eval()
    loss, hits = 0.0, 0
    with torch.no_grad():
        for xb, yb in loader:
            out = model(xb)
            loss += nn.functional.cross_entropy(out, yb, reduction="sum").item()
            hits += (out.argmax(1) == yb).sum().item()
    return loss / len(loader.dataset), hits / len(loader.dataset)


# --- training -----------------------------------------------------------------------------
best_loss, best_state, patience, waited = float("inf"), None, 4, 0
model.train()
for epoch in range(14):
    running = 0.0
    for xb, yb in loaders["train"]:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item()
    valid_loss, valid_acc = score(loaders["valid"])
    print(f"{epoch:02d} train {running / len(loaders['train']):.3f} valid {valid_loss:.3f} acc {valid_acc:.3f}")
    if valid_loss < best_loss:
        best_loss, best_state, waited = valid_loss, copy.deepcopy(model.state_dict()), 0
    else:
        waited += 1
        if waited == patience:
            break

model.load_state_dict(best_state)
print("test loss %.3f acc %.3f" % score(loaders["test"]))
