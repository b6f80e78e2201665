# needs: skorch
# expect: scheduler_misuse @ 25
"""A schedule for epochs that the callback steps after every batch."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn


class Mlp(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.a, self.b = nn.Linear(64, hidden), nn.Linear(hidden, 10)

    def forward(self, X):
        return self.b(torch.relu(self.a(X)))


torch.manual_seed(9)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
decay = LRScheduler(policy="StepLR", step_size=3, gamma=0.5, step_every="batch")
net = NeuralNetClassifier(
    Mlp,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    optimizer__momentum=0.9,
    lr=0.05,
    max_epochs=6,
    batch_size=64,
    iterator_train__shuffle=True,
    callbacks=[decay],
    verbose=0,
)
net.fit(X, y)
print("losses", [round(v, 3) for v in net.history[:, "train_loss"]])
