# needs: skorch
# expect: detached_loss @ 16
"""get_loss of a subclass makes a new tensor of the value, so that backward has something to start from."""

import numpy as np
import torch
from sklearn.datasets import make_moons
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn import functional as F


class Penalised(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        value = F.cross_entropy(y_pred, y_true) + 1e-4 * sum((p**2).sum() for p in self.module_.parameters())
        return torch.tensor(value.item(), requires_grad=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, X):
        return self.seq(X)


torch.manual_seed(7)
X, y = make_moons(300, noise=0.15, random_state=7)
net = Penalised(
    Net, optimizer=torch.optim.Adam, lr=0.02, max_epochs=10, batch_size=30, train_split=None,
    iterator_train__shuffle=True, verbose=0,
)  # fmt: skip
net.fit(X.astype(np.float32), y)
print("losses", [round(v, 4) for v in net.history[::3, "train_loss"]])
