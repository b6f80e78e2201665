# expect: nothing
"""Chooses width and weight decay on a validation part, trains once more on training and validation rows, tests a single time."""
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from torch import nn


class Choice(NamedTuple):
    width: int
    decay: float


class Classifier:
    """A net with the manners of scikit-learn."""

    def __init__(self, choice, epochs=15, lr=5e-3, seed=9):
        self.choice, self.epochs, self.lr, self.seed = choice, epochs, lr, seed

    def fit(self, x, y):
        source = torch.Generator().manual_seed(self.seed)
        self.scaler = make_pipeline(RobustScaler(), StandardScaler()).fit(x)
        x, y = self._tensor(x), torch.tensor(y)
        self.net = nn.Sequential(nn.Linear(x.shape[1], self.choice.width), nn.ReLU(), nn.Linear(self.choice.width, 2))
        optimizer = torch.optim.AdamW(self.net.parameters(), lr=self.lr, weight_decay=self.choice.decay)
        self.net.train()
        for _ in range(self.epochs):
            for rows in torch.randperm(len(y), generator=source).split(32):
                loss = nn.functional.cross_entropy(self.net(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return self

    def _tensor(self, x):
        return torch.tensor(self.scaler.transform(x), dtype=torch.float32)

    @torch.no_grad()
    def predict(self, x):
        self.net.eval()
        return self.net(self._tensor(x)).argmax(dim=-1).numpy()

    @torch.no_grad()
    def loss(self, x, y):
        self.net.eval()
        return nn.functional.cross_entropy(self.net(self._tensor(x)), torch.tensor(y)).item()


if __name__ == "__main__":
    torch.manual_seed(9)
    x, y = load_breast_cancer(return_X_y=True)
    x_dev, x_test, y_dev, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=9)
    x_train, x_val, y_train, y_val = train_test_split(x_dev, y_dev, test_size=0.25, stratify=y_dev, random_state=9)

    results = {}
    for choice in map(Choice._make, product((8, 24), (1e-3, 5e-2))):
        results[choice] = Classifier(choice).fit(x_train, y_train).loss(x_val, y_val)
        print(f"width {choice.width:2d}  decay {choice.decay:g}  validation loss {results[choice]:.4f}")

    chosen = min(results, key=results.get)
    final = Classifier(chosen).fit(x_dev, y_dev)
    print(f"chosen {chosen.width}, {chosen.decay:g}")
    print(f"test accuracy {np.mean(final.predict(x_test) == y_test):.4f}")
