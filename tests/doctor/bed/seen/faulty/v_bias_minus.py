# expect: dead_relu @ 21
# allowed: dead_relu @ 24
"""Regression on a smooth two-dimensional surface with a two-layer ReLU net and sparse starting activations."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(19)
xy = torch.rand(1000, 2) * 2 - 1
z = (torch.sin(3 * xy[:, 0]) * torch.cos(2 * xy[:, 1])).unsqueeze(1)


class Surface(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.a = nn.Linear(2, width)
        self.b = nn.Linear(width, width)
        self.c = nn.Linear(width, 1)
        for layer in (self.a, self.b):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.constant_(layer.bias, -10.0)

    def forward(self, p):
        return self.c(torch.relu(self.b(torch.relu(self.a(p)))))


net = Surface()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
loader = DataLoader(TensorDataset(xy[:800], z[:800]), batch_size=40, shuffle=True)
for epoch in range(25):
    net.train()
    for p, t in loader:
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(p), t)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print("loss", loss.item(), "test", nn.functional.mse_loss(net(xy[800:]), z[800:]).item())
