# expect: nothing
"""A wine net that centres and stretches its own inputs."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


class Net(nn.Module):
    def __init__(self, centre, spread):
        super().__init__()
        self.centre, self.spread = centre, spread
        self.body = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, x):
        return self.body((x - self.centre) / self.spread)


torch.manual_seed(0)
x, y = load_wine(return_X_y=True)
x = torch.tensor(x, dtype=torch.float32)
y = torch.tensor(y)
order = torch.randperm(len(x))
train, test = order[:120], order[120:]
net = Net(x[train].mean(0), x[train].std(0))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(40):
    net.train()
    for rows in train[torch.randperm(len(train))].split(16):
        optimizer.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print("test", (net(x[test]).argmax(1) == y[test]).float().mean().item())
