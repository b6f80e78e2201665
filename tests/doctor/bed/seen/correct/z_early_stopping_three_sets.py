# expect: nothing
"""Early stopping on validation, test at the very end, checkpoint on disk and back."""

import os
import tempfile

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


class EarlyStopping:
    def __init__(self, path, patience=4):
        self.path, self.patience, self.best, self.bad = path, patience, float("inf"), 0

    def __call__(self, value, model):
        if value < self.best:
            self.best, self.bad = value, 0
            torch.save(model.state_dict(), self.path)
        else:
            self.bad += 1
        return self.bad >= self.patience


torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X_dev, X_test, y_dev, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
X_train, X_val, y_train, y_val = train_test_split(
    X_dev, y_dev, test_size=0.25, random_state=0, stratify=y_dev
)
scaler = StandardScaler().fit(X_train)
X_train, X_val, X_test = (
    torch.tensor(scaler.transform(a), dtype=torch.float32) for a in (X_train, X_val, X_test)
)
y_train, y_val, y_test = (torch.tensor(a, dtype=torch.float32) for a in (y_train, y_val, y_test))
model = nn.Sequential(
    nn.Linear(30, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1), nn.Flatten(0)
)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.BCEWithLogitsLoss()
with tempfile.TemporaryDirectory() as folder:
    stop = EarlyStopping(os.path.join(folder, "best.pt"))
    for epoch in range(30):
        model.train()
        for rows in torch.randperm(len(X_train)).split(64):
            optimizer.zero_grad()
            criterion(model(X_train[rows]), y_train[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val_loss = criterion(model(X_val), y_val).item()
        if stop(val_loss, model):
            print("stopped after", epoch + 1)
            break
    model.load_state_dict(torch.load(stop.path, weights_only=True))
model.eval()
with torch.no_grad():
    logits = model(X_test)
    print(
        "test loss",
        criterion(logits, y_test).item(),
        "accuracy",
        ((logits > 0) == (y_test > 0.5)).float().mean().item(),
    )
