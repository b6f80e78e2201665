# expect: lr_too_high @ 25
"""Digits under the schedule of the first Transformers."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
raw = load_digits()
x = torch.tensor(raw.data / 16, dtype=torch.float32)
y = torch.tensor(raw.target)


def make():
    return nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 10))


net = make()
opt = torch.optim.Adam(net.parameters(), lr=1.0)


def noam(step, width=48, warmup=40):
    step = max(step, 1)
    return width ** 0.5 * min(step ** -0.5, step * warmup ** -1.5)


plan = torch.optim.lr_scheduler.LambdaLR(opt, noam)
for epoch in range(8):
    for i in torch.randperm(len(y)).split(64):
        opt.zero_grad()
        loss = F.cross_entropy(net(x[i]), y[i])
        loss.backward()
        opt.step()
        plan.step()
print(loss.item())
