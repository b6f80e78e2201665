# expect: unscaled_inputs @ 26
# allowed: vanishing_gradient @ 37
# allowed: unscaled_inputs @ 42
# allowed: unscaled_inputs @ 50
"""Digits stored as bytes and read by a Dataset, as image files are."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

images, labels = load_digits(return_X_y=True)
images = (255 - images * 255 / 16).astype(np.uint8)  # dark ink on white paper


class Pictures(Dataset):
    def __init__(self, rows):
        self.images, self.labels = images[rows], labels[rows]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return torch.from_numpy(self.images[i]).float(), int(self.labels[i])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Linear(64, 40)
        self.hidden2 = nn.Linear(40, 40)
        self.head = nn.Linear(40, 10)

    def forward(self, x):
        return self.head(torch.tanh(self.hidden2(torch.tanh(self.hidden1(x)))))


torch.manual_seed(0)
order = np.random.default_rng(0).permutation(len(labels))
train_loader = DataLoader(Pictures(order[:1400]), batch_size=64, shuffle=True)
test_loader = DataLoader(Pictures(order[1400:]), batch_size=200)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(1, 6):
    net.train()
    for data, target in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(data), target)
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        test_loss = sum(F.cross_entropy(net(x), t, reduction="sum").item() for x, t in test_loader) / 397
    print(f"Train Epoch: {epoch} Loss: {loss.item():.4f} Test: {test_loss:.4f}")
