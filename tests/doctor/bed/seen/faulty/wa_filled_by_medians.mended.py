# expect: nothing
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def with_holes(frame, share, seed):
    rng = np.random.default_rng(seed)
    return frame.mask(rng.random(frame.shape) < share)


torch.manual_seed(3)
data = load_breast_cancer(as_frame=True)
table = with_holes(data.data, 0.2, 0)
target = data.target.to_numpy()

pass
a, b, y_a, y_b = train_test_split(table, target, test_size=0.3, random_state=1, stratify=target)
a, b = a.fillna(a.median()), b.fillna(a.median())
scaler = StandardScaler().fit(a)
x_a, x_b = (torch.tensor(scaler.transform(p), dtype=torch.float32) for p in (a, b))
y_a, y_b = torch.tensor(y_a), torch.tensor(y_b)
net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(10):
    for xb, yb in DataLoader(TensorDataset(x_a, y_a), 32, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print("test accuracy", (net(x_b).argmax(1) == y_b).float().mean().item())
