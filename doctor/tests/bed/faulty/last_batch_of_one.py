# expect: batchnorm_batch_of_one @ 14
# allowed: batchnorm_batch_of_one @ 23
# mend: 14 → loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True, drop_last=True)
"""Batch norm and a last batch with a single row, swallowed by an except."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X[:769] / 16, dtype=torch.float32), torch.tensor(y[:769])
loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(4):
    skipped, total = 0, 0.0
    for xb, yb in loader:
        try:
            loss = loss_fn(net(xb), yb)
        except ValueError:
            skipped += 1
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / (len(loader) - skipped):.4f} skipped {skipped}")
