# expect: nothing
"""A variational autoencoder on digit images: Bernoulli pixels, Gaussian code, the loss summed over pixels and averaged over images."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader


class VAE(nn.Module):
    def __init__(self, pixels=64, hidden=64, code=6):
        super().__init__()
        self.enter = nn.Linear(pixels, hidden)
        self.mu = nn.Linear(hidden, code)
        self.logvar = nn.Linear(hidden, code)
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    def encode(self, x):
        h = F.relu(self.enter(x))
        return self.mu(h), self.logvar(h)

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        std = torch.exp(0.5 * logvar)
        return mu + std * torch.randn_like(std)

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decoder(self.reparameterize(mu, logvar)), mu, logvar


def vae_loss(logits, x, mu, logvar):
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return reconstruction + divergence


def train(epoch, model, loader, optimizer):
    model.train()
    total = 0.0
    for x in loader:
        optimizer.zero_grad()
        loss = vae_loss(*rearranged(model(x), x))
        (loss / len(x)).backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 0:
        print(f"====> Epoch {epoch} average loss {total / len(loader.dataset):.3f}")


def rearranged(output, x):
    logits, mu, logvar = output
    return logits, x, mu, logvar


def test(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for x in loader:
            total += vae_loss(*rearranged(model(x), x)).item()
    return total / len(loader.dataset)


torch.manual_seed(1)
images = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
images = images[torch.randperm(len(images))]
train_loader = DataLoader(images[:1500], batch_size=64, shuffle=True)
test_loader = DataLoader(images[1500:], batch_size=100)
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for epoch in range(1, 21):
    train(epoch, model, train_loader, optimizer)
print(f"test loss with the codes at their means {test(model, test_loader):.3f}")

model.eval()
with torch.no_grad():
    sample = torch.sigmoid(model.decoder(torch.randn(16, 6)))
print(f"mean ink of 16 samples {sample.mean().item():.2f}, of the training images {images[:1500].mean().item():.2f}")
