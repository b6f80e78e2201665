# expect: nothing
"""Probabilistic day-ahead load forecast: one network, three quantiles, pinball loss."""
import numpy as np
import torch
from torch import nn

QUANTILES = (0.1, 0.5, 0.9)
HISTORY = 24


def make_series(hours=2200, seed=11):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    level = 50 + 12 * np.sin(2 * np.pi * t / 24) + 5 * np.sin(2 * np.pi * t / 168)
    noise = np.zeros(hours)
    for i in range(1, hours):
        noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 1 + 1.5 * (np.sin(2 * np.pi * i / 24) > 0))
    return (level + noise).astype(np.float32)


def windows(series):
    view = np.lib.stride_tricks.sliding_window_view(series, HISTORY + 1)
    return torch.tensor(view[:, :-1].copy()), torch.tensor(view[:, -1].copy())


def pinball(prediction, target, q):
    error = target - prediction
    return torch.maximum(q * error, (q - 1) * error).mean()


class QuantileNet(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(HISTORY, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.heads = nn.ModuleList([nn.Linear(width, 1) for _ in QUANTILES])

    def forward(self, x):
        z = self.trunk(x)
        return [head(z).squeeze(-1) for head in self.heads]


def train(net, x, y, epochs=25, batch=64):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(epochs):
        net.train()
        seen = 0.0
        for idx in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            losses = [pinball(out, y[idx], q) for out, q in zip(net(x[idx]), QUANTILES)]
            loss = torch.stack(losses).mean()
            loss.backward()
            optimizer.step()
            seen += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d} pinball {seen / len(x):.4f}")


def coverage(net, x, y):
    net.eval()
    with torch.no_grad():
        low, mid, high = net(x)
    inside = ((y >= low) & (y <= high)).float().mean().item()
    return inside, (mid - y).abs().mean().item()


if __name__ == "__main__":
    torch.manual_seed(11)
    series = make_series()
    cut = 1680
    mean, std = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / std
    x_train, y_train = windows(scaled[:cut])
    x_test, y_test = windows(scaled[cut:])
    net = QuantileNet()
    train(net, x_train, y_train)
    inside, mae = coverage(net, x_test, y_test)
    print(f"80% band covers {inside:.2f}, median MAE {mae * std:.2f} MW")
