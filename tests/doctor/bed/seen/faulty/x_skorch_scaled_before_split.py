# needs: skorch
# expect: scaler_leakage @ 17
"""A scaler fitted on the whole table before the test rows are put aside."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from torch import nn

torch.manual_seed(5)
X, y = load_wine(return_X_y=True)
X = MinMaxScaler().fit_transform(X)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=5, stratify=y)
X_train, X_test = X_train.astype(np.float32), X_test.astype(np.float32)


class Module(nn.Module):
    def __init__(self, n_hidden=24):
        super().__init__()
        self.hidden, self.out = nn.Linear(13, n_hidden), nn.Linear(n_hidden, 3)

    def forward(self, X):
        return torch.log_softmax(self.out(torch.tanh(self.hidden(X))), dim=-1)


net = NeuralNetClassifier(
    Module,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.02,
    max_epochs=20,
    batch_size=16,
    iterator_train__shuffle=True,
    callbacks=[EarlyStopping(patience=5)],
    verbose=0,
)
net.fit(X_train, y_train)
print("test accuracy", round(accuracy_score(y_test, net.predict(X_test)), 3))
