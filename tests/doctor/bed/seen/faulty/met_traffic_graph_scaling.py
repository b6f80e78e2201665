# expect: scaler_leakage @ 25
# allowed: scaler_leakage @ 42
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
table = load_diabetes()

class StandardScaler:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def transform(self, data):
        return (data - self.mean) / self.std

    def inverse_transform(self, data):
        return data * self.std + self.mean

def normalize_dataset(data, normalizer):
    if normalizer == "std":
        scaler = StandardScaler(data.mean(), data.std())
        return scaler.transform(data), scaler
    return data, None

def split_data_by_ratio(data, val_ratio, test_ratio):
    n = len(data)
    test = data[-int(n * test_ratio):]
    val = data[-int(n * (test_ratio + val_ratio)): -int(n * test_ratio)]
    return data[: -int(n * (test_ratio + val_ratio))], val, test

def window(data, lag=12):
    X = np.stack([data[i : i + lag] for i in range(len(data) - lag)])
    return torch.tensor(X, dtype=torch.float32), torch.tensor(data[lag:], dtype=torch.float32)

rng = np.random.default_rng(0)
hours = np.arange(1500)
flow = 200 + 80 * np.sin(hours[:, None] / 24 * 2 * np.pi + rng.random(6)) + 0.05 * hours[:, None] + 15 * rng.normal(size=(1500, 6))
data, scaler = normalize_dataset(flow, "std")
train, val, test = split_data_by_ratio(data, 0.1, 0.1)
(x_tra, y_tra), (x_val, y_val), (x_te, y_te) = window(train), window(val), window(test)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.out = nn.GRU(6, 32, batch_first=True), nn.Linear(32, 6)

    def forward(self, x):
        return self.out(self.gru(x)[0][:, -1])

model = Net()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(4):
    model.train()
    for xb, yb in DataLoader(TensorDataset(x_tra, y_tra), 64, shuffle=True):
        loss = F.l1_loss(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        print(epoch, "val mae", F.l1_loss(model(x_val), y_val).item() * scaler.std)
with torch.no_grad():
    print("test mae", F.l1_loss(model(x_te), y_te).item() * scaler.std)
