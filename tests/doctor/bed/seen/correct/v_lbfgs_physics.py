# expect: nothing
"""Physics-informed net for u' = -u, u(0) = 1, with an LBFGS closure and autograd.grad in the loss."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
t = torch.linspace(0, 3, 60).unsqueeze(1).requires_grad_(True)
start = torch.zeros(1, 1)
optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=20, history_size=20, line_search_fn="strong_wolfe")


def residual():
    u = net(t)
    (du,) = torch.autograd.grad(u.sum(), t, create_graph=True)
    return (du + u).pow(2).mean()


def closure():
    optimizer.zero_grad()
    loss = residual() + (net(start) - 1).pow(2).sum()
    loss.backward()
    return loss


for it in range(12):
    loss = optimizer.step(closure)
    if it % 3 == 2:
        print(f"outer {it + 1} loss {loss.item():.2e}")

net.eval()
with torch.no_grad():
    grid = torch.linspace(0, 3, 200).unsqueeze(1)
    worst = (net(grid) - torch.exp(-grid)).abs().max().item()
print(f"largest error against exp(-t) {worst:.2e}")
