# expect: nothing
"""set_split_inner"""
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


class Parts(Dataset):
    def __init__(self, images, labels):
        order = np.random.permutation(len(images))
        self.all = {"train": order[:1400], "test": order[1400:]}
        self.images, self.labels, self.name = images, labels, "train"

    def __len__(self):
        return len(self.all[self.name])

    def __getitem__(self, i):
        k = self.all[self.name][i]
        image = torch.tensor(self.images[k])
        return image + 0.02 * torch.randn_like(image), int(self.labels[k])


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


data = Parts(pictures, classes)
net = make_net()
fit(net, DataLoader(data, batch_size=32, shuffle=True))
data.name = "test"
test_loader = DataLoader(data, batch_size=128)
print("test accuracy", evaluate(net, test_loader))
