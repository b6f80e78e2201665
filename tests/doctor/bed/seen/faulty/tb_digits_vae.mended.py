# expect: nothing
"""A VAE on the 8x8 digits, in the manner of the PyTorch examples, with shuffling and noise from one generator."""
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim

cfg = SimpleNamespace(batch=64, epochs=16, latent=6, hidden=96, lr=4e-3, seed=21)


class VAE(nn.Module):
    def __init__(self, d, hidden, latent):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(d, hidden), nn.ReLU())
        self.mu = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)
        self.dec = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, d))

    def forward(self, x, noise=None):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu if noise is None else mu + noise * torch.exp(0.5 * logvar)
        return self.dec(z), mu, logvar


def elbo_terms(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum() / len(x)
    return rec, kl


def noisy_batches(x, size, latent, seed):
    """Batches of one epoch in random order, each with the noise for its latent sample."""
    g = torch.Generator().manual_seed(seed)
    for rows in torch.randperm(len(x), generator=g).split(size):
        yield x[rows], torch.randn(len(rows), latent, generator=g)


def train_epoch(model, opt, x, epoch):
    model.train()
    total = 0.0
    for xb, noise in noisy_batches(x, cfg.batch, cfg.latent, cfg.seed + epoch):
        logits, mu, logvar = model(xb, noise)
        rec, kl = elbo_terms(logits, xb, mu, logvar)
        loss = rec + kl
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    return total / len(x)


@torch.no_grad()
def test(model, x):
    model.eval()
    logits, mu, logvar = model(x)
    rec, kl = elbo_terms(logits, x, mu, logvar)
    return rec.item(), kl.item()


if __name__ == "__main__":
    torch.manual_seed(cfg.seed)
    pixels = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    x_train, x_test = train_test_split(pixels, test_size=0.2, random_state=cfg.seed)
    vae = VAE(pixels.shape[1], cfg.hidden, cfg.latent)
    opt = optim.Adam(vae.parameters(), lr=cfg.lr)
    for epoch in range(1, cfg.epochs + 1):
        loss = train_epoch(vae, opt, x_train, epoch)
        if epoch % 4 == 0:
            print(f"====> epoch {epoch}: average loss {loss:.3f}")
    rec, kl = test(vae, x_test)
    print(f"test: reconstruction {rec:.3f}  kl {kl:.3f}")
