# missed: augment_on_test @ 23
# mend: 23 → tr, te = full, TensorDataset(X[1400:], y[1400:]); full.x, full.y = X[:1400], y[:1400]
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
class Aug(Dataset):
    def __init__(self, x, y): self.x, self.y = x, y
    def __len__(self): return len(self.x)
    def __getitem__(self, i):
        img = self.x[i].view(8, 8)
        if random.random() < 0.5: img = img.roll(1, 1)
        return img.reshape(-1), self.y[i]
full = Aug(X, y)
tr, te = random_split(full, [1400, 397])
tl, vl = DataLoader(tr, 32, shuffle=True), DataLoader(te, 64)

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
