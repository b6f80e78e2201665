# expect: nothing
"""Handwritten digits with a small net."""
import math

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, ExponentialLR, LambdaLR, LinearLR, OneCycleLR

torch.manual_seed(3)
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32)
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]

net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
criterion = nn.CrossEntropyLoss()
opt = torch.optim.Adam(net.parameters(), lr=1.0, betas=(0.9, 0.98))
sched = LambdaLR(opt, lambda s: 48 ** -0.5 * min((s + 1) ** -0.5, (s + 1) * 400 ** -1.5))
for epoch in range(12):
    net.train()
    total = 0.0
    for rows in train[torch.randperm(len(train))].split(64):
        loss = criterion(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(rows)
    print(epoch, total / len(train))
net.eval()
with torch.no_grad():
    print("accuracy", (net(x[test]).argmax(1) == y[test]).float().mean().item())
