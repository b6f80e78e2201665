# expect: nothing
"""Digits VAE whose loss is summed over pixels and divided by the batch, as in the original example."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(14)
X = torch.tensor(load_digits().data / 16, dtype=torch.float32)
train, test = random_split(TensorDataset(X), [1500, len(X) - 1500])
train_loader, test_loader = DataLoader(train, batch_size=64, shuffle=True), DataLoader(test, batch_size=64)


class VAE(nn.Module):
    def __init__(self, z=6):
        super().__init__()
        self.enc = nn.Linear(64, 64)
        self.mu, self.logvar = nn.Linear(64, z), nn.Linear(64, z)
        self.dec1, self.dec2 = nn.Linear(z, 64), nn.Linear(64, 64)

    def forward(self, x):
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return torch.sigmoid(self.dec2(F.relu(self.dec1(z)))), mu, logvar


def elbo(rec, x, mu, logvar):
    bce = F.binary_cross_entropy(rec, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


vae = VAE()
opt = torch.optim.Adam(vae.parameters(), lr=3e-3)
for epoch in range(15):
    vae.train()
    total = 0.0
    for (x,) in train_loader:
        opt.zero_grad()
        rec, mu, logvar = vae(x)
        loss = elbo(rec, x, mu, logvar) / len(x)
        loss.backward()
        opt.step()
        total += loss.item() * len(x)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} train {total / len(train):.3f}")
vae.eval()
with torch.no_grad():
    t = 0.0
    for (x,) in test_loader:
        rec, mu, logvar = vae(x)
        t += elbo(rec, x, mu, logvar).item()
print(f"test {t / len(test):.3f}")
