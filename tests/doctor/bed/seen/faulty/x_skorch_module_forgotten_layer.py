# needs: skorch
# expect: params_not_in_optimizer @ 18
"""A module that holds its blocks in a plain list: the library's optimizer never sees them."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn


class Blocks(nn.Module):
    def __init__(self, width=24, depth=2):
        super().__init__()
        self.first = nn.Linear(13, width)
        self.blocks = [nn.Linear(width, width) for _ in range(depth)]
        self.last = nn.Linear(width, 3)

    def forward(self, X):
        h = torch.relu(self.first(X))
        for block in self.blocks:
            h = torch.relu(block(h))
        return self.last(h)


torch.manual_seed(8)
X, y = load_wine(return_X_y=True)
pipe = make_pipeline(
    StandardScaler(),
    NeuralNetClassifier(
        Blocks,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.01,
        max_epochs=10,
        batch_size=16,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ),
)
pipe.fit(X.astype(np.float32), y)
print("accuracy on training rows", round(pipe.score(X.astype(np.float32), y), 3))
