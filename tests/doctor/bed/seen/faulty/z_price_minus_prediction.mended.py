# expect: nothing
# mends: z_price_minus_prediction.py
"""A mean squared error by hand between a column and a row."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(3)
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X * 20, dtype=torch.float32)
y = torch.tensor((y - 150) / 75, dtype=torch.float32)
train_set, test_set = random_split(TensorDataset(X, y), [352, 90])
model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def error(xb, yb):
    return torch.mean((yb - model(xb).view(-1)) ** 2)


for _epoch in range(10):
    for xb, yb in DataLoader(train_set, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = error(xb, yb)
        loss.backward()
        optimizer.step()
model.eval()
with torch.no_grad():
    xb, yb = next(iter(DataLoader(test_set, batch_size=90)))
    print("train", loss.item(), "test", error(xb, yb).item())
