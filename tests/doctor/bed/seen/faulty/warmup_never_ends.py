# expect: lr_too_low @ 14
# allowed: lr_too_low @ 15
"""A warm-up over a million steps keeps the rate near nothing."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
net = nn.Sequential(nn.Linear(64, 48), nn.GELU(), nn.Linear(48, 10))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
warmup = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 1_000_000))
for epoch in range(6):
    for idx in torch.randperm(len(x)).split(64):
        loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warmup.step()
    print(epoch, loss.item())
