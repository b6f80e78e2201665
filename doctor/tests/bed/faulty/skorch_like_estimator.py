# expect: scaler_leakage @ 39
# mend: 39 →
# mend: 40 + mean, std = X_train.mean(), X_train.std()
# mend: 40 + X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
"""fit and predict like scikit-learn; the frame is standardised by pandas before train_test_split."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn


class TorchClassifier(BaseEstimator, ClassifierMixin):
    def __init__(self, hidden=16, lr=0.01, epochs=20):
        self.hidden, self.lr, self.epochs = hidden, lr, epochs

    def fit(self, X, y):
        torch.manual_seed(0)
        X, y = torch.as_tensor(np.asarray(X), dtype=torch.float32), torch.as_tensor(np.asarray(y))
        self.module_ = nn.Sequential(nn.Linear(X.shape[1], self.hidden), nn.ReLU(), nn.Linear(self.hidden, 3))
        optimizer = torch.optim.Adam(self.module_.parameters(), lr=self.lr)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(X)).split(32):
                optimizer.zero_grad()
                nn.functional.cross_entropy(self.module_(X[rows]), y[rows]).backward()
                optimizer.step()
        return self

    def predict(self, X):
        self.module_.eval()
        with torch.no_grad():
            return self.module_(torch.as_tensor(np.asarray(X), dtype=torch.float32)).argmax(1).numpy()


frame = load_wine(as_frame=True).frame
y = frame.pop("target")
frame = (frame - frame.mean()) / frame.std()
X_train, X_test, y_train, y_test = train_test_split(frame, y, random_state=0, stratify=y)
model = TorchClassifier().fit(X_train, y_train)
print("test accuracy", (model.predict(X_test) == y_test.to_numpy()).mean())
