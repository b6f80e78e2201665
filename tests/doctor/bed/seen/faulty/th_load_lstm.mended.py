# expect: nothing
"""Next-hour electricity load with an LSTM; a meter keeps the loss curve for the report."""
import math

import torch
from torch import nn


class LossMeter:
    """Keeps every value so that the curve can be drawn afterwards."""

    def __init__(self):
        self.values, self.counts = [], []

    def update(self, value, n):
        self.values.append(value)
        self.counts.append(n)

    def average(self, last):
        v, c = self.values[-last:], self.counts[-last:]
        return sum(a * b for a, b in zip(v, c)) / sum(c)


class LoadLSTM(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, window):
        out, _ = self.lstm(window)
        return self.fc(out[:, -1]).squeeze(1)


def make_series(hours=1500):
    t = torch.arange(hours, dtype=torch.float32)
    day = 12 * torch.sin(2 * math.pi * t / 24) + 5 * torch.cos(4 * math.pi * t / 24)
    week = 6 * torch.sin(2 * math.pi * t / 168)
    return 80 + day + week + 1.5 * torch.randn(hours)


def windows(series, width):
    w = series.unfold(0, width + 1, 1)
    return w[:, :-1].unsqueeze(2), w[:, -1]


def main():
    torch.manual_seed(5)
    width, batch_size, epochs = 24, 64, 12
    series = make_series()
    cut = 1200
    mean, std = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / std
    x_train, y_train = windows(scaled[:cut], width)
    x_test, y_test = windows(scaled[cut:], width)

    model = LoadLSTM()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    criterion = nn.MSELoss()
    meter = LossMeter()
    for epoch in range(epochs):
        model.train()
        batches = torch.randperm(len(x_train)).split(batch_size)
        for idx in batches:
            optimizer.zero_grad()
            loss = criterion(model(x_train[idx]), y_train[idx])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            meter.update(loss.item(), len(idx))
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  train MSE {meter.average(len(batches)):.4f}")

    model.eval()
    with torch.no_grad():
        error = (model(x_test) - y_test) * std
    naive = (x_test[:, -1, 0] - y_test) * std
    print(f"test RMSE {error.pow(2).mean().sqrt().item():.2f} MW, "
          f"last-value forecast {naive.pow(2).mean().sqrt().item():.2f} MW")
    print(f"{len(meter.values)} points in the loss curve")


if __name__ == "__main__":
    main()
