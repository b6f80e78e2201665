# needs: skorch
# expect: lr_too_high @ 32
"""A pipeline of scaler and net, the rate of the net far too large for momentum."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.a = nn.Linear(64, hidden)
        self.b = nn.Linear(hidden, hidden)
        self.c = nn.Linear(hidden, 10)

    def forward(self, X):
        return self.c(torch.relu(self.b(torch.relu(self.a(X)))))


torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
options = dict(  # noqa: C408
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    optimizer__momentum=0.9,
    lr=5.0,
    max_epochs=5,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
pipe = Pipeline([("scale", StandardScaler()), ("net", NeuralNetClassifier(Net, **options))])
print("scores", cross_val_score(pipe, X.astype(np.float32), y, cv=3))
