# expect: nothing
"""Anomaly detection for motors: an autoencoder learns healthy windows only; the alarm level is a quantile of healthy validation errors."""
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def healthy(n, rng, length=32):
    t = np.arange(length)
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    wave = np.sin(2 * np.pi * t / 16 + phase) + 0.4 * np.sin(2 * np.pi * t / 8 + 2 * phase)
    return 3.0 + 2.0 * rng.uniform(0.8, 1.2, (n, 1)) * wave + rng.normal(0, 0.2, (n, length))


def broken(n, rng, length=32):
    x = healthy(n, rng, length)
    half = n // 2
    x[:half] += 1.2 * np.sin(2 * np.pi * np.arange(length) / 3.3)
    starts = rng.integers(0, length - 8, n - half)
    for row, start in zip(range(half, n), starts):
        x[row, start:start + 8] = x[row, start]
    return x


class AutoEncoder(nn.Module):
    def __init__(self, length, code=4):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(length, 32), nn.LeakyReLU(0.1), nn.Linear(32, code))
        self.up = nn.Sequential(nn.Linear(code, 32), nn.LeakyReLU(0.1), nn.Linear(32, length))

    def forward(self, x):
        return self.up(self.down(x))

    @torch.no_grad()
    def errors(self, x):
        self.eval()
        return (self(x) - x).square().mean(dim=1)


def main():
    rng = np.random.default_rng(4)
    torch.manual_seed(4)
    train, val = healthy(1500, rng), healthy(300, rng)
    test = np.concatenate([healthy(200, rng), broken(200, rng)])
    label = np.repeat([0, 1], 200)
    mean, std = train.mean(), train.std()
    train, val, test = (torch.tensor((part - mean) / std, dtype=torch.float32) for part in (train, val, test))

    model = AutoEncoder(32)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.93)
    for epoch in range(25):
        model.train()
        total = 0.0
        for (batch,) in DataLoader(TensorDataset(train), batch_size=75, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(batch), batch)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        scheduler.step()
        if epoch % 8 == 0:
            print(f"epoch {epoch:2d}  train {total / len(train):.4f}  validation {model.errors(val).mean():.4f}")

    level = torch.quantile(model.errors(val), 0.97)
    score = model.errors(test)
    alarm = (score > level).numpy()
    print(f"AUC {roc_auc_score(label, score.numpy()):.3f}")
    print(f"false alarms {alarm[label == 0].mean():.3f}, found {alarm[label == 1].mean():.3f}")


if __name__ == "__main__":
    main()
