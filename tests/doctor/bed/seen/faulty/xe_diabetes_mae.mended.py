# expect: nothing
"""Disease progression from ten clinical columns, small MLP, error in the units of the study."""
from dataclasses import dataclass

import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Cfg:
    seed: int = 4
    epochs: int = 60
    batch: int = 32
    lr: float = 3e-3
    hidden: int = 24
    decay: float = 1e-2


class RunningError:
    """mean absolute error over batches, given back on the raw scale"""

    def __init__(self, scale):
        self.scale = scale
        self.total = 0.0
        self.seen = 0

    def update(self, out, y):
        gap = (out.squeeze(1) - y).abs().mean()
        self.total += gap.item() * len(y)
        self.seen += len(y)

    def value(self):
        return self.total / self.seen * self.scale


def load(cfg):
    d = load_diabetes(scaled=False)
    x = torch.tensor(d.data, dtype=torch.float32)
    y = torch.tensor(d.target, dtype=torch.float32)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(cfg.seed))
    tr, te = order[:330], order[330:]
    mx, sx = x[tr].mean(0), x[tr].std(0)
    my, sy = y[tr].mean(), y[tr].std()
    x = (x - mx) / sx
    y = (y - my) / sy
    train = DataLoader(TensorDataset(x[tr], y[tr]), batch_size=cfg.batch, shuffle=True)
    test = DataLoader(TensorDataset(x[te], y[te]), batch_size=cfg.batch)
    return train, test, sy.item()


@torch.no_grad()
def evaluate(net, loader, scale):
    net.eval()
    err = RunningError(scale)
    for xb, yb in loader:
        err.update(net(xb), yb)
    return err.value()


def fit(cfg):
    torch.manual_seed(cfg.seed)
    train, test, scale = load(cfg)
    net = nn.Sequential(
        nn.Linear(10, cfg.hidden), nn.SiLU(), nn.Dropout(0.1), nn.Linear(cfg.hidden, 1)
    )
    opt = torch.optim.AdamW(net.parameters(), lr=cfg.lr, weight_decay=cfg.decay)
    for epoch in range(1, cfg.epochs + 1):
        net.train()
        running = 0.0
        for xb, yb in train:
            loss = nn.functional.mse_loss(net(xb), yb.unsqueeze(1))
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(xb)
        if epoch % 15 == 0:
            print(f"epoch {epoch:3d}  train mse {running / len(train.dataset):.3f}")
    print(f"train MAE {evaluate(net, train, scale):.1f}   test MAE {evaluate(net, test, scale):.1f}")


if __name__ == "__main__":
    fit(Cfg())
