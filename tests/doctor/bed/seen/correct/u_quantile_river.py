# expect: nothing
"""River level tomorrow as three quantiles; split by date, early stopping on the middle stretch, best weights kept in a file."""
import os
import tempfile

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

QUANTILES = torch.tensor([0.1, 0.5, 0.9])
LAGS = 4


def river(days, rng):
    rain = rng.gamma(0.6, 4.0, days)
    level = np.full(days, 20.0)
    for t in range(1, days):
        level[t] = 0.8 * level[t - 1] + 1.2 * rain[t - 1] + 1.2 + rng.normal(0, 0.6)
    return np.stack([level, rain], axis=1)


def lagged(table, first, last):
    """Rows whose target day lies in [first, last)."""
    x = np.stack([table[t - LAGS : t].ravel() for t in range(first, last)])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(table[first:last, 0], dtype=torch.float32)


def pinball(pred, y):
    gap = y.unsqueeze(1) - pred
    return torch.maximum(QUANTILES * gap, (QUANTILES - 1) * gap).mean()


class QuantileNet(nn.Module):
    def __init__(self, n_in, hidden=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU())
        self.middle = nn.Linear(hidden, 1)
        self.spread = nn.Linear(hidden, 2)

    def forward(self, x):
        h = self.body(x)
        m = self.middle(h)
        down, up = nn.functional.softplus(self.spread(h)).chunk(2, dim=1)
        return torch.cat([m - down, m, m + up], dim=1)


def main():
    torch.manual_seed(95)
    table = river(1500, np.random.default_rng(95))
    mean, std = table[:1000].mean(axis=0), table[:1000].std(axis=0)
    table = (table - mean) / std
    x_train, y_train = lagged(table, LAGS, 1000)
    x_valid, y_valid = lagged(table, 1000, 1250)
    x_test, y_test = lagged(table, 1250, 1500)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)

    model = QuantileNet(2 * LAGS)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
    best, waited, epoch = float("inf"), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "best.pt")
        while waited < 8 and epoch < 40:
            epoch += 1
            model.train()
            for x, y in loader:
                optimizer.zero_grad()
                pinball(model(x), y).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                valid = pinball(model(x_valid), y_valid).item()
            scheduler.step(valid)
            if valid < best:
                best, waited = valid, 0
                torch.save(model.state_dict(), path)
            else:
                waited += 1
        model.load_state_dict(torch.load(path))
    print(f"stopped after epoch {epoch}, best validation pinball {best:.4f}")

    model.eval()
    with torch.no_grad():
        low, mid, high = model(x_test).T
    inside = ((y_test >= low) & (y_test <= high)).float().mean().item()
    print(f"test: median off by {(mid - y_test).abs().mean().item() * std[0]:.2f} cm, "
          f"no change {(x_test[:, -2] - y_test).abs().mean().item() * std[0]:.2f} cm, inside 10-90 % {inside:.3f}")


if __name__ == "__main__":
    main()
