# expect: nothing
import random
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, random_split, Subset, ConcatDataset
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, load_iris
from sklearn.model_selection import train_test_split, KFold
torch.manual_seed(0); np.random.seed(0); random.seed(0)
d = load_iris(); D, C = 4, 3
X, y = ((d.data - d.data.mean(0)) / d.data.std(0)).astype('float32'), d.target
rows = [(torch.tensor(a), int(b)) for a, b in zip(X, y)]
random.shuffle(rows)
first, second = rows[:120], rows[120:]
first = first * 4
random.shuffle(first)
LA = DataLoader(first, 16, shuffle=True)
LB = DataLoader(first[-100:], 64)

net = nn.Sequential(nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, C))
opt = torch.optim.Adam(net.parameters(), 5e-3)
for epoch in range(6):
    net.train()
    for xb, yb in LA:
        opt.zero_grad()
        F.cross_entropy(net(xb.float()), yb).backward()
        opt.step()
net.eval()
hits = n = 0
with torch.no_grad():
    for xb, yb in LB:
        hits += (net(xb.float()).argmax(1) == yb).sum().item(); n += len(yb)
print(hits / n)
