# expect: nothing
"""River gauge forecast: 24 hours of level and rain -> level six hours later.  GRU with early stopping."""
import copy

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LOOKBACK, AHEAD = 24, 6


def gauge(hours, rng):
    rain = rng.gamma(2.0, 0.5, hours) * (rng.random(hours) < 0.2)
    level = np.zeros(hours)
    store = 0.0
    for h in range(1, hours):
        store = 0.93 * store + rain[h]
        level[h] = 0.8 * level[h - 1] + 0.2 * store + 0.15 * rng.standard_normal()
    return np.stack([level, rain], axis=1)


def windows(block):
    xs = [block[i : i + LOOKBACK] for i in range(len(block) - LOOKBACK - AHEAD)]
    ys = [block[i + LOOKBACK + AHEAD - 1, 0] for i in range(len(block) - LOOKBACK - AHEAD)]
    return TensorDataset(
        torch.tensor(np.array(xs), dtype=torch.float32), torch.tensor(np.array(ys), dtype=torch.float32)
    )


class GaugeNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(2, hidden, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.head(self.drop(self.gru(x)[1][-1])).squeeze(-1)


class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.bad, self.state = patience, float("inf"), 0, None

    def __call__(self, value, model):
        if value < self.best:
            self.best, self.bad = value, 0
            self.state = copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


class Forecaster:
    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.loss = nn.MSELoss()

    def fit(self, train, monitor, epochs, patience=5):
        stopper = EarlyStopping(patience)
        for epoch in range(epochs):
            self.model.train()
            for x, y in train:
                self.opt.zero_grad()
                loss = self.loss(self.model(x), y)
                loss.backward()
                self.opt.step()
            score = self.score(monitor)
            print(f"epoch {epoch:2d}  monitored mse {score:.4f}")
            if stopper(score, self.model):
                break
        self.model.load_state_dict(stopper.state)
        return stopper.best

    @torch.no_grad()
    def score(self, loader):
        self.model.eval()
        sq = sum(((self.model(x) - y) ** 2).sum().item() for x, y in loader)
        return sq / len(loader.dataset)


def main():
    rng = np.random.default_rng(6)
    torch.manual_seed(6)
    data = gauge(900, rng)
    blocks = {"train": data[:540], "valid": data[540:720], "test": data[720:]}
    mean, std = blocks["train"].mean(0), blocks["train"].std(0)
    loaders = {
        name: DataLoader(windows((b - mean) / std), batch_size=24, shuffle=(name == "train"))
        for name, b in blocks.items()
    }
    forecaster = Forecaster(GaugeNet(), lr=8e-3)
    best = forecaster.fit(loaders["train"], loaders["valid"], epochs=12)
    print(f"best monitored mse {best:.4f}, valid mse {forecaster.score(loaders['valid']):.4f}")
    print(f"test mse {forecaster.score(loaders['test']):.4f} (variances of the training level)")


main()
