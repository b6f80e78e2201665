# expect: exploding_sum_loss @ 68
# mend: 68 → criterion = nn.SmoothL1Loss()
"""Forecasts the next 12 hours of a station's load from the last 48, with a trainer and callbacks."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

LOOKBACK, HORIZON = 48, 12


def make_series(n=1300, seed=8):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    noise = np.zeros(n)
    for i in range(1, n):
        noise[i] = 0.8 * noise[i - 1] + rng.normal(0, 1.5)
    return 60 + 12 * np.sin(2 * np.pi * t / 24) + 5 * np.sin(2 * np.pi * t / 168) + noise


class Windows(Dataset):
    def __init__(self, series):
        self.s = torch.tensor(series, dtype=torch.float32)

    def __len__(self):
        return len(self.s) - LOOKBACK - HORIZON + 1

    def __getitem__(self, i):
        cut = i + LOOKBACK
        return self.s[i:cut], self.s[cut:cut + HORIZON]


class Trainer:
    def __init__(self, model, loss_fn, optimizer, callbacks=()):
        self.model, self.loss_fn, self.optimizer = model, loss_fn, optimizer
        self.callbacks = callbacks

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.model.train()
            losses = [self.train_step(*batch) for batch in loader]
            for cb in self.callbacks:
                cb(epoch, sum(losses) / len(losses))

    def train_step(self, x, y):
        self.optimizer.zero_grad()
        loss = self.loss_fn(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def mae(self, loader):
        self.model.eval()
        err = [(self.model(x) - y).abs() for x, y in loader]
        return torch.cat(err).mean().item()


torch.manual_seed(8)
series = make_series()
cut = 1000
mean, std = series[:cut].mean(), series[:cut].std()
train_dl = DataLoader(Windows((series[:cut] - mean) / std), batch_size=64, shuffle=True)
test_dl = DataLoader(Windows((series[cut:] - mean) / std), batch_size=64)

model = nn.Sequential(nn.Linear(LOOKBACK, 48), nn.Tanh(), nn.Linear(48, HORIZON))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
criterion = nn.SmoothL1Loss(reduction="sum")
trainer = Trainer(model, criterion, optimizer, [lambda e, l: print(f"epoch {e + 1:2d} loss {l:.4f}")])
trainer.fit(train_dl, epochs=7)
print(f"test MAE {trainer.mae(test_dl) * std:.3f} kW")
