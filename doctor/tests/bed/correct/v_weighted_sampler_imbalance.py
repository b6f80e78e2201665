# expect: nothing
"""Imbalanced classes balanced by a WeightedRandomSampler; the loader has no shuffle flag on purpose."""
import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler


def make(n, seed):
    rng = np.random.default_rng(seed)
    y = np.sort(rng.choice(3, n, p=[0.9, 0.07, 0.03]))
    centers = np.array([[0, 0, 0, 0], [2.2, 0, 1, 0], [0, -2.4, 0, 1.5]])
    x = centers[y] + rng.normal(size=(n, 4))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


torch.manual_seed(0)
x, y = make(2000, 0)
xt, yt = make(800, 1)
weights = (1.0 / torch.bincount(y).float())[y]
sampler = WeightedRandomSampler(weights, num_samples=len(y), replacement=True)
loader = DataLoader(TensorDataset(x, y), batch_size=50, sampler=sampler)
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(12):
    net.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    pred = net(xt).argmax(1)
print(f"loss {loss.item():.3f} balanced accuracy {balanced_accuracy_score(yt, pred):.3f}")
