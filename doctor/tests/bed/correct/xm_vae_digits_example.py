# expect: nothing
"""Variational autoencoder after the PyTorch example, on 8x8 digits."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader

torch.manual_seed(1)

images = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
train_x, test_x = train_test_split(images, test_size=0.2, random_state=1)
train_loader = DataLoader(train_x, batch_size=64, shuffle=True)
test_loader = DataLoader(test_x, batch_size=180)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc21 = nn.Linear(128, 8)
        self.fc22 = nn.Linear(128, 8)
        self.fc3 = nn.Linear(8, 128)
        self.fc4 = nn.Linear(128, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return self.fc4(F.relu(self.fc3(z)))

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = self.reparameterize(mu, logvar) if self.training else mu
        return self.decode(z), mu, logvar


def loss_function(recon_logits, x, mu, logvar):
    bce = F.binary_cross_entropy_with_logits(recon_logits, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / x.size(0)


model = VAE()
optimizer = optim.Adam(model.parameters(), lr=2e-3)


def train():
    model.train()
    total = 0.0
    for data in train_loader:
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        loss = loss_function(recon, data, mu, logvar)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(data)
    return total / len(train_loader.dataset)


def test():
    model.eval()
    total = 0.0
    with torch.no_grad():
        for data in test_loader:
            recon, mu, logvar = model(data)
            total += loss_function(recon, data, mu, logvar).item() * len(data)
    return total / len(test_loader.dataset)


for epoch in range(1, 26):
    train_loss = train()
    if epoch % 5 == 0:
        print(f"====> Epoch {epoch}: train {train_loss:.3f}  test {test():.3f}")
