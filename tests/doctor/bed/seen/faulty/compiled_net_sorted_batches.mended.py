# expect: nothing
# mends: compiled_net_sorted_batches.py
"""A compiled net and plain lists of batches cut from sorted rows."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(0)
data = load_iris()
x = torch.tensor(data.data, dtype=torch.float32)
x = (x - x.mean(0)) / 2
y = torch.tensor(data.target)
order = torch.randperm(150)
batches = list(zip(x[order].split(10), y[order].split(10), strict=False))
net = torch.compile(nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3)), backend="eager")
opt = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(6):
    for xb, yb in batches:
        loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
