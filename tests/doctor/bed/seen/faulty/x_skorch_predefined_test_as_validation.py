# needs: skorch
# expect: selection_on_test @ 42
# allowed: selection_on_test @ 43
"""The best epoch is kept by the figure on the test rows, which is then told as the result."""

import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from skorch.callbacks import Checkpoint
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

torch.manual_seed(6)
X, y = load_digits(return_X_y=True)
X, y = (X / 16).astype(np.float32), y.astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=6)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, 10))

    def forward(self, X):
        return self.layers(X)


with tempfile.TemporaryDirectory() as folder:
    net = NeuralNetClassifier(
        Mlp,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=3e-3,
        batch_size=64,
        max_epochs=6,
        iterator_train__shuffle=True,
        train_split=predefined_split(Dataset(X_test, y_test)),
        callbacks=[Checkpoint(monitor="valid_acc_best", dirname=folder, load_best=True)],
        verbose=0,
    )
    net.fit(X_train, y_train)
print("test accuracy", round(net.score(X_test, y_test), 3))
