# expect: nothing
# mends: l2_penalty_by_hand.py
"""A penalty on all weights is added to the loss with a factor of one."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
y = torch.tensor(y)
net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
lam = 1e-4
for epoch in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(X), y)
    penalty = sum(p.pow(2).sum() for p in net.parameters())
    (loss + lam * penalty).backward()
    opt.step()
    if epoch % 20 == 0:
        print(epoch, loss.item())
