# expect: seed_reset_each_epoch @ 35
# allowed: seed_reset_each_epoch @ 56
# allowed: seed_reset_each_epoch @ 57
"""Denoising autoencoder on the digits with a 'reproducible' epoch function."""
import random

import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits


def fix_seeds(seed=123):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class DenoisingAE(nn.Module):
    def __init__(self, bottleneck=16):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 48), nn.ELU(), nn.Linear(48, bottleneck))
        self.dec = nn.Sequential(nn.ELU(), nn.Linear(bottleneck, 48), nn.ELU(), nn.Linear(48, 64))

    def forward(self, x):
        return self.dec(self.enc(x))


def corrupt(x, p=0.25):
    keep = (torch.rand_like(x) > p).float()
    return x * keep + 0.1 * torch.randn_like(x)


def run_epoch(model, opt, data, bs=64):
    fix_seeds()
    model.train()
    total = 0.0
    for idx in torch.randperm(len(data)).split(bs):
        clean = data[idx]
        loss = nn.functional.mse_loss(model(corrupt(clean)), clean)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    return total / len(data)


def main():
    fix_seeds()
    x = torch.tensor(load_digits().data, dtype=torch.float32) / 16 - 0.3
    x = x[torch.randperm(len(x))]
    train, test = x[:1300], x[1300:]
    noisy_test = corrupt(test)
    model = DenoisingAE()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(25):
        loss = run_epoch(model, opt, train)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} train mse {loss:.5f}")
    model.eval()
    with torch.no_grad():
        print(f"test mse {nn.functional.mse_loss(model(noisy_test), test).item():.5f}")


if __name__ == "__main__":
    main()
