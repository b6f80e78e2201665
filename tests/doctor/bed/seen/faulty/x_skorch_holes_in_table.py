# needs: skorch
# expect: nan_inputs @ 32
"""A table with a few holes goes into the net as it is."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

torch.manual_seed(3)
rng = np.random.default_rng(1)
X, y = load_diabetes(return_X_y=True)
X[rng.random(X.shape) < 0.01] = np.nan
y = ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
X = StandardScaler().fit_transform(X).astype(np.float32)


class Reg(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, X):
        return self.seq(X)


net = NeuralNetRegressor(
    Reg, lr=0.01, max_epochs=6, batch_size=32, iterator_train__shuffle=True, train_split=None, verbose=0
)
net.fit(X, y)
print("losses", net.history[:, "train_loss"])
