# expect: graph_kept_alive @ 24
# mend: 24 →     log["residual"].append(residual.detach().abs().max())
"""Matrix of logs: every step's outputs are kept for a plot."""

import collections

import torch
from torch import nn

torch.manual_seed(30)
t = torch.linspace(-3, 3, 512)[:, None]
u = torch.exp(-t.abs()) * torch.cos(4 * t)
model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
log = collections.defaultdict(list)

for _iteration in range(200):
    rows = torch.randint(0, 512, (64,))
    residual = model(t[rows]) - u[rows]
    loss = residual.pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    log["residual"].append(residual.abs().max())
    log["loss"].append(loss.item())

print("first", log["loss"][0], "last", log["loss"][-1])
print("worst residual at the end", torch.stack(log["residual"][-20:]).max().item())
