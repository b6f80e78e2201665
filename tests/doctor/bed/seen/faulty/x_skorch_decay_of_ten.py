# needs: skorch
# expect: weight_decay_too_high @ 29
"""A weight decay that was meant for another library's loss."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Net,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    optimizer__weight_decay=5.0,
    lr=0.05,
    max_epochs=8,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
net.fit(X, y)
print("losses", [round(v, 3) for v in net.history[:, "train_loss"]])
