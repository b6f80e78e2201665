# expect: missing_activation @ 27
# mend: 25 +         z = F.elu(z)
"""Which half of a ring a point lies in: a small classifier with a dropout between its two layers."""
import math

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(11)
angle = 2 * math.pi * torch.rand(600)
radius = 1 + 0.3 * torch.randn(600)
points = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
inside = (radius < 1).long()


class RingNet(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.widen = nn.Linear(2, width)
        self.drop = nn.Dropout(0.1)
        self.decide = nn.Linear(width, 2)

    def forward(self, p):
        z = self.widen(p)
        z = self.drop(z)
        return self.decide(z)


net = RingNet()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(8):
    for rows in torch.randperm(500).split(50):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(points[rows]), inside[rows])
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    accuracy = (net(points[500:]).argmax(1) == inside[500:]).float().mean()
print(f"{accuracy:.2f} of the held-out points are on the right side")
