# expect: nothing
"""Variational autoencoder on digits; the ELBO is summed over pixels and averaged over the batch."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self, latent=6, hidden=96):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU())
        self.to_mu = nn.Linear(hidden, latent)
        self.to_logvar = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def reparameterise(self, mu, logvar):
        if not self.training:
            return mu
        return mu + torch.randn_like(mu) * (0.5 * logvar).exp()

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.to_mu(h), self.to_logvar(h).clamp(-8.0, 8.0)
        return self.decoder(self.reparameterise(mu, logvar)), mu, logvar


def elbo_terms(logits, x, mu, logvar):
    """Grey values in [0, 1] serve as probabilities of a pixel being on."""
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return reconstruction / len(x), kl / len(x)


def main():
    torch.manual_seed(5)
    images, _ = load_digits(return_X_y=True)
    train, test = train_test_split(torch.tensor(images / 16.0, dtype=torch.float32), test_size=0.2, random_state=5)
    loader = DataLoader(TensorDataset(train), batch_size=32, shuffle=True)

    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    epochs, warm = 18, 6
    for epoch in range(epochs):
        model.train()
        beta = min(1.0, (epoch + 1) / warm)
        sums = torch.zeros(2)
        for (x,) in loader:
            rec, kl = elbo_terms(*forward_pair(model, x))
            loss = rec + beta * kl
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sums += torch.tensor([rec.item(), kl.item()]) * len(x)
        if (epoch + 1) % 6 == 0:
            rec, kl = (sums / len(train)).tolist()
            print(f"epoch {epoch + 1:2d}  reconstruction {rec:.3f}  kl {kl:.3f}")

    model.eval()
    with torch.no_grad():
        logits, mu, logvar = model(test)
        rec, kl = elbo_terms(logits, test, mu, logvar)
        error = F.mse_loss(torch.sigmoid(logits), test)
        baseline = F.mse_loss(train.mean(dim=0).expand_as(test), test)
        fantasy = torch.sigmoid(model.decoder(torch.randn(3, 6)))
    print(f"test: reconstruction {rec.item():.3f}, kl {kl.item():.3f}")
    print(f"test mse {error.item():.4f}, mean picture {baseline.item():.4f}")
    print("brightness of three samples", [round(v, 3) for v in fantasy.mean(dim=1).tolist()])


def forward_pair(model, x):
    logits, mu, logvar = model(x)
    return logits, x, mu, logvar


if __name__ == "__main__":
    main()
