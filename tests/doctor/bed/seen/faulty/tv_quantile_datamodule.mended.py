# expect: nothing
"""Delivery-time forecasts as quantiles (10 %, 50 %, 90 %) for a parcel carrier."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def parcels(n, seed):
    rng = np.random.default_rng(seed)
    distance = rng.gamma(2.0, 1.0, n)
    weight = rng.lognormal(0, 0.5, n)
    rush = rng.integers(0, 2, n)
    hour = rng.uniform(0, 24, n)
    spread = 0.3 + 0.3 * rush
    hours = 1.5 * distance + 0.4 * weight + rush * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 1, n) * spread
    x = np.stack([distance, weight, rush, np.sin(hour / 24 * 2 * np.pi), np.cos(hour / 24 * 2 * np.pi)], 1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(hours, dtype=torch.float32)


class ParcelData:
    """Shuffles once and cuts the permutation into train, validation and test parts."""

    def __init__(self, args):
        x, y = parcels(args.rows, args.seed)
        n_val, n_test = int(args.rows * args.val), int(args.rows * args.test)
        order = torch.randperm(args.rows, generator=torch.Generator().manual_seed(args.seed))
        self.batch_size = args.batch_size
        train_rows = order[:-n_val - n_test]
        test_rows = order[-n_val - n_test:-n_val]
        val_rows = order[-n_val:]
        self.mean, self.std = x[train_rows].mean(0), x[train_rows].std(0)
        data = TensorDataset((x - self.mean) / self.std, y)
        self.train, self.val, self.test = (Subset(data, r.tolist()) for r in (train_rows, val_rows, test_rows))

    def loader(self, part, shuffle=False):
        return DataLoader(getattr(self, part), self.batch_size, shuffle=shuffle)


def pinball(pred, y):
    gap = y.unsqueeze(1) - pred
    return torch.maximum(QUANTILES * gap, (QUANTILES - 1) * gap).mean()


def predict(model, loader):
    model.eval()
    with torch.no_grad():
        out = [(model(x), y) for x, y in loader]
    return torch.cat([o for o, _ in out]), torch.cat([y for _, y in out])


def train(args):
    torch.manual_seed(args.seed)
    data = ParcelData(args)
    model = nn.Sequential(nn.Linear(5, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=1)
    for epoch in range(args.epochs):
        model.train()
        for x, y in data.loader("train", shuffle=True):
            optimizer.zero_grad()
            pinball(model(x), y).backward()
            optimizer.step()
        val_loss = pinball(*predict(model, data.loader("val"))).item()
        plateau.step(val_loss)
        print(f"epoch {epoch:2d}  val pinball {val_loss:.4f}  lr {optimizer.param_groups[0]['lr']:.1e}")

    pred, y = predict(model, data.loader("test"))
    inside = ((y >= pred[:, 0]) & (y <= pred[:, 2])).float().mean().item()
    print(f"test pinball {pinball(pred, y).item():.4f}  coverage of the 80 % band {inside:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--val", type=float, default=0.15)
    parser.add_argument("--test", type=float, default=0.15)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=12)
    train(parser.parse_args())
