# expect: target_broadcast @ 39
"""Strength of made-up alloys, where each measurement has a weight of its own."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def measurements(n=800):
    mix = torch.rand(n, 5)
    strength = 3 * mix[:, 0] - 2 * mix[:, 1] * mix[:, 2] + mix[:, 3].sin()
    noise = 0.05 + 0.4 * torch.rand(n)
    return mix * 2 - 1, strength + noise * torch.randn(n), 1 / (0.05 + noise)


class Alloy(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(5, 32), nn.Tanh())
        self.outer = nn.Linear(32, 1)

    def forward(self, x):
        return self.outer(self.inner(x))


torch.manual_seed(5)
mix, strength, weight = measurements()
strength = ((strength - strength[:600].mean()) / strength[:600].std()).unsqueeze(1)
weight = weight / weight[:600].mean()
train = TensorDataset(mix[:600], strength[:600], weight[:600])
loader = DataLoader(train, batch_size=50, shuffle=True)
net = Alloy()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(20):
    net.train()
    for x, y, w in loader:
        optimizer.zero_grad()
        each = F.mse_loss(net(x), y, reduction="none")
        loss = (w * each).mean()
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print(f"test error {F.mse_loss(net(mix[600:]), strength[600:]).item():.3f}")
