# expect: sigmoid_before_bce_with_logits @ 79
# allowed: sigmoid_before_bce_with_logits @ 80
"""Multi-label tagging of digits: even, prime, has a loop, greater than four. Dataclass config, best epoch by validation."""
import copy
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

TRAITS = {
    "even": {0, 2, 4, 6, 8},
    "prime": {2, 3, 5, 7},
    "loop": {0, 6, 8, 9},
    "large": {5, 6, 7, 8, 9},
}


@dataclass
class Config:
    hidden: int = 96
    dropout: float = 0.1
    lr: float = 2e-3
    batch_size: int = 64
    epochs: int = 25
    seed: int = 21


class Tagger(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, cfg.hidden), nn.LayerNorm(cfg.hidden), nn.ReLU(), nn.Dropout(cfg.dropout))
        self.tags = nn.Linear(cfg.hidden, len(TRAITS))

    def forward(self, x):
        return self.tags(self.trunk(x))

    def probabilities(self, x):
        return torch.sigmoid(self(x))


def make_datasets(cfg):
    pixels, digit = load_digits(return_X_y=True)
    targets = np.stack([[float(d in members) for d in digit] for members in TRAITS.values()], axis=1)
    full = TensorDataset(
        torch.tensor(pixels / 16.0, dtype=torch.float32),
        torch.tensor(targets, dtype=torch.float32),
    )
    split = torch.Generator().manual_seed(cfg.seed)
    return random_split(full, [1200, 250, 347], generator=split)


@torch.no_grad()
def validate(model, loader, criterion):
    model.eval()
    loss, right, n = 0.0, torch.zeros(len(TRAITS)), 0
    for x, y in loader:
        logits = model(x)
        loss += criterion(logits, y).item() * len(x)
        right += ((logits > 0).float() == y).sum(0)
        n += len(x)
    return loss / n, right / n


def main(cfg: Config):
    torch.manual_seed(cfg.seed)
    train, valid, test = make_datasets(cfg)
    loader = DataLoader(train, cfg.batch_size, shuffle=True)
    model = Tagger(cfg)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    best_loss, best_weights = float("inf"), None
    for _ in range(cfg.epochs):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            out = model.probabilities(x)
            criterion(out, y).backward()
            optimizer.step()
        loss, _right = validate(model, DataLoader(valid, 250), criterion)
        if loss < best_loss:
            best_loss, best_weights = loss, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    loss, right = validate(model, DataLoader(test, 347), criterion)
    print(f"validation loss {best_loss:.4f}, test loss {loss:.4f}")
    for name, share in zip(TRAITS, right.tolist()):
        print(f"  {name:6s} {share:.3f}")


main(Config())
