# expect: nothing
"""Fit of a damped oscillation with LBFGS: full batch, closure, strong Wolfe line search (a classic from the PyTorch examples)."""
import math

import torch
from torch import nn


def signal(t):
    return torch.exp(-0.3 * t) * torch.cos(4.0 * t)


def build():
    net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))
    return net.double()


def make_closure(net, optimizer, criterion, x, y):
    def closure():
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        return loss
    return closure


def main():
    torch.manual_seed(1)
    noise = torch.Generator().manual_seed(2)
    t = torch.rand(240, 1, generator=noise, dtype=torch.float64) * 4.0
    y = signal(t) + 0.05 * torch.randn(t.shape, generator=noise, dtype=torch.float64)
    t_train, y_train, t_test, y_test = t[:180], y[:180], t[180:], y[180:]
    scale = lambda v: (v - t_train.mean()) / t_train.std()

    net = build()
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=20, line_search_fn="strong_wolfe")
    closure = make_closure(net, optimizer, criterion, scale(t_train), y_train)

    for step in range(8):
        loss = optimizer.step(closure)
        print(f"step {step + 1}: train mse {loss.item():.5f}")

    net.eval()
    with torch.no_grad():
        prediction = net(scale(t_test))
        mse = criterion(prediction, y_test).item()
    print(f"test mse {mse:.5f} (variance of the noise {0.05 ** 2:.5f}, of the signal {y_test.var().item():.5f})")
    assert math.isfinite(mse)


if __name__ == "__main__":
    main()
