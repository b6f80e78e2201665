# needs: skorch
# expect: nothing
"""A table whose columns run from fractions to ten thousands, given to plain SGD as it is."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X[:, 12] *= 40
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train = scaler.transform(X_train).astype(np.float32)
X_test = scaler.transform(X_test).astype(np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Net, criterion=nn.CrossEntropyLoss, lr=0.01, max_epochs=20, batch_size=32, iterator_train__shuffle=True,
    train_split=None, verbose=0,
)  # fmt: skip
net.fit(X_train, y_train)
print("test accuracy", round(net.score(X_test, y_test), 3))
