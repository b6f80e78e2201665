# expect: nothing
"""Temporal convolution network for river levels, chronological split with a gap, best epoch by the middle stretch."""
import io
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class WindowSet(Dataset):
    def __init__(self, series, history, horizon):
        self.series, self.history, self.horizon = series, history, horizon

    def __len__(self):
        return len(self.series) - self.history - self.horizon + 1

    def __getitem__(self, i):
        j = i + self.history
        return self.series[i:j].unsqueeze(0), self.series[j:j + self.horizon]


class CausalConv(nn.Module):
    def __init__(self, cin, cout, kernel, dilation):
        super().__init__()
        self.left = (kernel - 1) * dilation
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(cin, cout, kernel, dilation=dilation))
        self.skip = nn.Conv1d(cin, cout, 1) if cin != cout else nn.Identity()
        self.dropout = nn.Dropout(0.05)

    def forward(self, x):
        return self.skip(x) + self.dropout(F.relu(self.conv(F.pad(x, (self.left, 0)))))


class TCN(nn.Module):
    def __init__(self, horizon, width=16):
        super().__init__()
        self.body = nn.Sequential(*[CausalConv(1 if d == 1 else width, width, 3, d) for d in (1, 2, 4, 8)])
        self.read = nn.Linear(width, horizon)

    def forward(self, x):
        # the last value plus a learned change
        return x[:, 0, -1:] + self.read(self.body(x)[:, :, -1])


def river(n, seed):
    rng = np.random.default_rng(seed)
    level, rain = np.zeros(n), rng.random(n) < 0.06
    pulse = 0.0
    for t in range(1, n):
        pulse = 0.8 * pulse + rain[t] * rng.gamma(4, 0.4)
        level[t] = 0.9 * level[t - 1] + 0.25 * pulse + 0.05 * rng.normal()
    return level + 0.5 * np.sin(2 * math.pi * np.arange(n) / 24)


def mean_loss(model, loader):
    model.eval()
    with torch.no_grad():
        sums = [(F.l1_loss(model(x), y, reduction="sum").item(), y.numel()) for x, y in loader]
    return sum(s for s, _ in sums) / sum(n for _, n in sums)


torch.manual_seed(90)
HISTORY, HORIZON = 32, 4
level = torch.tensor(river(3000, seed=90), dtype=torch.float32)
train_part, valid_part, test_part = level[:1800], level[1832:2400], level[2432:]
mean, std = train_part.mean(), train_part.std()
sets = [WindowSet((part - mean) / std, HISTORY, HORIZON) for part in (train_part, valid_part, test_part)]
train_loader = DataLoader(sets[0], batch_size=96, shuffle=True)
valid_loader, test_loader = (DataLoader(s, batch_size=256) for s in sets[1:])

model = TCN(HORIZON)
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
best, kept = float("inf"), io.BytesIO()
for epoch in range(7):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = F.smooth_l1_loss(model(x), y)
        loss.backward()
        optimizer.step()
    valid = mean_loss(model, valid_loader)
    print(f"epoch {epoch + 1}: validation MAE {valid * std:.3f} m")
    if valid < best:
        best, kept = valid, io.BytesIO()
        torch.save(model.state_dict(), kept)

kept.seek(0)
model.load_state_dict(torch.load(kept))
naive = sum((x[:, 0, -1:] - y).abs().sum().item() for x, y in test_loader) / (len(sets[2]) * HORIZON)
print(f"test MAE {mean_loss(model, test_loader) * std:.3f} m, persistence {naive * std:.3f} m")
