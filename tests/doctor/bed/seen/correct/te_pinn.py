# expect: nothing
# looks suspicious: points that a module holds are asked for their derivatives, not learned
import torch
from torch import nn

torch.manual_seed(0)


class Pinn(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1))
        self.x = torch.randn(64, 1, requires_grad=True)
        self.x0 = torch.zeros(1, 1, requires_grad=True)

    def forward(self, x):
        return 1 + x * self.net(x)

    def loss(self):
        u = self.forward(self.x)
        du = torch.autograd.grad(u.sum(), self.x, create_graph=True)[0]
        u0 = self.forward(self.x0)
        d0 = torch.autograd.grad(u0.sum(), self.x0, create_graph=True)[0]
        return ((du + u) ** 2).mean() + ((d0 + 1) ** 2).mean()


pinn = Pinn()
optimizer = torch.optim.Adam(pinn.parameters(), lr=1e-2)
for step in range(80):
    optimizer.zero_grad()
    loss = pinn.loss()
    loss.backward()
    optimizer.step()
print(loss.item())
