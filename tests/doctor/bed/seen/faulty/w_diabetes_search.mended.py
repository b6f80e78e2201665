# expect: nothing
"""Progression of diabetes: a few settings are compared, the best one is kept and its error reported."""
from itertools import product

import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from torch import nn


def load_splits(seed=16, fractions=(0.55, 0.2)):
    x, y = load_diabetes(return_X_y=True, scaled=False)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    a = int(fractions[0] * len(y))
    b = a + int(fractions[1] * len(y))
    parts = {"train": order[:a], "val": order[a:b], "test": order[b:]}
    rows = parts["train"]
    mx, sx, my, sy = x[rows].mean(0), x[rows].std(0), y[rows].mean(), y[rows].std()
    return {k: ((x[i] - mx) / sx, (y[i] - my) / sy) for k, i in parts.items()}, sy.item()


def make_model(width, dropout):
    return nn.Sequential(nn.Linear(10, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, 1), nn.Flatten(0))


def rmse(model, part):
    model.eval()
    with torch.no_grad():
        x, y = part
        return F.mse_loss(model(x), y).sqrt().item()


def train(model, part, weight_decay, epochs=12):
    x, y = part
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=weight_decay)
    model.train()
    for _ in range(epochs):
        for idx in torch.randperm(len(y)).split(32):
            optimizer.zero_grad()
            F.mse_loss(model(x[idx]), y[idx]).backward()
            optimizer.step()
    return model


class Search:
    def __init__(self, splits, grid):
        self.splits, self.grid = splits, grid
        self.best_error, self.best_model, self.best_setting = float("inf"), None, None

    def run(self):
        for values in product(*self.grid.values()):
            setting = dict(zip(self.grid, values))
            model = make_model(setting["width"], setting["dropout"])
            train(model, self.splits["train"], setting["weight_decay"])
            self.consider(model, setting)
        return self.best_model

    def error(self, model, part="test"):
        return rmse(model, self.splits[part])

    def consider(self, model, setting):
        error = self.error(model, "val")
        print(setting, f"train {self.error(model, 'train'):.4f}  held out {error:.4f}")
        if error < self.best_error:
            self.best_error, self.best_model, self.best_setting = error, model, setting


def main():
    torch.manual_seed(16)
    splits, unit = load_splits()
    grid = {"width": [8, 24, 64], "dropout": [0.0, 0.2], "weight_decay": [0.0, 0.1]}
    search = Search(splits, grid)
    model = search.run()
    error = search.error(model)
    print(f"chosen {search.best_setting}")
    print(f"test rmse {error:.4f} ({error * unit:.1f} in the units of the score)")


if __name__ == "__main__":
    main()
