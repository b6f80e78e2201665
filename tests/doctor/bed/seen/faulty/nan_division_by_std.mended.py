# expect: nothing
# mends: nan_division_by_std.py
"""A constant column is divided by its deviation, zero, in torch."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
y = torch.tensor(digits.target)
x_train, x_test = x[:1400], x[1400:]
y_train, y_test = y[:1400], y[1400:]
mean, std = x_train.mean(0), x_train.std(0).clamp_min(1e-3)
x_train = (x_train - mean) / std
x_test = (x_test - mean) / std

loader = DataLoader(TensorDataset(x_train, y_train), batch_size=70, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"{epoch} {loss.item():.3f}")
