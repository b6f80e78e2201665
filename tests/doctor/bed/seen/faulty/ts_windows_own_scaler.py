# expect: scaler_leakage @ 41
"""Sensor table, windows over all channels, a scaler class of one's own."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)


def sensors(n=2600, seed=1):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    walk = rng.normal(0, 0.15, (n, 4)).cumsum(0)
    return np.stack([np.sin(t / (9 + 3 * c)) * (2 + c) + walk[:, c] + t * 0.002 * (c + 1) for c in range(4)], axis=1)


class Standardizer:
    """Mean and spread of each channel."""

    def fit(self, rows):
        self.mean, self.std = rows.mean(axis=0), rows.std(axis=0)
        return self

    def transform(self, rows):
        return (rows - self.mean) / self.std


class Windows(Dataset):
    """Windows of one part of the series."""

    def __init__(self, raw, part, look, ahead):
        self.look, self.ahead = look, ahead
        self._prepare(raw, part)

    def _prepare(self, raw, part):
        cut = [0, int(0.7 * len(raw)), int(0.85 * len(raw)), len(raw)]
        k = ["train", "val", "test"].index(part)
        self.scaler = Standardizer()

        self.scaler.fit(raw)
        self.rows = torch.tensor(self.scaler.transform(raw)[cut[k] : cut[k + 1]], dtype=torch.float32)

    def __len__(self):
        return len(self.rows) - self.look - self.ahead + 1

    def __getitem__(self, i):
        return self.rows[i : i + self.look], self.rows[i + self.look : i + self.look + self.ahead]


class Net(nn.Module):
    def __init__(self, look, ahead, channels):
        super().__init__()
        self.ahead, self.channels = ahead, channels
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(look * channels, 64), nn.ReLU(), nn.Linear(64, ahead * channels))

    def forward(self, x):
        return self.body(x).view(-1, self.ahead, self.channels)


raw = sensors()
loaders = {p: DataLoader(Windows(raw, p, 24, 6), batch_size=64, shuffle=p == "train") for p in ("train", "val", "test")}
net = Net(24, 6, 4)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(4):
    net.train()
    for x, y in loaders["train"]:
        loss = nn.functional.mse_loss(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        check = np.mean([(net(x) - y).abs().mean().item() for x, y in loaders["val"]])
    print(epoch, round(loss.item(), 4), check)
with torch.no_grad():
    errors = [(net(x) - y).abs().mean().item() for x, y in loaders["test"]]
print("test MAE", np.mean(errors))
