# expect: nothing
"""Digits."""
import math
from functools import partial
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import *
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
loader = DataLoader(TensorDataset(x[:1400], y[:1400]), 64, shuffle=True)
EPOCHS = 12
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)

CYCLE = 3
sched = CosineAnnealingLR(opt, T_max=CYCLE)

for epoch in range(EPOCHS):
    for a, b in loader:
        loss = nn.functional.cross_entropy(net(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()
    print(epoch, loss.item(), opt.param_groups[0]["lr"])
