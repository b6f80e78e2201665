# expect: nothing
"""Denoising autoencoder on digits whose noise and batch order are drawn afresh for every epoch."""
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


pix = torch.tensor(load_digits().data, dtype=torch.float32) / 16
set_seed(42)
order = torch.randperm(len(pix))
train, test = pix[order[:1400]], pix[order[1400:]]
ae = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, 48), nn.ReLU(),
                   nn.Linear(48, 64))
opt = torch.optim.Adam(ae.parameters(), lr=3e-3)


def run_epoch(epoch):
    ae.train()
    total = 0.0
    for idx in torch.randperm(len(train)).split(64):
        clean = train[idx]
        noisy = clean + 0.3 * torch.randn_like(clean)
        loss = nn.functional.mse_loss(ae(noisy), clean)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    return total / len(train)


for epoch in range(15):
    l = run_epoch(epoch)
    if epoch % 5 == 4:
        print(f"epoch {epoch} train mse {l:.5f}")
ae.eval()
with torch.no_grad():
    g = torch.Generator().manual_seed(1)
    noise = 0.3 * torch.randn(test.shape, generator=g)
    print(f"test mse {nn.functional.mse_loss(ae(test + noise), test).item():.5f}")
