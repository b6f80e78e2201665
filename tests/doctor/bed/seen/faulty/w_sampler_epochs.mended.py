# expect: nothing
"""Breast-cancer classifier, written so that it also runs sharded over several workers."""
import os

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler

RANK = int(os.environ.get("RANK", 0))
WORLD = int(os.environ.get("WORLD_SIZE", 1))


class Table(Dataset):
    def __init__(self, x, y, mean, std):
        self.x = ((x - mean) / std).astype(np.float32)
        self.y = y.astype(np.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Net(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.body(x)).squeeze(-1)


def train_one_epoch(model, loader, criterion, optimizer):
    model.train()
    meter = []
    for x, y in loader:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        meter.append(loss.item())
    return sum(meter) / len(meter)


def evaluate(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += ((model(x) > 0) == (y > 0.5)).sum().item()
            total += len(y)
    return right / total


def main():
    torch.manual_seed(8)
    data = load_breast_cancer()
    xtr, xte, ytr, yte = train_test_split(data.data, data.target, test_size=0.25, stratify=data.target, random_state=8)
    mean, std = xtr.mean(axis=0), xtr.std(axis=0)
    train_set, test_set = Table(xtr, ytr, mean, std), Table(xte, yte, mean, std)

    sampler = DistributedSampler(train_set, num_replicas=WORLD, rank=RANK, shuffle=True, seed=8)
    train_loader = DataLoader(train_set, batch_size=32, sampler=sampler, drop_last=True)
    test_loader = DataLoader(test_set, batch_size=128)

    model = Net(xtr.shape[1])
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    epochs = 12
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        loss = train_one_epoch(model, train_loader, criterion, optimizer)
        schedule.step()
        if RANK == 0 and (epoch + 1) % 3 == 0:
            print(f"epoch {epoch + 1:2d}/{epochs}  loss {loss:.4f}  lr {schedule.get_last_lr()[0]:.4f}")
    if RANK == 0:
        print(f"test accuracy {evaluate(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
