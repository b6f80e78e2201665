# expect: nothing
"""Iris with a functional backward."""
import torch
from torch import nn
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
x, y = load_iris(return_X_y=True)
x, xt, y, yt = train_test_split(x, y, random_state=0, stratify=y)
mu, sd = x.mean(0), x.std(0)
x, xt = (torch.tensor((a - mu) / sd, dtype=torch.float32) for a in (x, xt))
y, yt = torch.tensor(y), torch.tensor(yt)
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(60):
    for rows in torch.randperm(len(x)).split(28):
        torch.autograd.backward(nn.functional.cross_entropy(net(x[rows]), y[rows]))
        opt.step()
        opt.zero_grad()
with torch.no_grad():
    print((net(xt).argmax(1) == yt).float().mean().item())
