# expect: nothing
# looks suspicious: the validation runs with gradients enabled: the residual of the differential equation
# needs derivatives with respect to the inputs; the loss has second derivatives and there are no data at
# all.
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))


def residual(t, create_graph):
    t = t.requires_grad_(True)
    u = net(t)
    du = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]
    ddu = torch.autograd.grad(du, t, torch.ones_like(du), create_graph=create_graph)[0]
    return ddu + 4 * u


grid = torch.linspace(0, 1.5, 50).unsqueeze(1)


def validate():
    net.eval()
    value = residual(grid.clone(), create_graph=False).detach().square().mean().item()
    net.train()
    return value


optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(250):
    optimizer.zero_grad()
    inside = residual(1.5 * torch.rand(40, 1), create_graph=True).square().mean()
    zero = torch.zeros(1, 1, requires_grad=True)
    u0 = net(zero)
    du0 = torch.autograd.grad(u0.sum(), zero, create_graph=True)[0]
    border = (u0 - 1).square().sum() + du0.square().sum()
    loss = inside + 10 * border
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step} loss {loss.item():.4f} residual on the grid {validate():.4f}")
with torch.no_grad():
    print("greatest error against cos(2t)", (net(grid) - torch.cos(2 * grid)).abs().max().item())
