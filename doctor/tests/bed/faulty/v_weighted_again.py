# expect: seed_reset_each_epoch @ 34
# mend: 34 →     pass
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


from torch.utils.data import WeightedRandomSampler
g = torch.Generator()
sampler = WeightedRandomSampler(torch.ones(400), 400, generator=g)
loader = DataLoader(TensorDataset(x, y), batch_size=40, sampler=sampler)
g.manual_seed(1)
for epoch in range(8):
    g.manual_seed(1)
    for a, b in loader:
        learn(a, b)
