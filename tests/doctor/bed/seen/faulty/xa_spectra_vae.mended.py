# expect: nothing
"""Semi-supervised VAE on fake infrared spectra: reconstruct the curve and regress the concentration."""
import argparse

import numpy as np
import pandas as pd
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split

GRID = np.linspace(0, 1, 40)


def peak(pos, width):
    return np.exp(-0.5 * ((GRID - pos) / width) ** 2)


def load_table(n, seed):
    """Comes out of the lab data base as `SELECT ... ORDER BY concentration`."""
    rng = np.random.default_rng(seed)
    conc = rng.uniform(0, 1, n)
    base = rng.uniform(0.3, 0.6, (n, 1))
    spectra = (np.tanh(2.5 * conc)[:, None] * peak(0.35, 0.05)
               + (conc ** 2)[:, None] * peak(0.55, 0.04) + base * peak(0.8, 0.1))
    spectra += rng.normal(0, 0.05, spectra.shape)
    frame = pd.DataFrame(spectra, columns=[f"wn{i:02d}" for i in range(len(GRID))])
    frame["concentration"] = conc
    return frame.sort_values("concentration", ignore_index=True)


def split(frame, fraction=0.25):
    train, test = train_test_split(frame, test_size=fraction, random_state=0)
    columns = [c for c in frame.columns if c.startswith("wn")]
    mu, sd = train[columns].mean(), train[columns].std()
    as_x = lambda d: torch.tensor(((d[columns] - mu) / sd).to_numpy(), dtype=torch.float32)
    as_y = lambda d: torch.tensor(d["concentration"].to_numpy(), dtype=torch.float32)
    return as_x(train), as_y(train), as_x(test), as_y(test)


class SpectraVAE(nn.Module):
    def __init__(self, n_in=40, hidden=48, latent=4):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(n_in, hidden), nn.SiLU())
        self.mu, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.dec = nn.Sequential(nn.Linear(latent, hidden), nn.SiLU(), nn.Linear(hidden, n_in))
        self.regressor = nn.Sequential(nn.Linear(latent, 16), nn.SiLU(), nn.Linear(16, 1))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar) if self.training else mu
        return self.dec(z), self.regressor(z).squeeze(-1), mu, logvar


def objective(batch, y, outputs, beta=0.01, gamma=5.0):
    recon, y_hat, mu, logvar = outputs
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1).mean()
    return F.mse_loss(recon, batch) + beta * kl + gamma * F.mse_loss(y_hat, y)


def main(argv=None):
    p = argparse.ArgumentParser()
    p.add_argument("--rows", type=int, default=600)
    p.add_argument("--epochs", type=int, default=24)
    p.add_argument("--lr", type=float, default=4e-3)
    a = p.parse_args(argv)

    torch.manual_seed(33)
    x, y, x_test, y_test = split(load_table(a.rows, seed=33))
    net = SpectraVAE()
    opt = torch.optim.Adam(net.parameters(), lr=a.lr)
    for epoch in range(1, a.epochs + 1):
        net.train()
        acc = 0.0
        for rows in torch.randperm(len(x)).split(45):
            loss = objective(x[rows], y[rows], net(x[rows]))
            opt.zero_grad()
            loss.backward()
            opt.step()
            acc += loss.item() * len(rows)
        if epoch % 4 == 0:
            print(f"[{epoch:02d}] loss {acc / len(x):.4f}")

    net.eval()
    with torch.no_grad():
        for name, inputs, truth in (("train", x, y), ("test", x_test, y_test)):
            guess = net(inputs)[1].numpy()
            print(f"{name:5s} MAE {mean_absolute_error(truth.numpy(), guess):.4f}"
                  f"  R2 {r2_score(truth.numpy(), guess):.3f}")


if __name__ == "__main__":
    main()
