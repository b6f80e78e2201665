# expect: sorted_split @ 51
"""Course page: cross-validation of a small net on the iris flowers with a reusable Trainer class."""
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold
from torch import nn


@dataclass
class Config:
    folds: int = 3
    epochs: int = 40
    lr: float = 0.02
    batch: int = 16
    seed: int = 1


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=cfg.lr)
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, x, y):
        self.model.train()
        for _ in range(self.cfg.epochs):
            for rows in torch.randperm(len(x)).split(self.cfg.batch):
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x[rows]), y[rows])
                loss.backward()
                self.optimizer.step()
        return self

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        return (self.model(x).argmax(dim=1) == y).float().mean().item()


def standardise(train, other):
    mean, std = train.mean(axis=0), train.std(axis=0)
    return [torch.tensor((part - mean) / std, dtype=torch.float32) for part in (train, other)]


def cross_validate(cfg):
    features, species = load_iris(return_X_y=True)
    splitter = KFold(n_splits=cfg.folds)
    for fold, (fit_rows, held_rows) in enumerate(splitter.split(features)):
        x_fit, x_held = standardise(features[fit_rows], features[held_rows])
        y_fit, y_held = torch.tensor(species[fit_rows]), torch.tensor(species[held_rows])
        score = Trainer(cfg).fit(x_fit, y_fit).score(x_held, y_held)
        print(f"fold {fold}: {len(fit_rows)} fitted, {len(held_rows)} held out, accuracy {score:.3f}")
        yield score


if __name__ == "__main__":
    cfg = Config()
    torch.manual_seed(cfg.seed)
    scores = list(cross_validate(cfg))
    print(f"mean accuracy {np.mean(scores):.3f} +- {np.std(scores):.3f}")
