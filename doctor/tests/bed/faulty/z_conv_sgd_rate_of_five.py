# expect: lr_too_high @ 48
# mend: 48 → fit(net, torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9), 3)
"""A small conv net at a rate that was meant to be 0.05."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
ds = TensorDataset(images, torch.tensor(digits.target))
train_ds, test_ds = random_split(ds, [1500, 297])
train_dl, test_dl = DataLoader(train_ds, 50, shuffle=True), DataLoader(test_ds, 297)


def init():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(192, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def fit(net, optimizer, epochs):
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for x, y in train_dl:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        net.eval()
        with torch.no_grad():
            x, y = next(iter(test_dl))
            acc = (net(x).argmax(1) == y).float().mean().item()
        print(epoch, total / len(train_dl), acc)


net = init()
fit(net, torch.optim.SGD(net.parameters(), lr=5.0, momentum=0.9), 3)
