# expect: nothing
"""Denoising autoencoder on digits; the reconstruction error is checked every three epochs."""
import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class Denoiser(nn.Module):
    def __init__(self, code=24, drop=0.2):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Dropout(drop), nn.Linear(96, code))
        self.decoder = nn.Sequential(nn.Linear(code, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        return torch.sigmoid(self.decoder(self.encoder(x)))


def corrupt(x, level):
    return x + level * torch.randn_like(x)


def reconstruction_error(model, x):
    model.eval()
    with torch.no_grad():
        return nn.functional.mse_loss(model(x), x).item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--noise", type=float, default=0.25)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--check-every", type=int, default=3)
    args = parser.parse_args()

    torch.manual_seed(0)
    images = load_digits().data / 16.0
    train_np, test_np = train_test_split(images, test_size=0.2, random_state=0)
    train = torch.tensor(train_np, dtype=torch.float32)
    test = torch.tensor(test_np, dtype=torch.float32)

    model = Denoiser()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        batches = torch.randperm(len(train)).split(64)
        for idx in batches:
            clean = train[idx]
            loss = nn.functional.mse_loss(model(corrupt(clean, args.noise)), clean)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % args.check_every == 0:
            error = reconstruction_error(model, test)
            print(f"epoch {epoch:2d} train {total / len(batches):.4f} test {error:.4f}")


if __name__ == "__main__":
    main()
