# expect: nothing
"""Batch norm with batches of one at evaluation only, where running statistics are used."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
labels = torch.randint(0, 3, (330,))
images = torch.randn(330, 1, 9, 9)
for k in range(3):
    images[labels == k, 0, 3 * k : 3 * k + 3] += 1.0
train_dl = DataLoader(TensorDataset(images[:257], labels[:257]), batch_size=32, shuffle=True, drop_last=True)
test_dl = DataLoader(TensorDataset(images[257:], labels[257:]), batch_size=1)
net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 49, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
for _epoch in range(4):
    net.train()
    for x, y in train_dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
net.eval()
right = 0
with torch.no_grad():
    for x, y in test_dl:
        right += int(net(x).argmax() == y)
print("accuracy", right / len(test_dl))
