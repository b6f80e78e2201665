# expect: metric_wrong_axis @ 26
# mend: 26 →     print('mae', (net(Xte).squeeze(1) - yte).abs().mean().item())
import copy, random
import numpy as np, pandas as pd, torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, random_split, Subset, ConcatDataset, WeightedRandomSampler
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, load_diabetes, load_iris
from sklearn.model_selection import train_test_split, KFold
from sklearn.preprocessing import StandardScaler
torch.manual_seed(0); np.random.seed(0); random.seed(0)
d = load_diabetes()
X = torch.tensor(d.data * 20, dtype=torch.float32); y = torch.tensor((d.target - 152) / 77, dtype=torch.float32)
Xtr, Xte, ytr, yte = X[:350], X[350:], y[:350], y[350:]
train_loader = DataLoader(TensorDataset(Xtr, ytr), 32, shuffle=True)
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1)); opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(3):
    net.train()
    for xb, yb in train_loader:
        opt.zero_grad()
        loss = F.mse_loss(net(xb).squeeze(1), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print('mae', (net(Xte) - yte).abs().mean().item())
