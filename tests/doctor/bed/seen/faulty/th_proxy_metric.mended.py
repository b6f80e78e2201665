# expect: nothing
"""Metric learning on digits with a proxy-NCA criterion, scored by nearest-neighbour retrieval."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass
class Config:
    dim: int = 8
    hidden: int = 64
    temperature: float = 0.15
    lr: float = 3e-3
    epochs: int = 8
    batch: int = 64
    seed: int = 21


class Embedder(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, cfg.dim))

    def forward(self, x):
        return F.normalize(self.body(x), dim=-1)


class ProxyNCA(nn.Module):
    """One learned proxy for each class; samples are drawn to their own and pushed from the others."""

    def __init__(self, n_class, cfg):
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(n_class, cfg.dim))
        self.t = cfg.temperature

    def forward(self, z, y):
        return F.cross_entropy(z @ F.normalize(self.proxies, dim=-1).T / self.t, y)


@torch.no_grad()
def recall_at_1(model, x, y):
    model.eval()
    z = model(x)
    sim = z @ z.T
    sim.fill_diagonal_(-2)
    return (y[sim.argmax(1)] == y).float().mean().item()


cfg = Config()
torch.manual_seed(cfg.seed)
X, Y = load_digits(return_X_y=True)
x_tr, x_te, y_tr, y_te = train_test_split(X, Y, test_size=0.3, stratify=Y, random_state=cfg.seed)
x_tr, x_te = torch.tensor(x_tr / 16).float() - 0.3, torch.tensor(x_te / 16).float() - 0.3
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

model = Embedder(cfg)
criterion = ProxyNCA(10, cfg)
optimizer = torch.optim.AdamW([*model.parameters(), *criterion.parameters()], lr=cfg.lr, weight_decay=1e-4)

for epoch in range(cfg.epochs):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x_tr)).split(cfg.batch):
        loss = criterion(model(x_tr[idx]), y_tr[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1:2d} loss {total / len(x_tr):.4f}")

print(f"recall@1 on held-out digits: {recall_at_1(model, x_te, y_te):.4f}")
