# expect: nothing
"""Images are divided by their largest value before they are split."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.data, dtype=torch.float32)
x = x / x.max()
y = torch.tensor(d.target)
order = torch.randperm(len(x))
tr, te = order[:1500], order[1500:]
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(4):
    for rows in tr[torch.randperm(len(tr))].split(60):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
with torch.no_grad():
    print("test", (net(x[te]).argmax(1) == y[te]).float().mean().item())
