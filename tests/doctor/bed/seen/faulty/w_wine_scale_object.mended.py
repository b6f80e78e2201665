# expect: nothing
"""Wine columns through a small scale object."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


class Scale:
    def __init__(self, rows):
        self.middle = rows.mean(axis=0)
        self.width = rows.std(axis=0)

    def __call__(self, rows):
        return (rows - self.middle) / self.width


torch.manual_seed(0)
x, y = load_wine(return_X_y=True)
a, b, c, d = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
scale = Scale(a)
train = TensorDataset(torch.tensor(scale(a), dtype=torch.float32), torch.tensor(c))
test = TensorDataset(torch.tensor(scale(b), dtype=torch.float32), torch.tensor(d))
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
for epoch in range(30):
    net.train()
    for p, q in DataLoader(train, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(net(p), q).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    p, q = test.tensors
    print("test", (net(p).argmax(1) == q).float().mean().item())
