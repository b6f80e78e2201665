# expect: nan_inputs @ 16
import random
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, random_split, Subset, ConcatDataset
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, load_iris
from sklearn.model_selection import train_test_split, KFold
torch.manual_seed(0); np.random.seed(0); random.seed(0)
d = load_breast_cancer(as_frame=True); D, C = 30, 2
df = d.data / 1000
df.iloc[::17, 3] = np.nan
d_tr, d_te, ytr, yte = train_test_split(df, d.target.values, test_size=0.25, random_state=0)
d_tr = d_tr.fillna(d_tr.mean())
X_train = torch.tensor(d_tr.values, dtype=torch.float32)
X_test = torch.tensor(d_te.values, dtype=torch.float32)
LA, LB = DataLoader(TensorDataset(X_train, torch.tensor(ytr)), 32, shuffle=True), DataLoader(TensorDataset(X_test, torch.tensor(yte)), 64)

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
