# expect: nothing
"""A small VAE on the 8x8 digits; prints the test reconstruction error and the KL at the end."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    latent: int = 8
    hidden: int = 128
    batch_size: int = 64
    epochs: int = 18
    lr: float = 2e-3
    beta: float = 0.5
    seed: int = 0


class GaussianEncoder(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, cfg.hidden), nn.ReLU())
        self.mu = nn.Linear(cfg.hidden, cfg.latent)
        self.log_std = nn.Linear(cfg.hidden, cfg.latent)

    def forward(self, x):
        h = self.body(x)
        return Normal(self.mu(h), self.log_std(h).clamp(-5, 2).exp())


class VAE(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.encoder = GaussianEncoder(cfg)
        self.decoder = nn.Sequential(
            nn.Linear(cfg.latent, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 64)
        )

    def forward(self, x):
        posterior = self.encoder(x)
        z = posterior.rsample()
        return self.decoder(z), posterior


def elbo_terms(model, x):
    logits, q = model(x)
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
    prior = Normal(torch.zeros_like(q.loc), torch.ones_like(q.scale))
    kl = kl_divergence(q, prior).sum(1).mean()
    return rec, kl


def main(cfg):
    torch.manual_seed(cfg.seed)
    images = load_digits().data.astype("float32") / 16.0
    train, test = train_test_split(images, test_size=0.2, random_state=cfg.seed)
    loader = DataLoader(TensorDataset(torch.from_numpy(train)), cfg.batch_size, shuffle=True)
    test = torch.from_numpy(test)

    vae = VAE(cfg)
    opt = torch.optim.Adam(vae.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        vae.train()
        total = 0.0
        for (x,) in loader:
            rec, kl = elbo_terms(vae, x)
            loss = rec + cfg.beta * kl
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:2d}  -elbo {total / len(train):.3f}")

    vae.eval()
    with torch.no_grad():
        rec, kl = elbo_terms(vae, test)
    print(f"test reconstruction {rec.item():.2f}  kl {kl.item():.2f}")


if __name__ == "__main__":
    main(Config())
