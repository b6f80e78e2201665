# expect: scaler_leakage @ 14
"""A random walk is min-max scaled over all time, then cut into past and future."""

import numpy as np
import torch
from sklearn.preprocessing import MinMaxScaler
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(3)
series = (np.cumsum(rng.normal(0.05, 1.0, 400)) + 50).reshape(-1, 1)
cut, lag = 300, 6
scaler = MinMaxScaler()
series = scaler.fit_transform(series).ravel()
past, future = series[:cut], series[cut:]


def windows(values):
    v = torch.tensor(values, dtype=torch.float32)
    return v.unfold(0, lag, 1)[:-1], v[lag:].unsqueeze(1)


x_train, y_train = windows(past)
x_test, y_test = windows(future)
net = nn.Sequential(nn.Linear(lag, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(60):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x_train), y_train)
    loss.backward()
    opt.step()
    if epoch % 15 == 14:
        with torch.no_grad():
            test = nn.functional.mse_loss(net(x_test), y_test).item()
        print(f"epoch {epoch + 1} train mse {loss.item():.5f} test mse {test:.5f}")
