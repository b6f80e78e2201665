# missed: params_not_in_optimizer @ 20
# mend: 20 → learnable = list(net.parameters())
"""A small classifier whose settings come from a table; the best weights are kept and read again at the end."""
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(4)
flowers = torch.randn(500, 6)
kind = (flowers @ torch.randn(6, 4) + 0.3 * torch.randn(500, 4)).argmax(1)


def build(width):
    return nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, 4))


net = build(24)
learnable = list(net.parameters())[2:]
optimizer = torch.optim.RMSprop(learnable, lr=5e-3)
best, kept = 0.0, None
for sweep in range(12):
    net.train()
    for part in torch.randperm(400).split(40):
        optimizer.zero_grad()
        F.cross_entropy(net(flowers[part]), kind[part]).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        hit = (net(flowers[400:]).argmax(1) == kind[400:]).float().mean().item()
    if hit > best:
        best, kept = hit, copy.deepcopy(net.state_dict())
net.load_state_dict(kept)
print(f"best accuracy {best:.3f}")
