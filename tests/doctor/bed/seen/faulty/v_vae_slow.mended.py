# expect: nothing
"""Variational autoencoder on digit images."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.mu, self.lv = nn.Linear(64, 8), nn.Linear(64, 8)
        self.dec = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, lv = self.mu(h), self.lv(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * lv) if self.training else mu
        return self.dec(z), mu, lv

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=2e-3)


torch.manual_seed(0)
data = torch.tensor(load_digits().data).float() / 16
data = data[torch.randperm(len(data))]
train, test = data[:1500], data[1500:]
vae = VAE()
opt = vae.configure_optimizers()
for epoch in range(15):
    vae.train()
    for xb in train[torch.randperm(1500)].split(50):
        logit, mu, lv = vae(xb)
        rec = F.binary_cross_entropy_with_logits(logit, xb, reduction="none").sum(1).mean()
        kld = -0.5 * (1 + lv - mu ** 2 - lv.exp()).sum(1).mean()
        opt.zero_grad()
        (rec + kld).backward()
        opt.step()
    if epoch % 5 == 4:
        print(epoch, (rec + kld).item())
vae.eval()
with torch.no_grad():
    print("test bce", F.binary_cross_entropy_with_logits(vae(test)[0], test).item())
