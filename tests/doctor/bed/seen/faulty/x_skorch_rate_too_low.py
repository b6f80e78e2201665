# needs: skorch
# expect: lr_too_low @ 29
"""A regressor whose rate is so small that nothing moves."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale
from skorch import NeuralNetRegressor
from torch import nn

torch.manual_seed(4)
X, y = load_diabetes(return_X_y=True)
X, y = scale(X).astype(np.float32), scale(y).astype(np.float32).reshape(-1, 1)


class Small(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.one, self.two = nn.Linear(10, width), nn.Linear(width, 1)

    def forward(self, X):
        return self.two(torch.relu(self.one(X)))


net = NeuralNetRegressor(
    Small,
    optimizer=torch.optim.SGD,
    lr=1e-6,
    max_epochs=12,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
net.fit(X, y)
print("losses", [round(v, 4) for v in net.history[::3, "train_loss"]])
