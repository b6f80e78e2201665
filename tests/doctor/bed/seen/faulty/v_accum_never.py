# expect: no_step @ 16
# allowed: no_step @ 57
# allowed: no_step @ 58
"""Multi-task regression with gradient accumulation and a dataclass config."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    epochs: int = 25
    batch_size: int = 32
    accumulate: int = 32
    lr: float = 5e-3
    n: int = 768


class TwoHeads(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(d, 48), nn.SiLU())
        self.price = nn.Linear(48, 1)
        self.rating = nn.Linear(48, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.price(h).squeeze(1), self.rating(h).squeeze(1)


def make_data(n):
    x = torch.randn(n, 8)
    w = torch.linspace(-1, 1, 8)
    price = x @ w + 0.1 * torch.randn(n)
    rating = torch.tanh(x[:, 0] * x[:, 1]) + 0.1 * torch.randn(n)
    return x, price, rating


def run(cfg):
    torch.manual_seed(21)
    train = make_data(cfg.n)
    xv, pv, rv = make_data(300)
    loader = DataLoader(TensorDataset(*train), batch_size=cfg.batch_size, shuffle=True)
    model = TwoHeads(8)
    opt = torch.optim.AdamW(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        model.train()
        opt.zero_grad()
        total = 0.0
        for i, (x, p, r) in enumerate(loader):
            a, b = model(x)
            loss = nn.functional.mse_loss(a, p) + nn.functional.mse_loss(b, r)
            (loss / cfg.accumulate).backward()
            total += loss.item()
            if (i + 1) % cfg.accumulate == 0:
                opt.step()
                opt.zero_grad()
        if epoch % 5 == 4:
            print(f"{epoch:3d} train {total / len(loader):.4f}")
    model.eval()
    with torch.no_grad():
        a, b = model(xv)
        print("val price mse", ((a - pv) ** 2).mean().item(), "rating mse", ((b - rv) ** 2).mean().item())


run(Config())
