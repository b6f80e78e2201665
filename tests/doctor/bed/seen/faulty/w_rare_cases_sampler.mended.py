# expect: nothing
"""A few rare cases among many, a weighted sampler for the training loader."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


def table(n, seed):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.06).astype(np.int64)
    x = rng.normal(size=(n, 6)) + 1.1 * y[:, None] * np.array([1, 1, 0, 1, 0, 0])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


class Cases(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def row_weights(self):
        labels, counts = np.unique(self.y.numpy(), return_counts=True)
        each = dict(zip(labels.tolist(), (counts.sum() / counts).tolist()))
        return [each[int(k)] for k in self.y]


def loaders(train, test):
    drawn = WeightedRandomSampler(train.row_weights(), len(train))
    return DataLoader(train, batch_size=64, sampler=drawn), DataLoader(test, batch_size=256)


torch.manual_seed(0)
train, test = loaders(Cases(*table(3000, 0)), Cases(*table(1000, 1)))
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(10):
    net.train()
    for a, b in train:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(a), b)
        loss.backward()
        optimizer.step()
net.eval()
hits, n = 0, 0
with torch.no_grad():
    for a, b in test:
        hits += (net(a).argmax(1)[b == 1] == 1).sum().item()
        n += (b == 1).sum().item()
print("recall", hits / n)
