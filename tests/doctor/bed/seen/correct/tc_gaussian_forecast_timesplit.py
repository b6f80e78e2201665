# expect: nothing
"""Forecast of a temperature series with its uncertainty: split in time, plateau scheduler on the validation stretch, Gaussian likelihood."""
import logging
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger(__name__)


class Windows(Dataset):
    """The last `lags` hours and the hour of the day, and the hour that follows."""

    def __init__(self, series, first, last, lags):
        self.series, self.first, self.last, self.lags = series, first, last, lags

    def __len__(self):
        return self.last - self.first - self.lags

    def __getitem__(self, i):
        start = self.first + i
        end = start + self.lags
        angle = 2 * math.pi * (end % 24) / 24
        clock = torch.tensor([math.sin(angle), math.cos(angle)])
        return torch.cat([self.series[start:end], clock]), self.series[end]


def temperatures(hours, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    weather = np.zeros(hours)
    for i in range(1, hours):
        weather[i] = 0.9 * weather[i - 1] + rng.normal(0, 0.5)
    return 12 + 5 * np.sin(2 * np.pi * (t - 8) / 24) + weather


class GaussianNet(nn.Module):
    def __init__(self, n_in, hidden=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, hidden), nn.ELU(), nn.Linear(hidden, hidden), nn.ELU())
        self.mean = nn.Linear(hidden, 1)
        self.log_var = nn.Linear(hidden, 1)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h).squeeze(-1), self.log_var(h).squeeze(-1).clamp(-7.0, 4.0)


def nll(mean, log_var, target):
    return 0.5 * (log_var + (target - mean) ** 2 * torch.exp(-log_var)).mean()


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    total = covered = n = 0
    for x, y in loader:
        mean, log_var = model(x)
        total += nll(mean, log_var, y).item() * len(y)
        covered += ((y - mean).abs() < 1.96 * torch.exp(0.5 * log_var)).sum().item()
        n += len(y)
    return total / n, covered / n


def main(lags=12):
    torch.manual_seed(61)
    raw = temperatures(2600, seed=61)
    a, b = 1800, 2200
    mean, std = raw[:a].mean(), raw[:a].std()
    series = torch.tensor((raw - mean) / std, dtype=torch.float32)
    train = DataLoader(Windows(series, 0, a, lags), batch_size=64, shuffle=True)
    valid = DataLoader(Windows(series, a, b, lags), batch_size=400)
    test = DataLoader(Windows(series, b, len(series), lags), batch_size=400)

    model = GaussianNet(lags + 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2)
    for epoch in range(1, 19):
        model.train()
        for x, y in train:
            optimizer.zero_grad()
            loss = nll(*model(x), y)
            loss.backward()
            optimizer.step()
        valid_nll, _ = evaluate(model, valid)
        plateau.step(valid_nll)
        if epoch % 6 == 0:
            log.info("epoch %d validation nll %.4f lr %.5f", epoch, valid_nll, optimizer.param_groups[0]["lr"])
    test_nll, covered = evaluate(model, test)
    print(f"test nll {test_nll:.4f}, 95 % band covers {covered:.3f}")


if __name__ == "__main__":
    main()
