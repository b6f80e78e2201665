# expect: nothing
"""An estimator of our own: it scales what it is given, and keeps a part of it to stop by."""
import copy
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

class NetClassifier(BaseEstimator, ClassifierMixin):
    def __init__(self, hidden=16, epochs=30, seed=0):
        self.hidden, self.epochs, self.seed = hidden, epochs, seed

    def fit(self, X, y):
        torch.manual_seed(self.seed)
        self.classes_ = np.unique(y)
        self.scaler_ = StandardScaler().fit(X)
        Z = torch.tensor(self.scaler_.transform(X), dtype=torch.float32)
        t = torch.tensor(y)
        order = torch.randperm(len(Z))
        cut = int(0.85 * len(Z))
        train, val = order[:cut], order[cut:]
        self.net_ = nn.Sequential(nn.Linear(Z.shape[1], self.hidden), nn.ReLU(), nn.Linear(self.hidden, 2))
        opt = torch.optim.Adam(self.net_.parameters(), lr=5e-3)
        best = float("inf")
        for epoch in range(self.epochs):
            for idx in train[torch.randperm(len(train))].split(32):
                opt.zero_grad()
                F.cross_entropy(self.net_(Z[idx]), t[idx]).backward()
                opt.step()
            with torch.no_grad():
                loss = F.cross_entropy(self.net_(Z[val]), t[val]).item()
            if loss < best:
                best, kept = loss, copy.deepcopy(self.net_.state_dict())
        self.net_.load_state_dict(kept)
        return self

    def predict(self, X):
        with torch.no_grad():
            Z = torch.tensor(self.scaler_.transform(X), dtype=torch.float32)
            return self.classes_[self.net_(Z).argmax(1).numpy()]

X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=3, stratify=y)
model = NetClassifier().fit(Xa, ya)
print(len(Xb), "rows for the final test")
