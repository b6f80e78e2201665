# expect: detached_loss @ 29
# mend: 29 →
"""Segmentation of bright discs with a Dice loss."""

import torch
import torch.nn as nn


def discs(n, size=16):
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    cy, cx, r = (torch.randint(lo, hi, (n, 1, 1)) for lo, hi in ((4, 12), (4, 12), (2, 6)))
    mask = ((yy - cy) ** 2 + (xx - cx) ** 2 <= r**2).float().unsqueeze(1)
    return mask + 0.4 * torch.randn_like(mask), mask


class TinyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
        )
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        return torch.sigmoid(self.out(self.down(x)))


def dice_loss(pred, target, smooth=1.0):
    pred = (pred > 0.5).float().requires_grad_()
    intersection = (pred * target).sum(dim=(1, 2, 3))
    return (
        1
        - (
            (2 * intersection + smooth) / (pred.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3)) + smooth)
        ).mean()
    )


torch.manual_seed(21)
net = TinyNet()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(60):
    image, mask = discs(16)
    loss = dice_loss(net(image), mask)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 15 == 0:
        print(f"step {step}: dice loss {loss.item():.4f}")
