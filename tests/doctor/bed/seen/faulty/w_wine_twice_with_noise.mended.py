# expect: nothing
"""Wine with noisy rows beside the plain ones."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


from sklearn.datasets import load_wine, load_breast_cancer


torch.manual_seed(1)
data = load_wine()
x, y = torch.tensor(data.data, dtype=torch.float32), torch.tensor(data.target)
x = (x - torch.tensor([13.0, 2.3, 2.4, 19, 100, 2.3, 2.0, 0.36, 1.6, 5.0, 0.96, 2.6, 750])) / torch.tensor([0.8, 1.1, 0.27, 3.3, 14, 0.6, 1.0, 0.12, 0.57, 2.3, 0.23, 0.7, 315])
train, test = random_split(TensorDataset(x, y), [0.7, 0.3], generator=torch.Generator().manual_seed(1))
a, b = train.dataset.tensors[0][train.indices], train.dataset.tensors[1][train.indices]
train = TensorDataset(torch.cat([a, a + 0.1 * torch.randn_like(a)]), torch.cat([b, b]))
loader = DataLoader(train, batch_size=16, shuffle=True)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(15):
    net.train()
    for a, b in loader:
        optimizer.zero_grad()
        F.cross_entropy(net(a), b).backward()
        optimizer.step()
net.eval()
right = count = 0
with torch.no_grad():
    for a, b in DataLoader(test, batch_size=64):
        right += (net(a).argmax(1) == b).sum().item()
        count += len(b)
print("test accuracy", right / count)
