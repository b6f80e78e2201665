# expect: nothing
"""Breast cancer, scaled by a helper."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
torch.manual_seed(0); np.random.seed(0)
d = load_breast_cancer()
X = d.data.astype("float32"); y = d.target.astype("int64")
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=0)
def standardize(a):
    return (a - a.mean(0)) / a.std(0)
mu, sd = Xtr.mean(0), Xtr.std(0)
Xtr = standardize(Xtr)
Xte = (Xte - mu) / sd

Xtr, Xte, ytr, yte = [torch.as_tensor(np.asarray(a)) for a in (Xtr, Xte, ytr, yte)]
net = nn.Sequential(nn.Linear(Xtr.shape[1], 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
lossf = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(Xtr.float(), ytr), batch_size=64, shuffle=True)
for epoch in range(8):
    net.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss = lossf(net(xb), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print((net(Xte.float()).argmax(1) == yte).float().mean())
