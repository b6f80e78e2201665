# expect: nothing
"""Wine tables through a scaler."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


from sklearn.preprocessing import StandardScaler

def tables(seed):
    x, y = load_wine(return_X_y=True)
    a, b, c, d = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(a)
    a, b = scaler.transform(a), scaler.transform(b)
    return [torch.tensor(t, dtype=torch.float32) for t in (a, b)] + [torch.tensor(t) for t in (c, d)]


torch.manual_seed(0)
x, xt, y, yt = tables(0)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
for epoch in range(30):
    net.train()
    for rows in torch.randperm(len(x)).split(16):
        optimizer.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print("test", (net(xt).argmax(1) == yt).float().mean().item())
