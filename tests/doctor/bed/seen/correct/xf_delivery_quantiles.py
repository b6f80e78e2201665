# expect: nothing
"""Quantile forecast of delivery times: one net, five quantiles, pinball loss over a [N, 1] against [N, 5] grid."""
import numpy as np
import torch
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

LEVELS = torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9])


class Deliveries(Dataset):
    def __init__(self, x, y):
        order = np.random.default_rng(23).permutation(len(x))
        self.x = torch.tensor(x[order], dtype=torch.float32)
        self.y = torch.tensor(y[order], dtype=torch.float32).unsqueeze(1)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class QuantileNet(nn.Module):
    """Lowest quantile plus positive gaps, so that the quantiles never cross."""

    def __init__(self, n_in):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, 32), nn.Tanh(), nn.Linear(32, len(LEVELS)))

    def forward(self, x):
        low, gaps = self.body(x).split([1, len(LEVELS) - 1], dim=1)
        return torch.cat([low, nn.functional.softplus(gaps)], dim=1).cumsum(dim=1)


def pinball(pred, y):
    gap = y.expand_as(pred) - pred  # each target against all five levels
    return torch.maximum(LEVELS * gap, (LEVELS - 1) * gap).mean()


def fit(data, rows, epochs=15):
    net = QuantileNet(data.x.shape[1])
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=epochs)
    for _ in range(epochs):
        net.train()
        for xb, yb in DataLoader(Subset(data, rows), batch_size=64, shuffle=True):
            opt.zero_grad()
            pinball(net(xb), yb).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
        decay.step()
    return net.eval()


rng = np.random.default_rng(29)
n = 1500
raw = np.column_stack([rng.exponential(5, n), rng.integers(0, 24, n), rng.normal(10, 8, n)])
minutes = 12 + 3 * raw[:, 0] + 8 * np.exp(-((raw[:, 1] - 18) / 3) ** 2) + rng.gamma(2, 1 + 0.6 * raw[:, 0])

for fold, (tr, te) in enumerate(KFold(3, shuffle=True, random_state=23).split(raw)):
    torch.manual_seed(fold)
    sx, sy = StandardScaler().fit(raw[tr]), StandardScaler().fit(minutes[tr, None])
    train = Deliveries(sx.transform(raw[tr]), sy.transform(minutes[tr, None])[:, 0])
    net = fit(train, range(len(train)))
    with torch.no_grad():
        q = net(torch.tensor(sx.transform(raw[te]), dtype=torch.float32))
    truth = torch.tensor(sy.transform(minutes[te, None]), dtype=torch.float32)
    below = (truth <= q).float().mean(dim=0)
    print(f"fold {fold}: pinball {pinball(q, truth):.4f}, share below {[round(v, 2) for v in below.tolist()]}")
