# needs: skorch
# expect: nothing
"""Digits sorted by their class, read in order: the library shuffles only when it is told to."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(1)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
by_class = np.argsort(y_train, kind="stable")
X_train, y_train = X_train[by_class].astype(np.float32), y_train[by_class].astype(np.int64)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Mlp,
    criterion=nn.CrossEntropyLoss,
    lr=0.1,
    batch_size=16,
    max_epochs=8,
    train_split=None,
    iterator_train__shuffle=True,
    verbose=0,
)
net.fit(X_train, y_train)
print("losses", [round(v, 3) for v in net.history[:, "train_loss"]])
print("test accuracy", round(net.score(X_test.astype(np.float32), y_test), 3))
