# expect: nothing
# needs: skorch
import numpy as np
import torch
from torch import nn
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier

torch.manual_seed(0)
rng = np.random.default_rng(0)

n, steps = 320, 16
t = np.arange(steps)
y = (np.arange(n) % 2).astype(np.int64)
freq = np.where(y == 0, rng.uniform(0.8, 1.2, n), rng.uniform(1.4, 1.9, n))
X = np.sin(freq[:, None] * t[None] * 0.5 + rng.uniform(0, 6.28, (n, 1)))
X = (X + 0.2 * rng.normal(size=X.shape)).astype(np.float32)[:, :, None]

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


class GRUClassifier(nn.Module):
    def __init__(self, hidden=24, dropout=0.1):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, 2)

    def forward(self, X):
        _, h = self.gru(X)
        return self.out(self.drop(h[-1]))


net = NeuralNetClassifier(
    GRUClassifier,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.02,
    max_epochs=15,
    batch_size=32,
    iterator_train__shuffle=True,
)
net.fit(X_train, y_train)
print("last valid accuracy %.3f" % net.history[-1, "valid_acc"])
print("test accuracy %.3f" % net.score(X_test, y_test))
