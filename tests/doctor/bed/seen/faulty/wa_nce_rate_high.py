# expect: lr_too_high @ 10
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits, load_wine, load_diabetes
torch.manual_seed(9)

x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
opt = torch.optim.SGD(net.parameters(), lr=30, momentum=0.9)
for epoch in range(6):
    for i in torch.randperm(len(x))[:1792].split(64):
        a, b = (F.normalize(net(x[i] + 0.1 * torch.randn_like(x[i])), dim=1) for _ in range(2))
        loss = F.cross_entropy(a @ b.T / 0.2, torch.arange(len(i)))
        opt.zero_grad()
        loss.backward()
        opt.step()
