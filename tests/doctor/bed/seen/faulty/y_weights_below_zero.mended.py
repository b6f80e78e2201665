# expect: nothing
"""A layer of one's own whose weights are drawn between -1 and 0, behind inputs between 0 and 1."""

import math

import torch
from torch import nn


class Dense(nn.Module):
    def __init__(self, fan_in, fan_out):
        super().__init__()
        bound = 1 / math.sqrt(fan_in)
        self.weight = nn.Parameter(torch.empty(fan_out, fan_in).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(fan_out))

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = Dense(8, 32)
        self.two = Dense(32, 1)

    def forward(self, x):
        return self.two(torch.relu(self.one(x))).squeeze(1)


torch.manual_seed(0)
x = torch.rand(900, 8)
y = torch.sin(4 * x[:, 0]) + x[:, 1] * x[:, 2] - x[:, 3] ** 2 + 0.05 * torch.randn(900)
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(12):
    for rows in torch.randperm(700).split(50):
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 4 == 3:
        with torch.no_grad():
            test = nn.functional.mse_loss(net(x[700:]), y[700:]).item()
        print(f"epoch {epoch + 1} train {loss.item():.4f} test {test:.4f} variance {y.var().item():.4f}")
