# missed: unscaled_inputs @ 42
# mend: 42 →         return (self.x[i] - x_mean) / x_std, (self.y[i] - y_mean) / y_std
"""Day-ahead energy demand of buildings from weather and meter readings; MLP on a table."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

COLS = ["temp_c", "pressure_pa", "floor_m2", "yesterday_wh", "hour_share", "occupied"]


def make_table(n, seed):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "temp_c": rng.normal(11, 8, n),
        "pressure_pa": rng.normal(101_300, 900, n),
        "floor_m2": rng.gamma(4, 400, n),
        "yesterday_wh": rng.gamma(6, 15_000, n),
        "hour_share": rng.uniform(0, 1, n),
        "occupied": rng.integers(0, 2, n).astype(float),
    })
    heat = np.maximum(16 - df.temp_c, 0)
    df["kwh"] = (20 + 2.2 * heat + 0.012 * df.floor_m2 + 0.0002 * df.yesterday_wh
                 + 25 * df.occupied * np.sin(np.pi * df.hour_share) + rng.normal(0, 4, n))
    return df


class DemandDataset(Dataset):
    """Standardises with the statistics of the frame it is given, or with those of another set."""

    def __init__(self, frame, stats=None):
        self.x = torch.tensor(frame[COLS].to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(frame["kwh"].to_numpy(), dtype=torch.float32)
        self.stats = stats or (self.x.mean(0), self.x.std(0), self.y.mean(), self.y.std())

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x_mean, x_std, y_mean, y_std = self.stats
        return self.x[i], (self.y[i] - y_mean) / y_std


class DemandNet(nn.Module):
    def __init__(self, n_in, hidden=48):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.out(self.net(x)).squeeze(-1)


def r2(model, loader):
    model.eval()
    with torch.no_grad():
        pairs = [(model(x), y) for x, y in loader]
    pred, true = (torch.cat(c) for c in zip(*pairs))
    return 1 - ((pred - true) ** 2).sum().item() / ((true - true.mean()) ** 2).sum().item()


def main():
    torch.manual_seed(31)
    frame = make_table(1100, seed=31)
    shuffled = frame.sample(frac=1.0, random_state=31)
    train_set = DemandDataset(shuffled.iloc[:800])
    test_set = DemandDataset(shuffled.iloc[800:], stats=train_set.stats)
    train_dl = DataLoader(train_set, batch_size=32, shuffle=True)
    test_dl = DataLoader(test_set, batch_size=100)
    model = DemandNet(len(COLS))
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    huber = nn.HuberLoss()
    for epoch in range(12):
        model.train()
        total = 0.0
        for x, y in train_dl:
            opt.zero_grad()
            loss = huber(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d} huber {total / len(train_set):.4f}")
    print(f"test R2 {r2(model, test_dl):.3f}")


main()
