# needs: skorch
# expect: nothing
"""A subclass whose train_step gathers gradients over two batches and never clears them."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from torch import nn


class Accumulating(NeuralNetClassifier):
    def __init__(self, *args, acc_steps=2, **kwargs):
        super().__init__(*args, **kwargs)
        self.acc_steps = acc_steps

    def get_loss(self, *args, **kwargs):
        return super().get_loss(*args, **kwargs) / self.acc_steps

    def train_step(self, batch, **fit_params):
        n_train_batches = len(self.history[-1, "batches"])
        step = self.train_step_single(batch, **fit_params)
        if n_train_batches % self.acc_steps == 0:
            self.optimizer_.step()
            self.optimizer_.zero_grad()
        return step


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, X):
        return self.layers(X)


torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
net = Accumulating(
    Net, criterion=nn.CrossEntropyLoss, lr=0.1, max_epochs=6, batch_size=32, iterator_train__shuffle=True,
    train_split=None, verbose=0,
)  # fmt: skip
net.fit((X / 16).astype(np.float32), y)
print("losses", [round(v, 3) for v in net.history[:, "train_loss"]])
