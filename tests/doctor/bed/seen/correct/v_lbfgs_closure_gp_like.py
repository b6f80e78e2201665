# expect: nothing
"""Fit a random-feature regression with LBFGS and a closure, the whole data at once."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-3, 3, 240).unsqueeze(1)
y = torch.sin(2 * x) + 0.3 * x + 0.1 * torch.randn_like(x)
keep = torch.ones(240, dtype=torch.bool)
keep[::5] = False
net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
opt = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=10, line_search_fn="strong_wolfe")


def closure():
    opt.zero_grad()
    penalty = sum((p ** 2).sum() for p in net.parameters())
    loss = nn.functional.mse_loss(net(x[keep]), y[keep]) + 1e-5 * penalty
    loss.backward()
    return loss


for outer in range(15):
    loss = opt.step(closure)
    if outer % 5 == 4:
        with torch.no_grad():
            held = nn.functional.mse_loss(net(x[~keep]), y[~keep])
        print(f"outer {outer + 1} objective {loss.item():.4f} held-out mse {held:.4f}")
