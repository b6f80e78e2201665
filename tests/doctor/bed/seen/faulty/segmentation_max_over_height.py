# expect: metric_wrong_axis @ 22
"""Pixel accuracy of a map takes the best row of the picture, not the best class."""

import torch
from torch import nn

torch.manual_seed(0)
images = torch.randn(60, 1, 6, 6)
masks = (images[:, 0] > 0.3).long() + (images[:, 0] > 1.0).long()
net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _step in range(40):
    rows = torch.randint(0, 60, (12,))
    logits = net(images[rows])
    loss = nn.functional.cross_entropy(logits, masks[rows])
    opt.zero_grad()
    loss.backward()
    opt.step()
net.eval()
with torch.no_grad():
    out = net(images)
    said = out.argmax(dim=2)
    print("pixel accuracy", (said == masks).float().mean().item())
