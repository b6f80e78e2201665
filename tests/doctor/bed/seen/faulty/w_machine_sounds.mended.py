# expect: nothing
"""Sorts short vibration traces of machines into four states with a small Transformer over patches."""
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn


@dataclass
class Config:
    length: int = 64
    patch: int = 8
    width: int = 32
    heads: int = 4
    states: int = 4
    dropout: float = 0.1
    weight_decay: float = 1e-5
    lr: float = 2e-3
    epochs: int = 8
    batch: int = 32
    sizes: dict = field(default_factory=lambda: {"train": 800, "test": 300})


def traces(cfg, rows, rng):
    state = rng.integers(0, cfg.states, rows)
    t = np.arange(cfg.length) / cfg.length
    pace = np.array([3, 5, 3, 5])[state][:, None] * rng.uniform(0.9, 1.1, (rows, 1))
    wave = np.sin(2 * np.pi * (pace * t + rng.random((rows, 1))))
    knocks = (state >= 2)[:, None] * (rng.random((rows, cfg.length)) < 0.08) * rng.normal(0, 3, (rows, cfg.length))
    x = wave + knocks + rng.normal(0, 0.3, wave.shape)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(state)


class PatchFormer(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.patch = cfg.patch
        self.embed = nn.Linear(cfg.patch, cfg.width)
        self.place = nn.Parameter(0.02 * torch.randn(1, cfg.length // cfg.patch, cfg.width))
        layer = nn.TransformerEncoderLayer(cfg.width, cfg.heads, 2 * cfg.width, cfg.dropout,
                                           batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(cfg.width), enable_nested_tensor=False)
        self.head = nn.Linear(cfg.width, cfg.states)

    def forward(self, x):
        tokens = self.embed(x.unflatten(1, (-1, self.patch))) + self.place
        return self.head(self.encoder(tokens).mean(dim=1))


def make_optimizer(model, cfg):
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": cfg.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.Adam(groups, lr=cfg.lr)


def train(model, x, y, cfg):
    optimizer = make_optimizer(model, cfg)
    for epoch in range(cfg.epochs):
        model.train()
        total = 0.0
        for ids in torch.randperm(len(x)).split(cfg.batch):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[ids]), y[ids])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(ids)
        print(f"epoch {epoch + 1}  loss {total / len(x):.4f}")


def main():
    cfg = Config()
    torch.manual_seed(15)
    rng = np.random.default_rng(15)
    x, y = traces(cfg, cfg.sizes["train"], rng)
    x_test, y_test = traces(cfg, cfg.sizes["test"], rng)
    mean, std = x.mean(), x.std()
    model = PatchFormer(cfg)
    train(model, (x - mean) / std, y, cfg)
    model.eval()
    with torch.no_grad():
        right = model((x_test - mean) / std).argmax(dim=1) == y_test
    print(f"test accuracy {right.float().mean().item():.3f}")


main()
