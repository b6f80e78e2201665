# expect: nothing
"""Variational autoencoder on 8x8 digits, after the well-known PyTorch example."""
import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description="VAE digits example")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--log-interval", type=int, default=5)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 48)
        self.fc21 = nn.Linear(48, 6)
        self.fc22 = nn.Linear(48, 6)
        self.fc3 = nn.Linear(6, 48)
        self.fc4 = nn.Linear(48, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return self.fc4(F.relu(self.fc3(z)))

    def forward(self, x):
        mu, logvar = self.encode(x.flatten(1))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(logits, x, mu, logvar):
    bce = F.binary_cross_entropy_with_logits(logits, x.flatten(1), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / len(x)


def train(epoch, model, optimizer, loader, log_interval):
    model.train()
    train_loss = 0
    for (data,) in loader:
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        loss = loss_function(recon, data, mu, logvar)
        loss.backward()
        train_loss += loss.item() * len(data)
        optimizer.step()
    if epoch % log_interval == 0:
        print(f"====> Epoch: {epoch} Average loss: {train_loss / len(loader.dataset):.4f}")


def test(model, loader):
    model.eval()
    elbo, squared = 0.0, 0.0
    with torch.no_grad():
        for (data,) in loader:
            logits, mu, logvar = model(data)
            elbo += loss_function(logits, data, mu, logvar).item() * len(data)
            squared += (torch.sigmoid(logits) - data.flatten(1)).pow(2).mean(dim=1).sum().item()
    n = len(loader.dataset)
    print(f"====> Test set loss: {elbo / n:.4f}, pixel MSE {squared / n:.4f}")


def main():
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    images = torch.tensor(load_digits().images, dtype=torch.float32) / 16
    images = images[torch.randperm(len(images))]
    train_loader = DataLoader(TensorDataset(images[:1400]), batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(TensorDataset(images[1400:]), batch_size=200)
    baseline = (images[1400:] - images[:1400].mean(dim=0)).pow(2).mean().item()

    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=4e-3)
    for epoch in range(1, args.epochs + 1):
        train(epoch, model, optimizer, train_loader, args.log_interval)
    test(model, test_loader)
    print(f"pixel MSE of the mean image {baseline:.4f}")

    model.eval()
    with torch.no_grad():
        sample = torch.sigmoid(model.decode(torch.randn(1, 6))).view(8, 8)
    for row in sample:
        print("".join(" .:*#"[min(4, int(5 * v))] for v in row))


if __name__ == "__main__":
    main()
