# expect: nothing
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import train_test_split, KFold
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target)
order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
x, y = x[order], y[order]
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
x_train, y_train, x_test, y_test = x[:1300], y[:1300], x[1300:], y[1300:]


def to_spikes(b):
    return (torch.rand_like(b) < b).float()


for epoch in range(5):
    for rows in torch.randperm(1300).split(65):
        opt.zero_grad()
        F.cross_entropy(net(to_spikes(x_train[rows])), y_train[rows]).backward()
        opt.step()
with torch.no_grad():
    print("test", (net(to_spikes(x_test)).argmax(1) == y_test).float().mean())
