# needs: skorch
# expect: nothing
"""criterion__reduction is sum, with the rate of a mean."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale
from skorch import NeuralNetRegressor
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, X):
        return self.layers(X)


torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X, y = scale(X).astype(np.float32), scale(y).astype(np.float32).reshape(-1, 1)
net = NeuralNetRegressor(
    Net,
    lr=0.05,
    max_epochs=8,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
net.fit(X, y)
print("losses", [round(v, 3) for v in net.history[:, "train_loss"]])
