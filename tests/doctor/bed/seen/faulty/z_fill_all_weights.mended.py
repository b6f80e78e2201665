# expect: nothing
# mends: z_fill_all_weights.py
"""Every parameter gets the same value in a loop."""

import torch
from sklearn.datasets import make_circles
from torch import nn

torch.manual_seed(0)
X, y = make_circles(500, noise=0.08, factor=0.5, random_state=1)
X, y = torch.tensor(X).float(), torch.tensor(y)
net = nn.Sequential(nn.Linear(2, 30), nn.Tanh(), nn.Linear(30, 2))
with torch.no_grad():
    for p in net.parameters():
        p.uniform_(-0.25, 0.25)
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(20):
    for rows in torch.randperm(400).split(50):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(X[rows]), y[rows])
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            print(epoch + 1, loss.item(), (net(X[400:]).argmax(1) == y[400:]).float().mean().item())
