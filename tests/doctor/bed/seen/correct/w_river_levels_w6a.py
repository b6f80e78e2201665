# expect: nothing
"""River level one day ahead from rain and past levels; the last years are kept for the test, in order of time."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Options:
    years: int = 6
    past: int = 10
    hidden: int = 32
    batch: int = 64
    max_lr: float = 1e-2
    epochs: int = 15
    seed: int = 18


def simulate(years, rng):
    days = np.arange(365 * years)
    season = 1 + 0.4 * np.cos(2 * np.pi * days / 365)
    rain = rng.gamma(0.5, 6.0, len(days)) * season
    level = np.zeros(len(days))
    for d in range(1, len(days)):
        level[d] = 0.85 * level[d - 1] + 0.05 * rain[d - 1] + 0.03 * np.sqrt(rain[d - 1] * (1 + level[d - 1]))
        level[d] += 0.02 * rng.normal()
    return rain, level


def windows(table, past):
    """x: rows t-past .. t-1, y: the level on day t."""
    x = np.stack([table[i:i + past].ravel() for i in range(len(table) - past)])
    return x.astype(np.float32), table[past:, 1].astype(np.float32)


def chronological(table, past, shares=(0.65, 0.15)):
    a = int(shares[0] * len(table))
    b = a + int(shares[1] * len(table))
    mean, std = table[:a].mean(axis=0), table[:a].std(axis=0)
    scaled = (table - mean) / std
    parts = [scaled[:a], scaled[a:b], scaled[b:]]
    return [TensorDataset(*map(torch.from_numpy, windows(p, past))) for p in parts], std[1]


class Net(nn.Module):
    def __init__(self, past, hidden):
        super().__init__()
        self.linear = nn.Linear(2 * past, 1)
        self.bend = nn.Sequential(nn.Linear(2 * past, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        nn.init.zeros_(self.bend[-1].weight)
        nn.init.zeros_(self.bend[-1].bias)

    def forward(self, x):
        return (self.linear(x) + self.bend(x)).squeeze(-1)


def rmse(net, data):
    net.eval()
    x, y = data.tensors
    with torch.no_grad():
        return (net(x) - y).square().mean().sqrt().item()


def main(opt=Options()):
    torch.manual_seed(opt.seed)
    rain, level = simulate(opt.years, np.random.default_rng(opt.seed))
    (train, val, test), unit = chronological(np.column_stack([rain, level]), opt.past)
    loader = DataLoader(train, batch_size=opt.batch, shuffle=True)
    net = Net(opt.past, opt.hidden)
    optimizer = torch.optim.Adam(net.parameters(), lr=opt.max_lr / 25)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, opt.max_lr, epochs=opt.epochs, steps_per_epoch=len(loader))
    best, keep = float("inf"), None
    for epoch in range(1, opt.epochs + 1):
        net.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(x), y)
            loss.backward()
            optimizer.step()
            schedule.step()
        error = rmse(net, val)
        if error < best:
            best, keep = error, {k: v.clone() for k, v in net.state_dict().items()}
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d}  last batch {loss.item():.4f}  validation rmse {error:.4f}")
    net.load_state_dict(keep)
    x, y = test.tensors
    naive = (x[:, -1] - y).square().mean().sqrt().item()
    print(f"test rmse {rmse(net, test):.4f} (as yesterday: {naive:.4f}), one unit is {unit:.2f} m")


if __name__ == "__main__":
    main()
