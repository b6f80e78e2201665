# expect: bad_label_values @ 26
# allowed: bad_label_values @ 70
"""Variational autoencoder on the digits (Bernoulli pixels), after the PyTorch example."""
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from sklearn.datasets import load_digits

BATCH_SIZE, EPOCHS, LATENT, SEED = 64, 9, 8, 1


class Compose:
    def __init__(self, steps):
        self.steps = steps

    def __call__(self, image):
        for step in self.steps:
            image = step(image)
        return image


transform = Compose([
    lambda image: torch.as_tensor(image, dtype=torch.float32),
    lambda image: image / 16,
    lambda image: (image - 0.5) / 0.5,
    lambda image: image.reshape(1, 8, 8),
])


class DigitImages(Dataset):
    def __init__(self, images, transform):
        self.images, self.transform = images, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(self.images[index])


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc_mu = nn.Linear(128, LATENT)
        self.fc_logvar = nn.Linear(128, LATENT)
        self.fc3 = nn.Linear(LATENT, 128)
        self.fc4 = nn.Linear(128, 64)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc_mu(h), self.fc_logvar(h)

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)

    def decode(self, z):
        return self.fc4(F.relu(self.fc3(z)))

    def forward(self, x):
        mu, logvar = self.encode(x.flatten(1))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_logits, x, mu, logvar):
    """Negative ELBO per image."""
    bce = F.binary_cross_entropy_with_logits(recon_logits, x.flatten(1), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / len(x)


def train(model, loader, optimizer):
    model.train()
    total = 0.0
    for data in loader:
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        loss = loss_function(recon, data, mu, logvar)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(data)
    return total / len(loader.dataset)


def test(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for data in loader:
            recon, mu, logvar = model(data)
            total += loss_function(recon, data, mu, logvar).item() * len(data)
    return total / len(loader.dataset)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    images = load_digits().images
    order = torch.randperm(len(images)).numpy()
    train_loader = DataLoader(DigitImages(images[order[:1400]], transform), batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(DigitImages(images[order[1400:]], transform), batch_size=200)

    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(1, EPOCHS + 1):
        loss = train(model, train_loader, optimizer)
        if epoch % 3 == 0:
            print(f"====> Epoch: {epoch} average loss: {loss:.4f}")
    print(f"====> Test set loss: {test(model, test_loader):.4f}")


if __name__ == "__main__":
    main()
