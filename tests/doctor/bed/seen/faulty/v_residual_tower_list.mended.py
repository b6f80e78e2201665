# expect: nothing
"""Dataclass-configured residual tower regressing a nonlinear function of eight variables."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    width: int = 48
    depth: int = 3
    epochs: int = 15
    batch: int = 64
    lr: float = 2e-3
    seed: int = 7


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.ff = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(self, h):
        return h + self.ff(self.norm(h))


class Tower(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.stem = nn.Linear(8, cfg.width)
        self.blocks = nn.ModuleList(Block(cfg.width) for _ in range(cfg.depth))
        self.head = nn.Linear(cfg.width, 1)

    def forward(self, x):
        h = self.stem(x)
        for block in self.blocks:
            h = block(h)
        return self.head(h).squeeze(-1)


def target(x):
    return torch.sin(2 * x[:, 0]) * x[:, 1] + (x[:, 2] * x[:, 3]).tanh() + 0.5 * x[:, 4] ** 2 - 0.5


def main(cfg=Config()):
    torch.manual_seed(cfg.seed)
    x = torch.randn(2000, 8)
    y = target(x) + 0.05 * torch.randn(2000)
    train = DataLoader(TensorDataset(x[:1600], y[:1600]), batch_size=cfg.batch, shuffle=True)
    model = Tower(cfg)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        model.train()
        for xb, yb in train:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(xb), yb)
            loss.backward()
            optimizer.step()
        if epoch % 5 == 4:
            model.eval()
            with torch.no_grad():
                mse = nn.functional.mse_loss(model(x[1600:]), y[1600:]).item()
            print(f"epoch {epoch} held-out mse {mse:.4f}")


if __name__ == "__main__":
    main()
