# expect: nothing
"""Samplers over one dataset; the ranges of indices were changed in one place only."""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.sampler import SubsetRandomSampler

np.random.seed(0)
torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
indices = np.arange(len(X))
np.random.shuffle(indices)
train_idx = indices[: int(0.9 * len(X))]
test_idx = indices[int(0.9 * len(X)) :]

X = (X - X[train_idx].mean(axis=0)) / X[train_idx].std(axis=0)
dataset = TensorDataset(torch.FloatTensor(X), torch.LongTensor(y))
train_loader = DataLoader(dataset, batch_size=32, sampler=SubsetRandomSampler(train_idx.tolist()))
test_loader = DataLoader(dataset, batch_size=64, sampler=SubsetRandomSampler(test_idx.tolist()))

model = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 2), nn.LogSoftmax(dim=1))
criterion = nn.NLLLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def epoch_of_training():
    model.train()
    for x, t in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), t)
        loss.backward()
        optimizer.step()
    return loss.item()


for epoch in range(5):
    print(f"Epoch: {epoch} Training Loss: {epoch_of_training():.6f}")

model.eval()
correct = torch.zeros(2)
total = torch.zeros(2)
with torch.no_grad():
    for x, t in test_loader:
        hit = (model(x).argmax(1) == t).float()
        for c in (0, 1):
            correct[c] += hit[t == c].sum()
            total[c] += (t == c).sum()
print(f"Test Accuracy (Overall): {100 * correct.sum() / total.sum():.1f}% ({int(total.sum())} rows)")
