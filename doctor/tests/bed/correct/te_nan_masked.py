# expect: nothing
import random
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, random_split, Subset, ConcatDataset
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, load_iris
from sklearn.model_selection import train_test_split, KFold
torch.manual_seed(0); np.random.seed(0); random.seed(0)
d = load_digits(); D, C = 64, 10
X, y = (d.data / 16).astype('float32'), d.target
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.2, random_state=0)
Xte = torch.tensor(Xte)
Xte[3:6, 10] = float("nan")
yte = torch.tensor(yte)
LA, LB = DataLoader(TensorDataset(*map(torch.as_tensor, (Xtr, ytr))), 32, shuffle=True), DataLoader(TensorDataset(*map(torch.as_tensor, (Xtr, ytr))), 64)

net = nn.Sequential(nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, C))
opt = torch.optim.Adam(net.parameters(), 5e-3)
for epoch in range(6):
    net.train()
    for xb, yb in LA:
        opt.zero_grad()
        F.cross_entropy(net(xb.float()), yb).backward()
        opt.step()
net.eval()
with torch.no_grad():
    ok = ~torch.isnan(Xte).any(1)
    print("test accuracy", (net(Xte).argmax(1)[ok] == yte[ok]).float().mean().item())
