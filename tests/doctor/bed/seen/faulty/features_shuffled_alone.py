# expect: label_misaligned @ 17
"""A Dataset shuffles its images when it is made, and leaves the labels where they were."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    def __init__(self):
        bunch = load_digits()
        self.images = (bunch.images / 16).astype(np.float32)
        self.labels = bunch.target.copy()
        rng = np.random.default_rng(0)
        rng.shuffle(self.images)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.images[i], int(self.labels[i])


torch.manual_seed(0)
loader = DataLoader(Digits(), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(4):
    total = 0.0
    for x, y in loader:
        loss = nn.functional.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print(epoch, total / len(loader))
