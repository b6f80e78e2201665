# expect: nothing
"""Neural emulator of the borehole function: width picked on validation rows, refitted, tested once."""
import argparse
import math
from dataclasses import dataclass

import torch
from torch import nn

LOW = torch.tensor([0.05, 100.0, 63070.0, 990.0, 63.1, 700.0, 1120.0, 9855.0])
HIGH = torch.tensor([0.15, 50000.0, 115600.0, 1110.0, 116.0, 820.0, 1680.0, 12045.0])


def borehole(x):
    rw, r, tu, hu, tl, hl, length, kw = x.unbind(dim=1)
    log_ratio = torch.log(r / rw)
    return 2 * math.pi * tu * (hu - hl) / (log_ratio * (1 + 2 * length * tu / (log_ratio * rw**2 * kw) + tu / tl))


@dataclass
class Table:
    x: torch.Tensor
    y: torch.Tensor

    def rows(self, idx):
        return Table(self.x[idx], self.y[idx])

    def __len__(self):
        return len(self.x)


class Emulator:
    """MLP on the unit cube with a standardised output."""

    def __init__(self, width, seed):
        torch.manual_seed(seed)
        self.net = nn.Sequential(nn.Linear(8, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def _unit(self, x):
        return 2 * (x - LOW) / (HIGH - LOW) - 1

    def fit(self, table, epochs, lr, batch_size=64):
        self.mu, self.sd = table.y.mean(), table.y.std()
        x, y = self._unit(table.x), (table.y - self.mu) / self.sd
        opt = torch.optim.Adam(self.net.parameters(), lr=lr)
        sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs)
        self.net.train()
        for _ in range(epochs):
            for idx in torch.randperm(len(x)).split(batch_size):
                loss = nn.functional.mse_loss(self.net(x[idx]).squeeze(1), y[idx])
                opt.zero_grad()
                loss.backward()
                opt.step()
            sched.step()
        return self

    @torch.no_grad()
    def r2(self, table):
        self.net.eval()
        pred = self.net(self._unit(table.x)).squeeze(1) * self.sd + self.mu
        return 1 - ((pred - table.y).pow(2).sum() / (table.y - table.y.mean()).pow(2).sum()).item()


def main(args):
    gen = torch.Generator().manual_seed(args.seed)
    x = LOW + (HIGH - LOW) * torch.rand(args.n_runs, 8, generator=gen)
    noise = args.noise * torch.randn(args.n_runs, generator=gen)
    data = Table(x, borehole(x) + noise)

    perm = torch.randperm(args.n_runs, generator=gen)
    n_train, n_val = int(0.6 * args.n_runs), int(0.2 * args.n_runs)
    train_idx = perm[:n_train]
    val_idx = perm[n_train : n_train + n_val]
    test_idx = perm[n_train + n_val :]

    scores = {}
    for width in args.widths:
        scores[width] = Emulator(width, args.seed).fit(data.rows(train_idx), args.epochs, args.lr).r2(data.rows(val_idx))
        print(f"width {width:3d}  validation R2 {scores[width]:.4f}")
    best = max(scores, key=scores.get)

    refit_idx = torch.cat([train_idx, val_idx])
    final = Emulator(best, args.seed).fit(data.rows(refit_idx), args.epochs, args.lr)
    print(f"chosen width {best}, refitted on {len(refit_idx)} runs")
    print(f"test R2 {final.r2(data.rows(test_idx)):.4f} on {len(test_idx)} runs")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-runs", type=int, default=600)
    parser.add_argument("--noise", type=float, default=8.0)
    parser.add_argument("--widths", type=int, nargs="+", default=[4, 16, 48])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--seed", type=int, default=4)
    main(parser.parse_args())
