# expect: graph_kept_alive @ 19
"""A smoothed loss for the log, kept as a tensor."""

import torch
from torch import nn

torch.manual_seed(6)
x = torch.rand(500, 3)
y = (x @ torch.tensor([1.0, -2.0, 0.5])).sigmoid()
net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
smooth = None
for step in range(150):
    rows = torch.randint(0, 400, (40,))
    loss = nn.functional.mse_loss(net(x[rows]).squeeze(1), y[rows])
    opt.zero_grad()
    loss.backward()
    opt.step()
    smooth = loss if smooth is None else 0.95 * smooth + 0.05 * loss
    if step % 50 == 49:
        print(step + 1, f"{float(smooth):.5f}")
with torch.no_grad():
    print("test", nn.functional.mse_loss(net(x[400:]).squeeze(1), y[400:]).item())
