# expect: nothing
import random
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.utils import shuffle
from torch.utils.data import DataLoader, TensorDataset, Sampler, Dataset

torch.manual_seed(0)
rs = np.random.default_rng(5)
X = rs.normal(size=(400, 6)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype("int64")
x, y = torch.tensor(X), torch.tensor(Y)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
lossf = nn.CrossEntropyLoss()


def learn(a, b):
    opt.zero_grad()
    loss = lossf(net(a), b)
    loss.backward()
    opt.step()


class Items(Dataset):
    def __len__(self):
        return 60

    def __getitem__(self, i):
        g = np.random.default_rng(i)
        r = random.Random(i)
        q = np.random.RandomState(i)
        a = g.normal(size=6) + r.random() + q.rand()
        return torch.tensor(a, dtype=torch.float32), int(a.sum() > 3)


loader = DataLoader(Items(), batch_size=10)
for epoch in range(6):
    for a, b in loader:
        learn(a, b)
