# expect: augment_on_test @ 31
import copy, random
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, random_split, Subset, ConcatDataset, WeightedRandomSampler
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, load_diabetes, load_iris
from sklearn.model_selection import train_test_split, KFold
from sklearn.preprocessing import StandardScaler
torch.manual_seed(0); np.random.seed(0); random.seed(0)
d = load_digits()
X = torch.tensor(d.data / 16, dtype=torch.float32); y = torch.tensor(d.target)
D, C = 64, 10
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.2, random_state=0)

tr, te = TensorDataset(Xtr, ytr), TensorDataset(Xte, yte)
tl, vl = DataLoader(tr, 32, shuffle=True), DataLoader(te, 64)
def jitter(x): return x + 0.1 * torch.randn_like(x)
net = nn.Sequential(nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, C))
opt = torch.optim.Adam(net.parameters(), 5e-3)
crit = nn.CrossEntropyLoss()
for epoch in range(8):
    net.train()
    for xb, yb in tl:
        opt.zero_grad()
        crit(net(jitter(xb)), yb).backward()
        opt.step()
net.eval(); h = 0
with torch.no_grad():
    for xb, yb in vl:
        h += (net(jitter(xb)).argmax(1) == yb).sum().item()
print(h / len(te))
