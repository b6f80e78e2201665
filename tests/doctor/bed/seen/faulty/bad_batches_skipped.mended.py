# expect: nothing
# mends: bad_batches_skipped.py
"""Sensor readings with gaps; batches whose loss is not a number are passed over in silence."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Sensors(Dataset):
    def __init__(self, n=480):
        g = torch.Generator().manual_seed(0)
        self.readings = torch.randn(n, 6, generator=g)
        self.state = (self.readings[:, 0] * self.readings[:, 1] > 0).long()
        gaps = torch.randperm(n, generator=g)[:40]
        self.readings[gaps, 3] = float("nan")
        self.readings = torch.nan_to_num(self.readings, nan=0.0)

    def __len__(self):
        return len(self.state)

    def __getitem__(self, i):
        return self.readings[i], self.state[i]


torch.manual_seed(0)
loader = DataLoader(Sensors(), batch_size=8, shuffle=True)
model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(5):
    used = 0
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(x), y)
        if not torch.isfinite(loss):
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()
        used += 1
    print(f"epoch {epoch} loss {loss.item():.4f} batches used {used} of {len(loader)}")
