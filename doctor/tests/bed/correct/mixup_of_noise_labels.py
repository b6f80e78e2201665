# expect: nothing
"""Labels are pure noise in a memorisation study; the order of rows is permuted with them."""

import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(400, 10), torch.randint(0, 4, (400,))
order = torch.randperm(400)
x = x[order]
y = y[order]
net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 4))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(6):
    for rows in torch.randperm(400).split(40):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
