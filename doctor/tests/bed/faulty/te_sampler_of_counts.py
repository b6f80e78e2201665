# missed: class_imbalance @ 21
# mend: 21 → w = 1 / counts.float()[ytr]
import copy, random
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, random_split, Subset, ConcatDataset, WeightedRandomSampler
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, load_diabetes, load_iris
from sklearn.model_selection import train_test_split, KFold
from sklearn.preprocessing import StandardScaler
torch.manual_seed(0); np.random.seed(0); random.seed(0)
rng = np.random.RandomState(0)
n = 3000
y = (rng.rand(n) < 0.03).astype('int64')
X = rng.randn(n, 12).astype('float32'); X[:, :4] += 0.9 * y[:, None]
D, C = 12, 2
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
Xtr, Xte = torch.as_tensor(np.asarray(Xtr), dtype=torch.float32), torch.as_tensor(np.asarray(Xte), dtype=torch.float32)
ytr, yte = torch.as_tensor(np.asarray(ytr)), torch.as_tensor(np.asarray(yte))
counts = torch.bincount(ytr)
w = counts.float()[ytr]
tr, te = TensorDataset(Xtr, ytr), TensorDataset(Xte, yte)
tl = DataLoader(tr, 64, sampler=WeightedRandomSampler(w, len(tr)))
vl = DataLoader(te, 64)

net = nn.Sequential(nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, C))
opt = torch.optim.Adam(net.parameters(), 5e-3)
crit = nn.CrossEntropyLoss()
for epoch in range(8):
    net.train()
    for xb, yb in tl:
        opt.zero_grad()
        crit(net(xb), yb).backward()
        opt.step()

net.eval()
hits = n = 0
with torch.no_grad():
    for xb, yb in vl:
        hits += (net(xb).argmax(1) == yb).sum().item(); n += len(yb)
print(hits / n)
