# needs: skorch
# expect: class_imbalance @ 29
# allowed: class_imbalance @ 38
"""A rare class of 4 %, no weight, and accuracy as the figure."""

import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

torch.manual_seed(1)
X, y = make_classification(1200, 10, n_informative=4, weights=[0.96], class_sep=0.5, flip_y=0, random_state=4)
X, y = X.astype("float32"), y.astype("int64")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)


class Binary(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, X):
        return self.layers(X)


net = NeuralNetClassifier(
    Binary,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.SGD,
    lr=0.05,
    batch_size=64,
    max_epochs=12,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
net.fit(X_train, y_train)
print("accuracy", round(net.score(X_test, y_test), 3), "found", int(net.predict(X_test)[y_test == 1].sum()))
