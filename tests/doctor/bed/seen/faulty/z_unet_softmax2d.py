# expect: softmax_before_cross_entropy @ 47
# allowed: softmax_before_cross_entropy @ 38
"""Semantic segmentation of drawn squares and discs."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(13)


def draw(n):
    grid = torch.arange(16.0)
    yy, xx = torch.meshgrid(grid, grid, indexing="ij")
    c = torch.rand(n, 2, 1, 1) * 8 + 4
    square = ((yy - c[:, 0]).abs() < 3) & ((xx - c[:, 1]).abs() < 3)
    d = torch.rand(n, 2, 1, 1) * 8 + 4
    disc = (yy - d[:, 0]) ** 2 + (xx - d[:, 1]) ** 2 < 9
    mask = square.long()
    mask[disc] = 2
    picture = torch.stack([mask / 2 + 0.2 * torch.randn(n, 16, 16), 0.3 * torch.randn(n, 16, 16)], 1)
    return picture, mask


class TinyUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(2, 12, 3, padding=1)
        self.mid = nn.Conv2d(12, 24, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(24, 12, 2, stride=2)
        self.last = nn.Conv2d(24, 3, 1)
        self.activation = nn.Softmax2d()

    def forward(self, x):
        skip = F.relu(self.down(x))
        z = F.relu(self.up(F.relu(self.mid(skip))))
        z = self.last(torch.cat([z, skip], 1))
        return self.activation(z)


net = TinyUNet()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
weight = torch.tensor([0.5, 1.0, 1.0])
for step in range(40):
    pictures, masks = draw(16)
    optimizer.zero_grad()
    loss = F.cross_entropy(net(pictures), masks, weight=weight)
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(step + 1, f"{loss.item():.4f}")

net.eval()
pictures, masks = draw(32)
with torch.no_grad():
    label_map = net(pictures).argmax(1)
iou = [((label_map == k) & (masks == k)).sum() / ((label_map == k) | (masks == k)).sum() for k in range(3)]
print("IoU", [round(v.item(), 3) for v in iou])
