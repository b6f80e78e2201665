# expect: nothing
"""Sparse autoencoder on synthetic magnitude spectra (harmonic tones + noise floor).

The code layer is a ReLU with an L1 penalty; we want a handful of active units per frame.
"""
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

N_BINS = 48
N_CODE = 64
L1_WEIGHT = 2e-3
CODE_BIAS = 0.05


def tone_frames(n, seed):
    rng = np.random.default_rng(seed)
    bins = np.arange(N_BINS)
    frames = 0.05 * np.abs(rng.normal(size=(n, N_BINS)))
    f0 = rng.uniform(3, 12, size=n)
    tilt = rng.uniform(0.5, 0.9, size=n)
    for h in range(1, 5):
        peak = np.exp(-0.5 * ((bins[None] - h * f0[:, None]) / 0.8) ** 2)
        frames += peak * (tilt ** h)[:, None]
    return np.log1p(4 * frames).astype("float32")


class SparseAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(N_BINS, N_CODE)
        self.dec = nn.Linear(N_CODE, N_BINS)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.kaiming_normal_(self.enc.weight, nonlinearity="relu")
        nn.init.xavier_normal_(self.dec.weight)
        nn.init.constant_(self.enc.bias, CODE_BIAS)
        nn.init.zeros_(self.dec.bias)

    def forward(self, x):
        code = torch.relu(self.enc(x))
        return self.dec(code), code


def objective(model, x):
    rec, code = model(x)
    mse = nn.functional.mse_loss(rec, x)
    return mse + L1_WEIGHT * code.abs().mean(), mse, code


def report(model, x, tag):
    model.eval()
    with torch.no_grad():
        _, mse, code = objective(model, x)
    on = code > 0
    print(f"{tag}: mse {mse.item():.4f}, active per frame {on.float().sum(1).mean().item():.1f}, "
          f"never active {(~on.any(0)).sum().item()}/{N_CODE}")
    model.train()


torch.manual_seed(21)
train_x, val_x = tone_frames(1024, 0), tone_frames(256, 1)
mu, sd = train_x.mean(0), train_x.std(0)
train_x, val_x = (torch.from_numpy((a - mu) / sd) for a in (train_x, val_x))

model = SparseAE()
opt = optim.Adam(model.parameters(), lr=2e-3)
loader = DataLoader(TensorDataset(train_x), batch_size=64, shuffle=True)

report(model, val_x, "before")
for epoch in range(25):
    losses = []
    for (x,) in loader:
        loss, _, _ = objective(model, x)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    if epoch % 6 == 0:
        print(f"epoch {epoch:2d} train objective {np.mean(losses):.4f}")
report(model, val_x, "after")
