# expect: nothing
"""Odd machine sounds by reconstruction error: the autoencoder sees sound spectra of healthy machines only."""
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

BANDS = 24


@dataclass
class Data:
    train: Tensor
    valid: Tensor
    test: Tensor
    odd: np.ndarray


def healthy(rng, n):
    """Spectra on a three-dimensional surface plus noise."""
    speed, load, heat = rng.uniform(-1, 1, (3, n, 1))
    f = np.linspace(0, 3, BANDS)[None, :]
    clean = np.sin(2 * f + speed) + load * np.cos(1.5 * f) + 0.6 * heat * f
    return clean + rng.normal(0, 0.1, clean.shape)


def broken(rng, n):
    spectra = healthy(rng, n)
    at = rng.integers(0, BANDS - 3, n)
    for row, band in enumerate(at):
        spectra[row, band:band + 3] += rng.choice([-1, 1]) * rng.uniform(0.6, 1.2)
    return spectra


def collect(seed):
    rng = np.random.default_rng(seed)
    train, valid = healthy(rng, 1000), healthy(rng, 250)
    test = np.vstack([healthy(rng, 300), broken(rng, 60)])
    odd = np.repeat([0, 1], [300, 60])
    mean, std = train.mean(0), train.std(0)
    scale = lambda a: torch.tensor((a - mean) / std, dtype=torch.float32)
    return Data(scale(train), scale(valid), scale(test), odd)


class AutoEncoder(nn.Module):
    def __init__(self, code=4):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(BANDS, 32), nn.GELU(), nn.Linear(32, code))
        self.decode = nn.Sequential(nn.Linear(code, 32), nn.GELU(), nn.Linear(32, BANDS))

    def forward(self, x):
        return self.decode(self.encode(x))


@torch.no_grad()
def errors(model, x):
    model.eval()
    return (model(x) - x).pow(2).mean(dim=1)


def main(epochs=25, patience=4):
    torch.manual_seed(41)
    data = collect(41)
    model = AutoEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    best, best_state, waited = float("inf"), None, 0
    for epoch in range(1, epochs + 1):
        model.train()
        for idx in torch.randperm(len(data.train)).split(50):
            loss = nn.functional.mse_loss(model(data.train[idx]), data.train[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        valid = errors(model, data.valid).mean().item()
        plateau.step(valid)
        if valid < best:
            best, waited = valid, 0
            best_state = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            waited += 1
        if waited >= patience:
            break
    print(f"stopped after epoch {epoch}, best validation error {best:.4f}")

    model.load_state_dict(best_state)
    limit = errors(model, data.valid).quantile(0.95).item()
    score = errors(model, data.test).numpy()
    alarm = score > limit
    print(f"area under the curve {roc_auc_score(data.odd, score):.3f}")
    print(f"odd machines found {alarm[data.odd == 1].mean():.3f}, false alarms {alarm[data.odd == 0].mean():.3f}")


if __name__ == "__main__":
    main()
