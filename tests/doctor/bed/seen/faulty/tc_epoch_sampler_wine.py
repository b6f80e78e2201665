# expect: seed_reset_each_epoch @ 52
# allowed: seed_reset_each_epoch @ 31
# allowed: seed_reset_each_epoch @ 55
"""Balanced sampler in the manner of DistributedSampler, tried on a wine classifier with AdamW."""
import math

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class BalancedSampler(Sampler):
    """As many rows of each class as the largest class has, in an order that depends on seed and epoch."""

    def __init__(self, labels, seed=0):
        self.by_class = [np.flatnonzero(labels == k) for k in np.unique(labels)]
        self.largest = max(len(rows) for rows in self.by_class)
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.largest * len(self.by_class)

    def __iter__(self):
        rng = np.random.default_rng([self.seed, self.epoch])
        rows = []
        for members in self.by_class:
            rounds = math.ceil(self.largest / len(members))
            drawn = np.concatenate([rng.permutation(members) for _ in range(rounds)])
            rows.append(drawn[:self.largest])
        return iter(rng.permutation(np.concatenate(rows)).tolist())


class Standardise:
    def fit(self, x):
        self.mean, self.std = x.mean(0, keepdims=True), x.std(0, keepdims=True)
        return self

    def __call__(self, x):
        return torch.tensor((x - self.mean) / self.std, dtype=torch.float32)


def train(model, loader, sampler, epochs):
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(epochs):
        model.train()
        losses = []
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 6 == 5:
            print(f"epoch {epoch + 1}: {np.mean(losses):.4f}")


def main():
    torch.manual_seed(0)
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
    scale = Standardise().fit(x_train)
    sampler = BalancedSampler(y_train, seed=42)
    loader = DataLoader(TensorDataset(scale(x_train), torch.tensor(y_train)), batch_size=25, sampler=sampler)
    model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3))
    train(model, loader, sampler, epochs=30)
    model.eval()
    with torch.no_grad():
        right = (model(scale(x_test)).argmax(1).numpy() == y_test).mean()
    print(f"accuracy on the held-out bottles {right:.3f}")


if __name__ == "__main__":
    main()
