# expect: non_finite_loss @ 34
"""Probabilistic forecast of the next value: the net gives a mean and a variance."""

import math

import torch
import torch.nn as nn

torch.manual_seed(20)
t = torch.arange(700, dtype=torch.float32)
series = torch.sin(t / 9) + 0.5 * torch.sin(t / 23) + 0.1 * torch.randn(700)
windows = series.unfold(0, 17, 1)
x, y = windows[:, :-1], windows[:, -1]
x_train, y_train, x_test, y_test = x[:500], y[:500], x[500:], y[500:]


class Forecaster(nn.Module):
    def __init__(self, lags):
        super().__init__()
        self.fc1 = nn.Linear(lags, 32)
        self.fc2 = nn.Linear(32, 2)

    def forward(self, x):
        mean, var = self.fc2(torch.relu(self.fc1(x))).unbind(-1)
        return mean, var


model = Forecaster(16)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(5):
    for rows in torch.randperm(len(x_train)).split(50):
        mean, var = model(x_train[rows])
        squared = (y_train[rows] - mean) ** 2
        loss = 0.5 * (torch.log(2 * math.pi * var) + squared / var).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        mean, var = model(x_test)
        print(f"epoch {epoch} train {loss.item():.4f} test rmse {(mean - y_test).pow(2).mean().sqrt():.4f}")
