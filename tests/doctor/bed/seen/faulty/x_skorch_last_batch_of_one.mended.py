# needs: skorch
# expect: nothing
"""Batch norm in a net whose last batch of each epoch is a single row."""

import numpy as np
import torch
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale
from skorch import NeuralNetClassifier
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 2)
        self.norm = nn.BatchNorm1d(4)
        self.out = nn.Linear(12, 3)

    def forward(self, X):
        return self.out(torch.relu(self.norm(self.conv(X.unsqueeze(1)))).flatten(1))


torch.manual_seed(0)
X, y = load_iris(return_X_y=True)
X = scale(X).astype(np.float32)[:145]
y = y[:145]
net = NeuralNetClassifier(
    Net,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    batch_size=16,
    iterator_train__drop_last=True,
    max_epochs=6,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
net.fit(X, y)
print("losses", [round(v, 3) for v in net.history[:, "train_loss"]])
