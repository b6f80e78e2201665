# expect: nothing
# mends: z_churn_always_stays.py
"""Churn: three customers in a hundred leave, and accuracy looks fine."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(9)
torch.manual_seed(9)
X = rng.normal(size=(2000, 10)).astype(np.float32)
score = X[:, 0] + 0.5 * X[:, 1] + 2.0 * rng.normal(size=2000)
y = (score > np.quantile(score, 0.97)).astype(np.int64)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)

train_loader = DataLoader(
    TensorDataset(torch.tensor(X_train), torch.tensor(y_train)), batch_size=100, shuffle=True
)
test_loader = DataLoader(TensorDataset(torch.tensor(X_test), torch.tensor(y_test)), batch_size=200)
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
share = torch.tensor(np.bincount(y_train) / len(y_train), dtype=torch.float32)
criterion = nn.CrossEntropyLoss(weight=0.5 / share)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(8):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    preds = []
    with torch.no_grad():
        for xb, _ in test_loader:
            preds.append(model(xb).argmax(1).numpy())
    preds = np.concatenate(preds)
    print(f"epoch {epoch} accuracy {(preds == y_test).mean():.3f} leavers named {(preds == 1).sum()}")
