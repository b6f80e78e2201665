# expect: nothing
"""Digits VAE whose ELBO sums over pixels and averages over the batch, with Adam."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self, z=8):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.mu, self.logvar = nn.Linear(96, z), nn.Linear(96, z)
        self.dec = nn.Sequential(nn.Linear(z, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar) if self.training else mu
        return torch.sigmoid(self.dec(z)), mu, logvar


def elbo(out, x, mu, logvar):
    rec = F.binary_cross_entropy(out, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (rec + kl) / len(x)


def main():
    torch.manual_seed(0)
    x = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    xa, xb = train_test_split(x, test_size=0.2, random_state=0)
    loader = DataLoader(TensorDataset(xa), batch_size=64, shuffle=True)
    vae = VAE()
    opt = torch.optim.Adam(vae.parameters(), lr=3e-3)
    for epoch in range(15):
        vae.train()
        running = 0.0
        for (b,) in loader:
            out, mu, logvar = vae(b)
            loss = elbo(out, b, mu, logvar)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            running += loss.item()
        if epoch % 5 == 4:
            vae.eval()
            with torch.no_grad():
                test = elbo(xb_out := vae(xb)[0], xb, *vae(xb)[1:]).item()
            print(f"epoch {epoch + 1} train {running / len(loader):.2f} test {test:.2f} mse {F.mse_loss(xb_out, xb):.4f}")


main()
