# expect: nothing
"""Partners are drawn at random from the same array for a contrastive loss that stays high."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 8)
encoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 8))
opt = torch.optim.Adam(encoder.parameters(), lr=1e-3)
for _step in range(80):
    a = x[torch.randperm(300)[:64]]
    negative = x[torch.randperm(300)[:64]]
    za, zb = encoder(a + 0.1 * torch.randn_like(a)), encoder(a + 0.1 * torch.randn_like(a))
    zn = encoder(negative)
    near, far = (za - zb).pow(2).sum(1), (za - zn).pow(2).sum(1)
    loss = nn.functional.relu(near - far + 1.0).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
