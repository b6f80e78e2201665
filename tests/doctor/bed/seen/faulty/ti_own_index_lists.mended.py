# expect: nothing
"""f/own_index_lists"""
import copy
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, SubsetRandomSampler, random_split

torch.manual_seed(3)
random.seed(3)
np.random.seed(3)
digits = load_digits()
pictures, classes = digits.images.astype("float32") / 16, digits.target


class Pictures(Dataset):
    def __init__(self, images, labels, rows, noise):
        self.images, self.labels, self.rows, self.noise = images, labels, rows, noise

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        k = int(self.rows[i])
        image = torch.tensor(self.images[k])
        if self.noise:
            image = image + self.noise * torch.randn_like(image)
        return image, int(self.labels[k])


def make_net():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))


def evaluate(net, loader):
    net.eval()
    hits = n = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (net(x).argmax(1) == y).sum().item()
            n += len(y)
    return hits / n


def fit(net, loader, epochs=6):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(net(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(epoch, round(total / len(loader), 4))


order = np.random.permutation(len(pictures))
train_set = Pictures(pictures, classes, order[:1400], 0.05)
test_set = Pictures(pictures, classes, order[1400:], 0.0)
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
test_loader = DataLoader(test_set, batch_size=128)
net = make_net()
fit(net, train_loader)
print("test accuracy", evaluate(net, test_loader))
