# expect: nothing
"""Heteroscedastic regression: a net predicts mean and standard deviation, trained by Gaussian likelihood."""
import math

import torch
from torch import nn
from torch.distributions import Normal

torch.manual_seed(7)
x = torch.rand(800, 1) * 4 - 2
y = torch.sin(2 * x) + (0.1 + 0.2 * x.abs()) * torch.randn_like(x)
x_val = torch.linspace(-2, 2, 200)[:, None]
y_val = torch.sin(2 * x_val)


class MeanStd(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh())
        self.mu = nn.Linear(40, 1)
        self.rho = nn.Linear(40, 1)

    def forward(self, inp):
        h = self.body(inp)
        sigma = nn.functional.softplus(self.rho(h)) + 1e-3
        return self.mu(h), sigma


def nll(mu, sigma, target):
    return (torch.log(sigma) + 0.5 * ((target - mu) / sigma) ** 2 + 0.5 * math.log(2 * math.pi)).mean()


model = MeanStd()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(30):
    model.train()
    for idx in torch.randperm(800).split(80):
        mu, sigma = model(x[idx])
        loss = nll(mu, sigma, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        print("epoch", epoch, "nll", loss.item())
model.eval()
with torch.no_grad():
    print("rmse", (model(x_val)[0] - y_val).pow(2).mean().sqrt().item())
