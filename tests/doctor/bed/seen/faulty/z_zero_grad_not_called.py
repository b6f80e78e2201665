# expect: missing_zero_grad @ 18
# allowed: missing_zero_grad @ 21
"""A parenthesis is missing, and nothing says so."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
order = torch.randperm(1797)
x = torch.tensor(d.data, dtype=torch.float32)[order] / 16
y = torch.tensor(d.target)[order]
net = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
optim = torch.optim.SGD(net.parameters(), lr=0.02)
for _epoch in range(4):
    for s in range(0, 1400, 70):
        optim.zero_grad  # noqa: B018
        loss = nn.functional.cross_entropy(net(x[s : s + 70]), y[s : s + 70])
        loss.backward()
        optim.step()
with torch.inference_mode():
    print("accuracy", (net(x[1400:]).argmax(1) == y[1400:]).float().mean().item())
