# expect: nothing
"""Variational autoencoder on digits; running means of both parts of the bound are printed per epoch."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class AverageMeter:
    """Keeps a weighted mean of what it is given."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.sum, self.count = 0.0, 0

    def update(self, value, n=1):
        self.sum += value * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


class VAE(nn.Module):
    def __init__(self, latent=6):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 128), nn.ReLU())
        self.mu = nn.Linear(128, latent)
        self.logvar = nn.Linear(128, latent)
        self.dec = nn.Sequential(nn.Linear(latent, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        if self.training:
            z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        else:
            z = mu
        return self.dec(z), mu, logvar


def bound(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1).mean()
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1).mean()
    return rec, kl


def train(model, loader, epochs, lr):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    rec_meter, kl_meter = AverageMeter(), AverageMeter()
    for epoch in range(1, epochs + 1):
        model.train()
        beta = min(1.0, epoch / 5)
        for (x,) in loader:
            logits, mu, logvar = model(x)
            rec, kl = bound(logits, x, mu, logvar)
            opt.zero_grad()
            (rec + beta * kl).backward()
            opt.step()
            rec_meter.update(rec.item(), len(x))
            kl_meter.update(kl.item(), len(x))
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}: reconstruction {rec_meter.avg:.3f}, KL {kl_meter.avg:.3f}")
            rec_meter.reset()
            kl_meter.reset()


def main():
    torch.manual_seed(5)
    images = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    train_idx, test_idx = train_test_split(range(len(images)), test_size=0.2, random_state=5)
    loader = DataLoader(TensorDataset(images[train_idx]), batch_size=80, shuffle=True)

    model = VAE()
    train(model, loader, epochs=15, lr=4e-3)

    model.eval()
    with torch.no_grad():
        x = images[test_idx]
        logits, mu, logvar = model(x)
        rec, kl = bound(logits, x, mu, logvar)
        base = (x - images[train_idx].mean(dim=0)).pow(2).mean()
        err = (torch.sigmoid(logits) - x).pow(2).mean()
    print(f"test: reconstruction {rec.item():.3f}, KL {kl.item():.3f}")
    print(f"test: share of pixel variance explained {1 - (err / base).item():.3f}")


if __name__ == "__main__":
    main()
