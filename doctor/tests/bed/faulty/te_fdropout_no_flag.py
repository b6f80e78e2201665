# expect: missing_eval @ 23
# mend: 23 →         return self.b(F.dropout(F.relu(self.a(x)), 0.3, self.training))
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
train_loader = DataLoader(TensorDataset(Xtr, ytr), 32, shuffle=True)
test_loader = DataLoader(TensorDataset(Xte, yte), 64)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(64, 32), nn.Linear(32, 10)
    def forward(self, x):
        return self.b(F.dropout(F.relu(self.a(x)), 0.3))
net = Net(); opt = torch.optim.Adam(net.parameters(), 3e-3); crit = nn.CrossEntropyLoss()
for epoch in range(3):
    net.train()
    for xb, yb in train_loader:
        opt.zero_grad()
        loss = crit(net(xb), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print((net(Xte).argmax(1) == yte).float().mean().item())
