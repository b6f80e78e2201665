# expect: nothing
# needs: skorch
"""Skorch MLP on two interleaved spirals, starting weights set through a callback."""
from functools import partial

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, Initializer
from torch import nn


def spirals(n, turns=1.25, noise=0.25, seed=0):
    r = np.random.default_rng(seed)
    t = np.sqrt(r.uniform(0.03, 1, n)) * turns * 2 * np.pi
    side = np.arange(n) % 2
    ang = t + np.pi * side
    X = np.c_[t * np.cos(ang), t * np.sin(ang)] + noise * r.normal(size=(n, 2)) * 2
    return X.astype(np.float32), side.astype(np.int64)


class SpiralNet(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.fc_in = nn.Linear(2, hidden)
        self.fc_mid = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 2)

    def forward(self, X):
        h = torch.relu(self.fc_in(X))
        h = torch.relu(self.fc_mid(h))
        return self.out(h)


class EveryFifth(Callback):
    def on_epoch_end(self, net, **kwargs):
        row = net.history[-1]
        if row["epoch"] % 5 == 0:
            print(f"epoch {row['epoch']:3d}  train loss {row['train_loss']:.4f}")


fill_weights = nn.init.kaiming_uniform_

STARTERS = [
    ("w", Initializer("fc_*.weight", fn=fill_weights)),
    ("b", Initializer("fc_*.bias", fn=nn.init.zeros_)),
]

torch.manual_seed(21)
X, y = spirals(1200, seed=21)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=21)

net = NeuralNetClassifier(
    SpiralNet,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    batch_size=64,
    max_epochs=20,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=STARTERS + [("log", EveryFifth())],
    callbacks__print_log=None,
)
model = make_pipeline(StandardScaler(), net)
model.fit(X_train, y_train)

print(f"train accuracy {model.score(X_train, y_train):.3f}")
print(f"test  accuracy {model.score(X_test, y_test):.3f}")
