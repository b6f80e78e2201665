# expect: nothing
"""A generator seeded by seed + epoch, as distributed samplers do; evaluation noise is fixed once."""

import torch
from torch import nn

SEED = 99
torch.manual_seed(SEED)
clean = torch.rand(500, 20).cumsum(1) / 10
noisy_test = clean[400:] + 0.1 * torch.randn(100, 20)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 20))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)


def indices(epoch):
    g = torch.Generator()
    g.manual_seed(SEED + epoch)
    return torch.randperm(400, generator=g)


for epoch in range(8):
    net.train()
    for rows in indices(epoch).split(40):
        x = clean[rows]
        loss = nn.functional.l1_loss(net(x + 0.1 * torch.randn_like(x)), x)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
    if epoch % 3 == 1:
        net.eval()
        with torch.no_grad():
            print(epoch, (net(noisy_test) - clean[400:]).abs().mean().item())
