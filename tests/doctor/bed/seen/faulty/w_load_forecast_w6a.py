# expect: exploding_sum_loss @ 43
# allowed: exploding_sum_loss @ 78
"""Forecast of the next six hours of electric load from the last day, GRU, chronological split."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def hourly_load(days=70, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(days * 24)
    day = np.sin(2 * np.pi * (t - 7) / 24) + 0.4 * np.sin(4 * np.pi * t / 24)
    week = np.where((t // 24) % 7 >= 5, -0.6, 0.0)
    noise = np.zeros(len(t))
    for i in range(1, len(t)):
        noise[i] = 0.8 * noise[i - 1] + 0.12 * rng.normal()
    return (520 + 110 * (day + week + noise)).astype(np.float32)


class Windows(Dataset):
    def __init__(self, series, past=24, ahead=6):
        self.series = torch.as_tensor(series)
        self.past, self.ahead = past, ahead

    def __len__(self):
        return len(self.series) - self.past - self.ahead + 1

    def __getitem__(self, i):
        cut = i + self.past
        return self.series[i:cut].unsqueeze(-1), self.series[cut:cut + self.ahead]


class HuberLoss(nn.Module):
    def __init__(self, delta=1.0):
        super().__init__()
        self.delta = delta

    def forward(self, pred, target):
        err = (pred - target).abs()
        small = torch.clamp(err, max=self.delta)
        loss = 0.5 * small ** 2 + self.delta * (err - small)
        return loss.sum()


class Forecaster(nn.Module):
    def __init__(self, hidden=32, ahead=6):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, ahead)

    def forward(self, x):
        _, h = self.gru(x)
        return self.head(h[-1])


def mae(model, loader):
    model.eval()
    total, n = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            total += (model(x) - y).abs().sum().item()
            n += y.numel()
    return total / n


def main():
    torch.manual_seed(0)
    series = hourly_load()
    cut = int(0.8 * len(series))
    mean, std = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / std
    train_loader = DataLoader(Windows(scaled[:cut]), batch_size=64, shuffle=True)
    test_loader = DataLoader(Windows(scaled[cut:]), batch_size=256)

    model = Forecaster()
    criterion = HuberLoss(delta=1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    for epoch in range(1, 13):
        model.train()
        running = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item()
        if epoch % 4 == 0:
            print(f"epoch {epoch:2d}  loss {running / len(train_loader):.4f}")
    error = mae(model, test_loader)
    print(f"test error {error * std:.1f} MW ({error:.3f} standard deviations)")


if __name__ == "__main__":
    main()
