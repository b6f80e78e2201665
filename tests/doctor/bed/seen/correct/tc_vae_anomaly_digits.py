# expect: nothing
"""Anomaly detection: a VAE sees every digit but the four; the bound on the likelihood tells the fours from held-out normal ones."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self, latent=6, hidden=96):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU())
        self.to_mean, self.to_log_var = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 64), nn.Sigmoid())

    def encode(self, x):
        h = self.encoder(x)
        return self.to_mean(h), self.to_log_var(h)

    def forward(self, x):
        mean, log_var = self.encode(x)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean) if self.training else mean
        return self.decoder(z), mean, log_var


def elbo_parts(x, recon, mean, log_var):
    bce = F.binary_cross_entropy(recon, x, reduction="none").sum(dim=1)
    kl = -0.5 * (1 + log_var - mean.pow(2) - log_var.exp()).sum(dim=1)
    return bce, kl


def prepare(seed):
    pixels, digit = load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16.0, dtype=torch.float32)
    odd = digit == 4
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~odd))
    cut = int(0.75 * len(normal))
    test = np.concatenate([normal[cut:], np.flatnonzero(odd)])
    return x[normal[:cut]], x[test], odd[test]


def main():
    torch.manual_seed(93)
    train, test, is_odd = prepare(93)
    loader = DataLoader(TensorDataset(train), batch_size=64, shuffle=True)
    vae = VAE()
    optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
    for epoch in range(1, 31):
        vae.train()
        warm = min(1.0, epoch / 15)
        total = 0.0
        for (x,) in loader:
            bce, kl = elbo_parts(x, *vae(x))
            loss = (bce + warm * kl).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += (bce + kl).sum().item()
        if epoch % 10 == 0:
            print(f"epoch {epoch}: negative ELBO {total / len(train):.3f}")

    vae.eval()
    with torch.no_grad():
        bce, kl = elbo_parts(test, *vae(test))
        floor = F.binary_cross_entropy(test, test, reduction="none").sum(dim=1)
        score = bce - floor + kl
    print(f"AUC of the anomaly score {roc_auc_score(is_odd, score):.3f} on {len(test)} digits, {is_odd.sum()} of them anomalies")


if __name__ == "__main__":
    main()
