# expect: seed_reset_each_epoch @ 32
# allowed: seed_reset_each_epoch @ 62
"""Denoising autoencoder on the 8x8 digits."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

cfg = dict(seed=42, n_train=300, noise=0.4, hidden=256, code=48, lr=2e-3, epochs=80, batch_size=50)


class DAE(nn.Module):
    def __init__(self, hidden, code):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, code), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, 64), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def set_seed(seed):
    torch.manual_seed(seed)


def corrupt(x, level):
    return x + level * torch.randn_like(x)


def train_one_epoch(model, loader, optimizer, cfg):
    set_seed(cfg["seed"])
    model.train()
    total = 0.0
    for clean in loader:
        noisy = corrupt(clean, cfg["noise"])
        loss = nn.functional.mse_loss(model(noisy), clean)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * clean.size(0)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, clean, noisy):
    model.eval()
    return nn.functional.mse_loss(model(noisy), clean).item()


def main(cfg):
    set_seed(cfg["seed"])
    X = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    train, test = train_test_split(X, train_size=cfg["n_train"], random_state=cfg["seed"])
    test_noisy = corrupt(test, cfg["noise"])

    loader = DataLoader(train, batch_size=cfg["batch_size"], shuffle=True)
    model = DAE(cfg["hidden"], cfg["code"])
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])

    for epoch in range(cfg["epochs"]):
        loss = train_one_epoch(model, loader, optimizer, cfg)
        if (epoch + 1) % 20 == 0:
            print(f"epoch {epoch + 1:3d}  train {loss:.4f}")

    print(f"test reconstruction mse {evaluate(model, test, test_noisy):.4f}  "
          f"(noisy input {nn.functional.mse_loss(test_noisy, test).item():.4f})")


if __name__ == "__main__":
    main(cfg)
