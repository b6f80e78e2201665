# expect: nothing
# looks suspicious: backward is never called, the forward passes run under no_grad, yet an optimizer steps:
# an evolution strategy estimates the gradient and writes it into p.grad.
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

torch.manual_seed(0)
x = torch.randn(300, 3)
y = (x[:, 0] * 1.5 - x[:, 1] > 0.2).long()
net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
sigma, pairs = 0.1, 20


@torch.no_grad()
def loss_at(theta, xb, yb):
    vector_to_parameters(theta, net.parameters())
    return nn.functional.cross_entropy(net(xb), yb)


for generation in range(40):
    rows = torch.randint(240, (80,))
    theta = parameters_to_vector(net.parameters()).detach().clone()
    grad = torch.zeros_like(theta)
    for _ in range(pairs):
        eps = torch.randn_like(theta)
        diff = loss_at(theta + sigma * eps, x[rows], y[rows]) - loss_at(theta - sigma * eps, x[rows], y[rows])
        grad += diff / (2 * sigma * pairs) * eps
    current = loss_at(theta, x[rows], y[rows])
    at = 0
    for p in net.parameters():
        p.grad = grad[at : at + p.numel()].view_as(p).clone()
        at += p.numel()
    optimizer.step()
    if generation % 10 == 0:
        print(generation, f"{current.item():.4f}")
with torch.no_grad():
    print("test accuracy", (net(x[240:]).argmax(1) == y[240:]).float().mean().item())
