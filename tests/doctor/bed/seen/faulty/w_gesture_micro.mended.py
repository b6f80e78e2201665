# expect: nothing
"""Gestures from a three-axis accelerometer: a 1-d conv net trained in micro-batches with accumulated gradients."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Plan:
    effective_batch: int = 16
    micro_batch: int = 8
    epochs: int = 6
    lr: float = 4e-3
    seed: int = 12

    @property
    def accumulate(self):
        return self.effective_batch // self.micro_batch


def gestures(n, seed):
    """Four gestures that differ in strength, pace and axis."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    t = np.linspace(0, 1, 40)
    strength = np.array([0.6, 1.6, 0.6, 1.6])[kind] * rng.uniform(0.85, 1.15, n)
    pace = np.array([2.0, 2.0, 3.5, 3.5])[kind] * rng.uniform(0.9, 1.1, n)
    phase = rng.uniform(0, 2 * np.pi, (n, 3, 1))
    wave = np.sin(2 * np.pi * pace[:, None, None] * t + phase) * strength[:, None, None]
    x = wave + rng.normal(0, 0.3, wave.shape)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(kind)


def block(cin, cout):
    return nn.Sequential(
        nn.Conv1d(cin, cout, 5, padding=2, bias=False),
        nn.BatchNorm1d(cout),
        nn.ReLU(),
        nn.MaxPool1d(2),
    )


class GestureNet(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.features = nn.Sequential(block(3, 16), block(16, 24))
        self.head = nn.Linear(24, classes)

    def forward(self, x):
        return self.head(self.features(x).mean(dim=2))


def train(net, data, plan):
    loader = DataLoader(data, batch_size=plan.micro_batch, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=plan.lr)
    for epoch in range(plan.epochs):
        net.train()
        total = 0.0
        optimizer.zero_grad()
        for step, (x, y) in enumerate(loader, start=1):
            loss = nn.functional.cross_entropy(net(x), y)
            (loss / plan.accumulate).backward()
            total += loss.item()
            if step % plan.accumulate == 0:
                optimizer.step()
                optimizer.zero_grad()
        print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}")


def accuracy(net, data):
    net.eval()
    right = 0
    with torch.no_grad():
        for x, y in DataLoader(data, batch_size=100):
            right += (net(x).argmax(dim=1) == y).sum().item()
    return right / len(data)


def main(plan=Plan()):
    torch.manual_seed(plan.seed)
    x, y = gestures(680, plan.seed)
    mean = x[:480].mean(dim=(0, 2), keepdim=True)
    std = x[:480].std(dim=(0, 2), keepdim=True)
    x = (x - mean) / std
    train_set, test_set = TensorDataset(x[:480], y[:480]), TensorDataset(x[480:], y[480:])
    net = GestureNet()
    train(net, train_set, plan)
    print(f"test accuracy {accuracy(net, test_set):.3f}")


main()
