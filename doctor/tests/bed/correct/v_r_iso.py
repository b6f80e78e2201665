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


r = np.random.RandomState(0)
assert isinstance(r, np.random.RandomState) and isinstance(np.random.mtrand._rand, np.random.RandomState)
class My(np.random.RandomState):
    pass
m = My(3)
assert isinstance(m, My) and isinstance(m, np.random.RandomState) and not isinstance(r, My)
import pickle
pickle.loads(pickle.dumps(r))
from sklearn.model_selection import KFold
for fold, (a, b) in enumerate(KFold(4, shuffle=True, random_state=0).split(X)):
    xs, ys = shuffle(X[a], Y[a], random_state=0)
    net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(3):
        for i in range(0, 300, 50):
            learn(torch.tensor(xs[i:i + 50]), torch.tensor(ys[i:i + 50]))
