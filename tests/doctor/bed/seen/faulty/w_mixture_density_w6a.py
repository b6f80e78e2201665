# expect: non_finite_loss @ 54
"""Mixture density network: the spread of delivery times given distance, hour and weight of a parcel."""
import math

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def deliveries(n, seed):
    rng = np.random.default_rng(seed)
    km = rng.gamma(3.0, 4.0, n)
    hour = rng.uniform(6, 20, n)
    kilo = rng.lognormal(0.5, 0.6, n)
    rush = np.exp(-0.5 * ((hour - 17) / 1.5) ** 2)
    minutes = 10 + 2.2 * km * (1 + 0.6 * rush) + rng.normal(0, 2, n)
    missed = rng.random(n) < 0.2
    minutes = np.where(missed, minutes + 90 + rng.normal(0, 5, n), minutes)
    lost = rng.random(n) < 0.004
    minutes = np.where(lost, minutes + rng.uniform(700, 900, n), minutes)
    return np.stack([km, hour, kilo], axis=1), minutes


class Standardiser:
    def fit(self, a):
        self.mean, self.std = a.mean(axis=0), a.std(axis=0)
        return self

    def __call__(self, a):
        return torch.tensor((a - self.mean) / self.std, dtype=torch.float32)


class MDN(nn.Module):
    def __init__(self, n_in, components=4, hidden=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.weight = nn.Linear(hidden, components)
        self.centre = nn.Linear(hidden, components)
        self.spread = nn.Linear(hidden, components)
        with torch.no_grad():
            self.centre.bias.copy_(torch.linspace(-1.0, 2.0, components))
            self.spread.bias.fill_(-1.0)

    def forward(self, x):
        h = self.body(x)
        return F.log_softmax(self.weight(h), dim=1), self.centre(h), F.softplus(self.spread(h)) + 0.02


def log_likelihood(out, y):
    log_w, mu, sigma = out
    z = (y.unsqueeze(1) - mu) / sigma
    log_p = -0.5 * z ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return torch.log((log_w + log_p).exp().sum(dim=1))


def train(model, x, y, epochs=12, batch=64, lr=3e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(1, epochs + 1):
        model.train()
        losses = []
        for idx in torch.randperm(len(x)).split(batch):
            nll = -log_likelihood(model(x[idx]), y[idx]).mean()
            optimizer.zero_grad()
            nll.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimizer.step()
            losses.append(nll.item())
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d}  nll {np.mean(losses):.4f}")


def main():
    torch.manual_seed(14)
    xtr, ytr = deliveries(3000, seed=1)
    xte, yte = deliveries(1000, seed=2)
    sx, sy = Standardiser().fit(xtr), Standardiser().fit(ytr)
    model = MDN(3)
    train(model, sx(xtr), sy(ytr))
    model.eval()
    with torch.no_grad():
        nll = -log_likelihood(model(sx(xte)), sy(yte)).mean().item()
        log_w, mu, _ = model(sx(np.array([[12.0, 10.0, 1.5]])))
    centres = (mu[0].numpy() * sy.std + sy.mean).round(0)
    print(f"test nll {nll:.4f}")
    print("a parcel over 12 km:", [f"{m:.0f} min ({w:.2f})" for m, w in zip(centres, log_w[0].exp().tolist())])


if __name__ == "__main__":
    main()
