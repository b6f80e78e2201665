# expect: missing_eval @ 33
"""A scikit-learn-like estimator; predict forgets that the net has batch norm."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn


class TorchClassifier(BaseEstimator, ClassifierMixin):
    def __init__(self, epochs=8, lr=0.01):
        self.epochs, self.lr = epochs, lr

    def fit(self, X, y):
        torch.manual_seed(0)
        self.classes_ = np.unique(y)
        X, y = torch.tensor(X).float(), torch.tensor(y)
        self.net_ = nn.Sequential(
            nn.Linear(X.shape[1], 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, len(self.classes_))
        )
        opt = torch.optim.Adam(self.net_.parameters(), lr=self.lr)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(X)).split(50):
                opt.zero_grad()
                nn.functional.cross_entropy(self.net_(X[rows]), y[rows]).backward()
                opt.step()
        return self

    def predict(self, X):
        with torch.no_grad():
            scores = self.net_(torch.tensor(X).float())
        return self.classes_[scores.argmax(1).numpy()]


X, y = make_classification(700, 10, n_informative=6, n_classes=3, random_state=2)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=2)
model = TorchClassifier().fit(X_train, y_train)
print("score", model.score(X_test, y_test), "small batch", np.mean(model.predict(X_test[:9]) == y_test[:9]))
