# expect: nothing
"""Denoising autoencoder (Vincent et al.) on 8x8 digits, corruption level as in our appendix B."""
from types import SimpleNamespace
import random
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

cfg = SimpleNamespace(seed=5, epochs=10, batch=64, lr=3e-3, noise=0.3, code=24)


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def corrupt(x, level):
    return x * (torch.rand_like(x) > level)


class DAE(nn.Module):
    def __init__(self, d, code):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, code))
        self.dec = nn.Sequential(nn.ReLU(), nn.Linear(code, 64), nn.ReLU(), nn.Linear(64, d))

    def forward(self, x):
        return self.dec(self.enc(x))


def train_epoch(model, opt, x, cfg):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x)).split(cfg.batch):
        clean = x[idx]
        loss = nn.functional.mse_loss(model(corrupt(clean, cfg.noise)), clean)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    return total / len(x)


@torch.no_grad()
def reconstruction_error(model, x):
    model.eval()
    return nn.functional.mse_loss(model(x), x).item()


def main():
    seed_everything(cfg.seed)
    x = load_digits().data.astype(np.float32) / 16.0
    tr, te = train_test_split(x, test_size=0.25, random_state=cfg.seed)
    tr, te = torch.from_numpy(tr), torch.from_numpy(te)
    model = DAE(64, cfg.code)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        loss = train_epoch(model, opt, tr, cfg)
        print(f"epoch {epoch + 1:2d}  denoising mse {loss:.4f}")
    baseline = ((te - tr.mean(0)) ** 2).mean().item()
    print(f"clean test mse {reconstruction_error(model, te):.4f}  (mean image: {baseline:.4f})")


if __name__ == "__main__":
    main()
