# expect: scaler_leakage @ 17
# allowed: scaler_leakage @ 18
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
table = load_diabetes()

from math import floor
data = torch.tensor(np.column_stack([table.data, table.target]), dtype=torch.float32)
data = data[torch.randperm(len(data))]
X, y = data[:, :-1], data[:, -1]
X = X - X.min(0)[0]
X = 2 * (X / X.max(0)[0]) - 1
train_n = int(floor(0.8 * len(X)))
train_x, train_y = X[:train_n].contiguous(), y[:train_n].contiguous()
test_x, test_y = X[train_n:].contiguous(), y[train_n:].contiguous()
mean, std = train_y.mean(), train_y.std()

class LargeFeatureExtractor(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

model = LargeFeatureExtractor()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for i in range(80):
    model.train()
    optimizer.zero_grad()
    loss = F.mse_loss(model(train_x).squeeze(-1), (train_y - mean) / std)
    loss.backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    preds = model(test_x).squeeze(-1) * std + mean
print("Test MAE:", (preds - test_y).abs().mean().item())
