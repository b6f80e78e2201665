# expect: nothing
# allowed: augment_on_test @ 63
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


class Jittered(Dataset):
    """Every picture a little moved, at random."""

    def __init__(self, images, labels):
        self.items = list(zip(images, labels))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        image, label = self.items[i]
        image = np.roll(image, (random.randint(-1, 1), random.randint(-1, 1)), (0, 1))
        return torch.tensor(image + np.random.normal(0, 0.02, image.shape).astype("float32")), int(label)


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


data = Jittered(pictures, classes)
order = torch.randperm(len(data)).tolist()
cut = int(0.8 * len(data))
train_rows = order[:cut]
val_rows = order[cut:]
train_loader = DataLoader(data, batch_size=32, sampler=SubsetRandomSampler(train_rows))
val_loader = DataLoader(data, batch_size=128, sampler=SubsetRandomSampler(val_rows))
net = make_net()
fit(net, train_loader)
print("validation accuracy", evaluate(net, val_loader))
