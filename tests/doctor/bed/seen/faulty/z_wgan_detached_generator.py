# expect: detached_graph @ 24
# allowed: detached_graph @ 23
"""A WGAN whose generator loss is computed on numbers."""

import torch
from torch import nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 1))
C = nn.Sequential(nn.Linear(1, 24), nn.ReLU(), nn.Linear(24, 1))
opt_g = torch.optim.RMSprop(G.parameters(), lr=1e-3)
opt_c = torch.optim.RMSprop(C.parameters(), lr=1e-3)
for step in range(80):
    for _ in range(3):
        real = 2 + 0.5 * torch.randn(64, 1)
        fake = G(torch.randn(64, 3)).detach()
        loss_c = C(fake).mean() - C(real).mean()
        opt_c.zero_grad()
        loss_c.backward()
        opt_c.step()
        for p in C.parameters():
            p.data.clamp_(-0.1, 0.1)
    with torch.no_grad():
        sample = G(torch.randn(64, 3))
    loss_g = -C(sample).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 20 == 19:
        with torch.no_grad():
            print(step + 1, loss_c.item(), G(torch.randn(500, 3)).mean().item())
