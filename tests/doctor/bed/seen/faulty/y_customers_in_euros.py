# expect: unscaled_inputs @ 28
# allowed: vanishing_gradient @ 42
"""Loan defaults from a customer table, columns as they are in the database."""

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split

torch.manual_seed(42)
rng = np.random.default_rng(42)
n = 1200
df = pd.DataFrame(
    {
        "income": rng.lognormal(10.6, 0.5, n),
        "debt": rng.lognormal(9.3, 0.8, n),
        "age": rng.integers(18, 80, n),
        "late_payments": rng.poisson(1.0, n),
    }
)
risk = 1.2 * df.late_payments + 2.5 * df.debt / df.income - 0.03 * (df.age - 40) - 2.0
df["default"] = (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(float)

X = df.drop(columns="default").values
y = df["default"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
X_train = torch.tensor(X_train, dtype=torch.float32)
X_test = torch.tensor(X_test, dtype=torch.float32)
y_train = torch.tensor(y_train, dtype=torch.float32)
y_test = torch.tensor(y_test, dtype=torch.float32)


class CreditNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 32)
        self.fc2 = nn.Linear(32, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        x = torch.sigmoid(self.fc1(x))
        x = torch.sigmoid(self.fc2(x))
        return self.out(x).squeeze(1)


model = CreditNet()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(30):
    model.train()
    permutation = torch.randperm(len(X_train))
    for i in range(0, len(X_train), 64):
        rows = permutation[i : i + 64]
        optimizer.zero_grad()
        loss = criterion(model(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
    if (epoch + 1) % 10 == 0:
        model.eval()
        with torch.no_grad():
            train_loss = criterion(model(X_train), y_train)
            acc = ((model(X_test) > 0).float() == y_test).float().mean()
        print(f"Epoch {epoch + 1}, loss {train_loss:.4f}, test accuracy {acc:.4f}")
