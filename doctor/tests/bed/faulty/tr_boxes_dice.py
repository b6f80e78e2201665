# expect: softmax_wrong_dim @ 21
# mend: 21 →     p = F.softmax(logits, dim=1)
"""Segmentation by Dice alone."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(7)


def scene(n):
    mask = torch.zeros(n, 12, 12, dtype=torch.long)
    for k in range(n):
        r, c = torch.randint(0, 8, (2,)).tolist()
        mask[k, r : r + 4, c : c + 4] = 1
    return mask[:, None] + 0.5 * torch.randn(n, 1, 12, 12), mask


def dice_loss(logits, mask):
    p = F.softmax(logits, dim=0)
    onehot = F.one_hot(mask, 2).permute(0, 3, 1, 2).float()
    inter = (p * onehot).sum((0, 2, 3))
    return 1 - (2 * inter / (p.sum((0, 2, 3)) + onehot.sum((0, 2, 3)) + 1e-6)).mean()


net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.Conv2d(8, 8, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(8, 2, 1),
)
opt = torch.optim.AdamW(net.parameters(), lr=5e-3)
val_x, val_y = scene(40)
for step in range(60):
    net.train()
    x, m = scene(16)
    out = net(x)
    loss = dice_loss(out, m)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 19:
        net.eval()
        with torch.no_grad():
            pred = net(val_x).softmax(1).argmax(1)
        inter, union = ((pred == 1) & (val_y == 1)).sum(), ((pred == 1) | (val_y == 1)).sum()
        print(step + 1, f"loss {loss.item():.4f} iou {(inter / union).item():.4f}")
