# expect: symmetric_init @ 18
# mend: 18 → W1 = (torch.randn(64, 32) * 0.1).requires_grad_(); W2 = torch.zeros(32, 10, requires_grad=True)
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
W1 = torch.zeros(64, 32, requires_grad=True); W2 = torch.zeros(32, 10, requires_grad=True)
for epoch in range(3):
    for xb, yb in train_loader:
        loss = F.cross_entropy(torch.tanh(xb @ W1) @ W2, yb)
        loss.backward()
        with torch.no_grad():
            for w in (W1, W2):
                w -= 0.1 * w.grad; w.grad = None
print(loss.item())
