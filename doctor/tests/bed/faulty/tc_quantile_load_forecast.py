# expect: detached_loss @ 48
# mend: 48 →     return torch.stack(parts).mean()
"""Quantile forecast of tomorrow's electricity load (10 %, 50 %, 90 %) from the week before, with pinball loss."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

QUANTILES = (0.1, 0.5, 0.9)
LAGS = 14


def made_up_load(days, rng):
    t = np.arange(days)
    weekly = 8.0 * np.sin(2 * np.pi * t / 7) + 4.0 * (t % 7 >= 5)
    season = 10.0 * np.cos(2 * np.pi * t / 91)
    noise = np.zeros(days)
    for i in range(1, days):
        noise[i] = 0.6 * noise[i - 1] + rng.normal(0, 1.5)
    return 100 + weekly + season + noise


def windows(series):
    x = np.stack([series[i:i + LAGS] for i in range(len(series) - LAGS)])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(series[LAGS:], dtype=torch.float32)


def pinball(pred, target, q):
    diff = target - pred
    return torch.maximum(q * diff, (q - 1) * diff).mean()


class QuantileNet(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(LAGS, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        self.low = nn.Linear(hidden, 1)
        self.gaps = nn.Linear(hidden, len(QUANTILES) - 1)

    def forward(self, x):
        h = self.inner(x)
        low = self.low(h)
        return torch.cat([low, low + F.softplus(self.gaps(h)).cumsum(1)], dim=1)


def total_loss(pred, target):
    parts = [pinball(pred[:, k], target, q) for k, q in enumerate(QUANTILES)]
    return torch.tensor([part.item() for part in parts], requires_grad=True).mean()


def run():
    torch.manual_seed(5)
    series = made_up_load(1460, np.random.default_rng(5))
    n_train, n_valid = 1000, 180
    mean, std = series[:n_train].mean(), series[:n_train].std()
    scaled = (series - mean) / std
    x_train, y_train = windows(scaled[:n_train])
    x_valid, y_valid = windows(scaled[n_train - LAGS:n_train + n_valid])
    x_test, y_test = windows(scaled[n_train + n_valid - LAGS:])

    net = QuantileNet()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    best, best_state, patience = float("inf"), None, 0
    for epoch in range(60):
        net.train()
        for idx in torch.randperm(len(x_train)).split(64):
            loss = total_loss(net(x_train[idx]), y_train[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            valid = total_loss(net(x_valid), y_valid).item()
        if valid < best - 1e-5:
            best, patience = valid, 0
            best_state = {k: v.clone() for k, v in net.state_dict().items()}
        else:
            patience += 1
            if patience == 8:
                break
    net.load_state_dict(best_state)
    net.eval()
    with torch.no_grad():
        pred = net(x_test)
    inside = ((y_test >= pred[:, 0]) & (y_test <= pred[:, 2])).float().mean().item()
    mae = (pred[:, 1] - y_test).abs().mean().item() * std
    print(f"stopped after epoch {epoch}, validation pinball {best:.4f}")
    print(f"median off by {mae:.2f} MW, 80 % band holds {inside:.2f} of the test days")


run()
