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
x_train, y_train, x_test, y_test = x[:1300], y[:1300], x[1300:], y[1300:]


class Trainer:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def distort(self, x):
        keep = torch.bernoulli(torch.full_like(x, 0.8))
        return x * keep

    def loss_on(self, xb, yb):
        return F.cross_entropy(self.net(self.distort(xb)), yb)

    def fit(self, x, y):
        for epoch in range(5):
            for rows in torch.randperm(len(x)).split(65):
                loss = self.loss_on(x[rows], y[rows])
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()

    @torch.no_grad()
    def accuracy(self, x, y):
        right = 0
        for i in range(0, len(x), 100):
            xb = x[i:i + 100]
            right += (self.net(xb).argmax(1) == y[i:i + 100]).sum().item()
        return right / len(x)


t = Trainer(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)))
t.fit(x_train, y_train)
print("test", t.accuracy(x_test, y_test))
