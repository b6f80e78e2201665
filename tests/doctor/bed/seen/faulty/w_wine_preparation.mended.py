# expect: nothing
"""Wine rows go through an object that prepares them."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


from sklearn.preprocessing import StandardScaler

class Preparation:
    def __init__(self):
        self.scaler = StandardScaler()

    def learn(self, rows):
        self.scaler.fit(rows)
        return self

    def tensors(self, rows, labels):
        return TensorDataset(torch.tensor(self.scaler.transform(rows), dtype=torch.float32), torch.tensor(labels))


def parts():
    x, y = load_wine(return_X_y=True)
    a, b, c, d = train_test_split(x, y, test_size=0.35, stratify=y, random_state=1)
    preparation = Preparation().learn(a)
    return preparation.tensors(a, c), preparation.tensors(b, d)


torch.manual_seed(0)
train, test = parts()
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(30):
    net.train()
    for a, b in DataLoader(train, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(net(a), b).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    a, b = test.tensors
    print("test", (net(a).argmax(1) == b).float().mean().item())
