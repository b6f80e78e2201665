# expect: nothing
"""Variational autoencoder on the 8x8 digits, with the bound reported on held-out images after every fourth epoch."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--latent", type=int, default=8)
    p.add_argument("--hidden", type=int, default=128)
    p.add_argument("--epochs", type=int, default=12)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--seed", type=int, default=21)
    return p.parse_args()


class VAE(nn.Module):
    def __init__(self, hidden, latent):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, hidden), nn.ReLU())
        self.mu = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)
        self.dec = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu
        if self.training:
            z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


def bound(logits, x, mu, logvar):
    recon = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1)
    return (recon + kl).mean()


def held_out(model, loader):
    model.eval()
    with torch.no_grad():
        total, rows = 0.0, 0
        for (x,) in loader:
            logits, mu, logvar = model(x)
            total += bound(logits, x, mu, logvar).item() * len(x)
            rows += len(x)
    return total / rows


def main():
    args = options()
    torch.manual_seed(args.seed)
    images = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    train, test = train_test_split(images, test_size=0.2, random_state=args.seed)
    train_loader = DataLoader(TensorDataset(train), batch_size=args.batch, shuffle=True)
    test_loader = DataLoader(TensorDataset(test), batch_size=256)

    model = VAE(args.hidden, args.latent)
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        model.train()
        seen = 0.0
        for (x,) in train_loader:
            opt.zero_grad()
            logits, mu, logvar = model(x)
            loss = bound(logits, x, mu, logvar)
            loss.backward()
            opt.step()
            seen += loss.item() * len(x)
        if epoch % 4 == 0:
            print(f"{epoch:2d}  train {seen / len(train):.2f}  held-out {held_out(model, test_loader):.2f}")


if __name__ == "__main__":
    main()
