# expect: nothing
"""beta-VAE on the 8x8 digits, Bernoulli likelihood on intensities in [0, 1]."""
import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def parse_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=12)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--latent", type=int, default=6)
    p.add_argument("--beta", type=float, default=0.5)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


class VAE(nn.Module):
    def __init__(self, n_in=64, n_hidden=128, n_latent=6):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, n_hidden), nn.SiLU())
        self.mu = nn.Linear(n_hidden, n_latent)
        self.logvar = nn.Linear(n_hidden, n_latent)
        self.decoder = nn.Sequential(
            nn.Linear(n_latent, n_hidden), nn.SiLU(), nn.Linear(n_hidden, n_in)
        )

    def encode(self, x):
        h = self.trunk(x)
        return self.mu(h), self.logvar(h).clamp(-6.0, 4.0)

    def forward(self, x):
        mu, logvar = self.encode(x)
        if self.training:
            z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        else:
            z = mu
        return self.decoder(z), mu, logvar


def elbo_terms(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1)
    return rec.mean() / x.shape[1], kl.mean() / x.shape[1]


def build_optimizer(model, args):
    return torch.optim.Adam(model.parameters(), lr=args.lr)


def fit(model, loader, optimizer, args):
    for epoch in range(1, args.epochs + 1):
        model.train()
        sums = torch.zeros(2)
        for (x,) in loader:
            logits, mu, logvar = model(x)
            rec, kl = elbo_terms(logits, x, mu, logvar)
            loss = rec + args.beta * kl
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            sums += torch.tensor([rec.item(), kl.item()])
        rec_avg, kl_avg = (sums / len(loader)).tolist()
        print(f"[{epoch:02d}] rec/pixel {rec_avg:.4f}  kl/pixel {kl_avg:.4f}")


@torch.no_grad()
def reconstruction_mse(model, x):
    model.eval()
    logits, _, _ = model(x)
    return F.mse_loss(torch.sigmoid(logits), x).item()


def main():
    args = parse_args()
    torch.manual_seed(args.seed)
    pixels = load_digits().data / 16.0
    train, test = train_test_split(pixels, test_size=0.2, random_state=args.seed)
    train = torch.tensor(train, dtype=torch.float32)
    test = torch.tensor(test, dtype=torch.float32)

    model = VAE(n_latent=args.latent)
    loader = DataLoader(TensorDataset(train), batch_size=args.batch_size, shuffle=True)
    fit(model, loader, build_optimizer(model, args), args)

    baseline = F.mse_loss(train.mean(0).expand_as(test), test).item()
    print(f"test mse {reconstruction_mse(model, test):.4f} (mean image: {baseline:.4f})")


if __name__ == "__main__":
    main()
