# expect: graph_kept_alive @ 27
# allowed: graph_kept_alive @ 52
"""Variational autoencoder on two-dimensional moons with a running record of the loss terms."""
import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons
from torch import nn


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 4))
        self.dec = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 2))

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


class Record:
    def __init__(self):
        self.terms = []

    def add(self, recon, kl):
        self.terms.append((recon, kl))

    def summary(self, last):
        tail = self.terms[-last:]
        return [float(sum(t[i] for t in tail)) / len(tail) for i in (0, 1)]


def main():
    torch.manual_seed(0)
    pts, _ = make_moons(1000, noise=0.05, random_state=0)
    x = torch.tensor(pts, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0)
    model = VAE()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    record = Record()
    for epoch in range(20):
        model.train()
        batches = torch.randperm(len(x)).split(50)
        for idx in batches:
            opt.zero_grad()
            out, mu, logvar = model(x[idx])
            recon = F.mse_loss(out, x[idx])
            kl = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).mean()
            (recon + 0.02 * kl).backward()
            opt.step()
            record.add(recon, kl)
        if epoch % 5 == 4:
            r, k = record.summary(len(batches))
            print(f"epoch {epoch + 1} recon {r:.4f} kl {k:.4f}")
    print("recorded", len(record.terms), "steps")


if __name__ == "__main__":
    main()
