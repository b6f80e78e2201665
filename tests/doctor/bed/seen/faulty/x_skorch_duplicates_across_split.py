# needs: skorch
# allowed: duplicate_leakage @ 20
# expect: duplicate_leakage @ 21
"""A rare class is oversampled before the split, so that copies of its rows are judged as unseen ones."""

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(2)
rng = np.random.default_rng(0)
X, y = make_classification(700, 10, n_informative=5, weights=[0.85], flip_y=0.1, random_state=3)
X, y = X.astype(np.float32), y.astype(np.int64)
rare = np.flatnonzero(y == 1)
again = rng.choice(rare, size=(y == 0).sum() - len(rare))
X, y = np.concatenate([X, X[again]]), np.concatenate([y, y[again]])
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)


class Mlp(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.a, self.b = nn.Linear(10, hidden), nn.Linear(hidden, 2)

    def forward(self, X):
        return self.b(torch.relu(self.a(X)))


net = NeuralNetClassifier(
    Mlp, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.01, max_epochs=15,
    batch_size=32, iterator_train__shuffle=True, train_split=None, verbose=0,
)  # fmt: skip
net.fit(X_train, y_train)
print("balanced accuracy", round(balanced_accuracy_score(y_test, net.predict(X_test)), 3))
