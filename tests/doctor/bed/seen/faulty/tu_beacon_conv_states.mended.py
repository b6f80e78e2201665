# expect: nothing
"""Recognise what an animal collar records (resting, walking, running) from accelerometer strips; 1-D ConvNet with accumulated gradients."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STATES = ("resting", "walking", "running")


def build_args():
    p = argparse.ArgumentParser("collar states")
    p.add_argument("--batch-size", type=int, default=16, help="strips per parameter update")
    p.add_argument("--accum-steps", type=int, default=2, help="forward passes per update")
    p.add_argument("--epochs", type=int, default=4)
    p.add_argument("--lr", type=float, default=1.5e-2)
    p.add_argument("--channels", type=int, default=12)
    p.add_argument("--seed", type=int, default=21)
    return p.parse_args()


def strips(n, rng, length=64):
    y = rng.integers(0, len(STATES), n)
    t = np.arange(length) / 16.0
    amp = np.array([0.25, 0.8, 1.8])[y] * rng.uniform(0.7, 1.3, n)
    freq = rng.uniform(0.8, 2.4, n)
    phase = rng.uniform(0, 2 * np.pi, (n, 3, 1))
    x = amp[:, None, None] * np.sin(2 * np.pi * freq[:, None, None] * t + phase)
    x += 0.2 * rng.normal(size=x.shape)
    return x.astype(np.float32), y


def conv_bn(c_in, c_out, stride):
    return nn.Sequential(nn.Conv1d(c_in, c_out, 5, stride=stride, padding=2, bias=False),
                         nn.BatchNorm1d(c_out), nn.ReLU(inplace=True))


class StripNet(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.features = nn.Sequential(conv_bn(3, channels, 2), conv_bn(channels, 2 * channels, 2))
        self.fc = nn.Linear(2 * channels, len(STATES))

    def forward(self, x):
        return self.fc(self.features(x).mean(dim=2))


def train_one_epoch(model, loader, criterion, optimizer, scheduler, accum_steps):
    model.train()
    running = 0.0
    optimizer.zero_grad()
    for step, (x, y) in enumerate(loader, start=1):
        loss = criterion(model(x), y)
        (loss / accum_steps).backward()
        running += loss.item()
        if step % accum_steps == 0:
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    return running / len(loader)


def evaluate(model, loader):
    model.eval()
    confusion = torch.zeros(len(STATES), len(STATES), dtype=torch.long)
    with torch.no_grad():
        for x, y in loader:
            pred = model(x).argmax(dim=1)
            confusion += torch.bincount(y * len(STATES) + pred, minlength=confusion.numel()).view_as(confusion)
    return confusion


def main():
    args = build_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x, y = strips(768, rng)
    n_train = 512
    std = x[:n_train].std()
    x, y = torch.from_numpy(x / std), torch.from_numpy(y)
    train_loader = DataLoader(TensorDataset(x[:n_train], y[:n_train]), shuffle=True,
                              batch_size=args.batch_size // args.accum_steps)
    test_loader = DataLoader(TensorDataset(x[n_train:], y[n_train:]), batch_size=128)

    model = StripNet(args.channels)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-3)
    updates = args.epochs * (n_train // args.batch_size)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=updates)
    for epoch in range(args.epochs):
        loss = train_one_epoch(model, train_loader, criterion, optimizer, scheduler, args.accum_steps)
        print(f"epoch {epoch}: loss {loss:.4f}")
    confusion = evaluate(model, test_loader)
    print(f"accuracy {confusion.diag().sum().item() / confusion.sum().item():.3f}")
    for name, row in zip(STATES, confusion.tolist()):
        print(f"{name:>8s} {row}")


if __name__ == "__main__":
    main()
