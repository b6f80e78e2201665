# missed: duplicate_leakage @ 16
# allowed: scaler_leakage @ 15
# mend: 15 → rows = [(torch.tensor(r, dtype=torch.float32), int(t)) for r, t in zip(d.data - 4, d.target)]
# mend: 16 →
import copy, random
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, random_split, Subset, ConcatDataset, WeightedRandomSampler
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, load_diabetes, load_iris
from sklearn.model_selection import train_test_split, KFold
from sklearn.preprocessing import StandardScaler
torch.manual_seed(0); np.random.seed(0); random.seed(0)
d = load_iris()
rows = [(torch.tensor(r, dtype=torch.float32), int(t)) for r, t in zip((d.data - d.data.mean(0)) / d.data.std(0), d.target)]
rows = rows * 4
random.shuffle(rows)
k = int(len(rows) * 0.8)
tl, vl = DataLoader(rows[:k], 32, shuffle=True), DataLoader(rows[k:], 64)
D, C = 4, 3

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
