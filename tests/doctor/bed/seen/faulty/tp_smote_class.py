# expect: duplicate_leakage @ 35
"""Two wine cultivars against the third, the rare one topped up SMOTE-like; a Smote class as in imbalanced-learn."""
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Smote:
    def __init__(self, k=5, seed=0):
        self.k, self.rng = k, np.random.default_rng(seed)

    def fit_resample(self, x, y):
        classes, counts = np.unique(y, return_counts=True)
        xs, ys = [x], [y]
        for label, count in zip(classes, counts):
            missing = counts.max() - count
            if missing == 0:
                continue
            own = x[y == label]
            distance = ((own[:, None] - own[None]) ** 2).sum(-1)
            near = np.argsort(distance, axis=1)[:, 1 : self.k + 1]
            start = self.rng.integers(0, len(own), missing)
            end = near[start, self.rng.integers(0, self.k, missing)]
            step = self.rng.uniform(0, 1, (missing, 1))
            xs.append(own[start] + step * (own[end] - own[start]))
            ys.append(np.full(missing, label))
        return np.concatenate(xs), np.concatenate(ys)


def loaders(seed=11):
    x, y = make_classification(900, 14, n_informative=8, weights=[0.82], class_sep=1.2, random_state=seed)
    x, y = Smote(seed=seed).fit_resample(x, y)
    xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.25, stratify=y, random_state=seed)
    mean, std = xtr.mean(0), xtr.std(0)
    pack = lambda a, b: TensorDataset(torch.tensor((a - mean) / std, dtype=torch.float32), torch.tensor(b))
    return DataLoader(pack(xtr, ytr), batch_size=32, shuffle=True), DataLoader(pack(xte, yte), batch_size=128)


def evaluate(net, loader):
    net.eval()
    hits, n = 0, 0
    with torch.no_grad():
        for x, y in loader:
            hits += (net(x).argmax(1) == y).sum().item()
            n += len(y)
    return hits / n


torch.manual_seed(11)
train_loader, test_loader = loaders()
net = nn.Sequential(nn.Linear(14, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(12):
    net.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
print(f"test accuracy {evaluate(net, test_loader):.3f}")
