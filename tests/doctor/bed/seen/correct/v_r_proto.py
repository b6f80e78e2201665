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
protos = torch.randn(40, 32)
y = torch.arange(40).repeat_interleave(15)
x = protos[y] + 0.3 * torch.randn(600, 32)
z = protos.repeat_interleave(15, 0) + 0.3 * torch.randn(600, 32)
order = torch.randperm(600)
for data in (x, z):
    train, test = order[:450], order[450:]
    net = nn.Linear(32, 40)
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(10):
        for rows in train.split(45):
            opt.zero_grad()
            F.cross_entropy(net(data[rows]), y[rows]).backward()
            opt.step()
    with torch.no_grad():
        print("test", (net(data[test]).argmax(1) == y[test]).float().mean())
