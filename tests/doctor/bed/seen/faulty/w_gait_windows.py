# expect: params_not_in_optimizer @ 49
"""Walking, climbing or resting from windows of an accelerometer: a 1-D convolutional net with weight decay on the weights only."""
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    windows: int = 600
    length: int = 48
    epochs: int = 7
    batch: int = 50
    lr: float = 3e-3
    weight_decay: float = 1e-2


def record(cfg, rng):
    kind = rng.integers(0, 3, cfg.windows)
    t = np.arange(cfg.length)
    freq = np.array([0.16, 0.25, 0.05])[kind] * rng.uniform(0.85, 1.15, cfg.windows)
    phase = rng.uniform(0, 2 * np.pi, (cfg.windows, 3))
    swing = np.sin(2 * np.pi * freq[:, None, None] * t + phase[:, :, None])
    return (swing + rng.normal(0, 0.8, swing.shape)).astype("float32"), kind


class GaitNet(nn.Module):
    def __init__(self, channels=24):
        super().__init__()
        self.stem = nn.Conv1d(3, channels, 7, padding=3)
        self.norm1 = nn.BatchNorm1d(channels)
        self.mid = nn.Conv1d(channels, channels, 5, padding=2, stride=2)
        self.norm2 = nn.BatchNorm1d(channels)
        self.out = nn.Linear(channels, 3)

    def forward(self, x):
        x = torch.relu(self.norm1(self.stem(x)))
        x = torch.relu(self.norm2(self.mid(x)))
        return self.out(x.mean(dim=2))


def param_groups(model, weight_decay):
    """Decay for the matrices, none for biases and norms."""
    named = list(model.named_parameters())
    decay = [p for _, p in named if p.ndim == 2]
    plain = [p for _, p in named if p.ndim == 1]
    return [{"params": decay, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def run(cfg):
    signal, kind = record(cfg, np.random.default_rng(11))
    a, b, ka, kb = train_test_split(signal, kind, test_size=0.25, stratify=kind, random_state=0)
    mu, sd = a.mean((0, 2), keepdims=True), a.std((0, 2), keepdims=True)
    make = lambda x, k: TensorDataset(torch.tensor((x - mu) / sd), torch.tensor(k))
    loader = DataLoader(make(a, ka), cfg.batch, shuffle=True, drop_last=True)
    test = DataLoader(make(b, kb), 256)

    model = GaitNet()
    optimizer = torch.optim.AdamW(param_groups(model, cfg.weight_decay), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        model.train()
        for x, k in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(model(x), k)
            loss.backward()
            optimizer.step()

        model.eval()
        with torch.no_grad():
            right = sum((model(x).argmax(1) == k).sum().item() for x, k in test)
        print(f"epoch {epoch}  last batch loss {loss.item():.3f}  test accuracy {right / len(kb):.3f}")


if __name__ == "__main__":
    torch.manual_seed(5)
    run(Config())
