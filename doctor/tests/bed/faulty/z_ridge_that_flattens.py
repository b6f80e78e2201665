# expect: weight_decay_too_high @ 22
# mend: 22 → optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
"""Classification of spirals; weight decay chosen far too strong."""

import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(14)
n = 300
radius = torch.rand(3 * n).sqrt() * 2
arm = torch.arange(3).repeat_interleave(n)
angle = radius * 1.5 + arm * 2 * math.pi / 3 + 0.1 * torch.randn(3 * n)
points = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
mixed = torch.randperm(3 * n)
points, arm = points[mixed], arm[mixed]

loader = DataLoader(TensorDataset(points[:700], arm[:700]), batch_size=50, shuffle=True)
net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.5)
criterion = nn.CrossEntropyLoss()
for epoch in range(12):
    net.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
    if (epoch + 1) % 4 == 0:
        net.eval()
        with torch.no_grad():
            acc = (net(points[700:]).argmax(1) == arm[700:]).float().mean()
        print(f"epoch {epoch + 1} loss {loss.item():.3f} accuracy {acc:.3f}")
