# expect: nothing
# mends: z_random_sample_of_all.py
"""A test set drawn from all rows, while training goes over all rows."""

import random

import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

random.seed(1)
torch.manual_seed(1)
X, y = make_classification(800, 15, n_informative=6, n_classes=3, random_state=6)
everything = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))
test_ids = random.sample(range(len(everything)), 160)
held = set(test_ids)
train_set, test_set = (
    Subset(everything, [i for i in range(800) if i not in held]),
    Subset(everything, test_ids),
)


def loop(net, loader, criterion, optimizer=None):
    net.train(optimizer is not None)
    total, right = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for xs, ys in loader:
            out = net(xs)
            loss = criterion(out, ys)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(xs)
            right += (out.argmax(1) == ys).sum().item()
    return total / len(loader.dataset), right / len(loader.dataset)


net = nn.Sequential(nn.Linear(15, 40), nn.ReLU(), nn.Linear(40, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
test_loader = DataLoader(test_set, batch_size=80)
for epoch in range(8):
    print(epoch, loop(net, train_loader, criterion, optimizer), loop(net, test_loader, criterion))
