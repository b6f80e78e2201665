# expect: nothing
# mends: adam_at_ten_millionths.py
"""A rate of 1e-7, by a slip of the exponent: nothing moves."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
x = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
t = torch.tensor(y)
model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(10):
    total = 0.0
    for idx in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = loss_fn(model(x[idx]), t[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {total / len(x):.6f}")
