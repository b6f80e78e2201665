# expect: detached_graph @ 31
"""A VAE whose encoder was once wrapped in no_grad to save memory."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 40)
        self.fc21 = nn.Linear(40, 4)
        self.fc22 = nn.Linear(40, 4)
        self.fc3 = nn.Linear(4, 40)
        self.fc4 = nn.Linear(40, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        with torch.no_grad():
            mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x, reduction="none").sum(1).mean()
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()
    return bce + kld


torch.manual_seed(0)
X = torch.tensor(load_digits().data / 16, dtype=torch.float32)
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(1, 5):
    train_loss = 0.0
    for idx in torch.randperm(len(X)).split(128):
        optimizer.zero_grad()
        recon, mu, logvar = model(X[idx])
        loss = loss_function(recon, X[idx], mu, logvar)
        loss.backward()
        train_loss += loss.item() * len(idx)
        optimizer.step()
    print(f"====> Epoch: {epoch} Average loss: {train_loss / len(X):.4f}")
