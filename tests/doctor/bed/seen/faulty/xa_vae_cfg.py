# expect: weight_decay_too_high @ 14
# allowed: weight_decay_too_high @ 65
"""VAE for handwritten digits, configured through a dictionary of groups."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

CONFIG = {
    "data": {"batch_size": 64, "valid": 297},
    "model": {"hidden": 128, "latent": 8},
    "loss": {"beta": 0.5},
    "optim": {"lr": 2e-3, "betas": (0.9, 0.99), "weight_decay": 0.5},
    "epochs": 12,
    "seed": 1234,
}


class VAE(nn.Module):
    def __init__(self, pixels, hidden, latent):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU())
        self.mu = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)
        self.dec = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    def encode(self, x):
        h = self.enc(x)
        return self.mu(h), self.logvar(h)

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu) if self.training else mu
        return self.dec(z), mu, logvar


def elbo_terms(model, x):
    logits, mu, logvar = model(x)
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
    kl = -0.5 * (1 + logvar - mu.square() - logvar.exp()).sum(1).mean()
    return rec, kl


def get_data(batch_size, valid):
    x = torch.from_numpy(load_digits().data).float() / 16.0
    ds = TensorDataset(x)
    train, val = random_split(ds, [len(ds) - valid, valid])
    return DataLoader(train, batch_size=batch_size, shuffle=True), DataLoader(val, batch_size=valid)


@torch.no_grad()
def validate(model, loader):
    model.eval()
    pairs = [elbo_terms(model, x) for (x,) in loader]
    rec = sum(r.item() for r, _ in pairs) / len(pairs)
    kl = sum(k.item() for _, k in pairs) / len(pairs)
    return rec, kl


def run(cfg):
    torch.manual_seed(cfg["seed"])
    train, val = get_data(**cfg["data"])
    model = VAE(64, **cfg["model"])
    opt = torch.optim.Adam(model.parameters(), **cfg["optim"])
    for epoch in range(1, cfg["epochs"] + 1):
        model.train()
        total, seen = 0.0, 0
        for (x,) in train:
            rec, kl = elbo_terms(model, x)
            loss = rec + cfg["loss"]["beta"] * kl
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
            seen += len(x)
        rec, kl = validate(model, val)
        print(f"epoch {epoch:2d} | train {total / seen:7.3f} | val rec {rec:7.3f} kl {kl:6.3f}")
    return model


if __name__ == "__main__":
    run(CONFIG)
