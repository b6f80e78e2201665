# needs: skorch
# expect: nothing
# looks suspicious: the rows come sorted by class, unscaled, and the library neither shuffles nor is told to;
# its batches of 128 of 120 rows hold everything at once.
"""The least there is to type: iris as it is given, a NeuralNetClassifier with its defaults."""

import numpy as np
import torch
from sklearn.datasets import load_iris
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
X, y = load_iris(return_X_y=True)
X, y = X.astype(np.float32), y.astype(np.int64)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 3), nn.Softmax(dim=-1))

    def forward(self, X):
        return self.seq(X)


net = NeuralNetClassifier(Net, max_epochs=60, lr=0.1, verbose=0)
net.fit(X, y)
print(net.history[-1, ("epoch", "train_loss", "valid_loss", "valid_acc")])
print("probabilities", net.predict_proba(X[:3]).round(3).tolist())
