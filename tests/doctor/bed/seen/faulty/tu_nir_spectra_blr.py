# expect: lr_too_low @ 20
# allowed: lr_too_low @ 19
# allowed: lr_too_low @ 84
"""Concentrations of three constituents from near-infrared spectra; training utilities in the manner of the MAE repository."""
import argparse
import math

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def get_args_parser():
    parser = argparse.ArgumentParser("NIR calibration", add_help=False)
    parser.add_argument("--batch_size", default=32, type=int)
    parser.add_argument("--epochs", default=25, type=int)
    parser.add_argument("--warmup_epochs", default=2, type=int)
    parser.add_argument("--lr", default=None, type=float, help="learning rate (absolute lr)")
    parser.add_argument("--blr", default=1.5e-4, type=float, help="base learning rate: absolute_lr = base_lr * batch_size / 256")
    parser.add_argument("--min_lr", default=0.0, type=float)
    parser.add_argument("--momentum", default=0.9, type=float)
    parser.add_argument("--weight_decay", default=1e-4, type=float)
    parser.add_argument("--seed", default=0, type=int)
    return parser


def adjust_learning_rate(optimizer, epoch, args):
    """Decay the learning rate with half-cycle cosine after warmup."""
    if epoch < args.warmup_epochs:
        lr = args.lr * epoch / args.warmup_epochs
    else:
        lr = args.min_lr + (args.lr - args.min_lr) * 0.5 * (
            1.0 + math.cos(math.pi * (epoch - args.warmup_epochs) / (args.epochs - args.warmup_epochs)))
    for param_group in optimizer.param_groups:
        param_group["lr"] = lr
    return lr


def spectra(n, rng, channels=60):
    """Beer-Lambert mixtures of three overlapping bands with a sloping baseline."""
    wl = np.linspace(0, 1, channels)
    bands = np.stack([np.exp(-0.5 * ((wl - c) / w) ** 2) for c, w in [(0.25, 0.08), (0.45, 0.12), (0.7, 0.06)]])
    conc = rng.uniform(0, 1, (n, 3))
    path = rng.uniform(0.9, 1.1, (n, 1))
    x = path * (conc @ bands) + rng.normal(0, 0.1, (n, 1)) + rng.normal(0, 0.1, (n, 1)) * wl + 0.01 * rng.normal(size=(n, channels))
    return x.astype(np.float32), conc.astype(np.float32)


class Calibration(nn.Module):
    def __init__(self, channels, hidden=48):
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.fc2 = nn.Linear(hidden, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.norm(self.fc1(x))))


def train_one_epoch(model, criterion, data_loader, optimizer, epoch, args):
    model.train()
    total = 0.0
    for data_iter_step, (samples, targets) in enumerate(data_loader):
        lr = adjust_learning_rate(optimizer, data_iter_step / len(data_loader) + epoch, args)
        loss = criterion(model(samples), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return {"loss": total / len(data_loader), "lr": lr}


def main(args):
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x, y = spectra(800, rng)
    mu, sd = x[:600].mean(0), x[:600].std(0)
    y_mu, y_sd = y[:600].mean(0), y[:600].std(0)
    x, z = torch.from_numpy((x - mu) / sd), torch.from_numpy((y - y_mu) / y_sd)
    loader = DataLoader(TensorDataset(x[:600], z[:600]), batch_size=args.batch_size, shuffle=True)

    if args.lr is None:
        args.lr = args.blr * args.batch_size / 256
    model = Calibration(x.size(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum, weight_decay=args.weight_decay)
    criterion = nn.MSELoss()
    for epoch in range(args.epochs):
        stats = train_one_epoch(model, criterion, loader, optimizer, epoch, args)
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:2d}  loss {stats['loss']:.4f}")

    model.eval()
    with torch.no_grad():
        err = (model(x[600:]) - z[600:]).pow(2).mean(0).sqrt() * torch.from_numpy(y_sd)
    print("RMSEP per constituent:", [round(v, 4) for v in err.tolist()])


if __name__ == "__main__":
    main(get_args_parser().parse_args())
