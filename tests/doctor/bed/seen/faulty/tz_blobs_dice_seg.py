# expect: softmax_wrong_dim @ 57
"""Three-class segmentation of toy microscopy tiles: background, round cells, square debris."""
import argparse

import numpy as np
import torch
from torch import nn

NAMES = ("background", "cell", "debris")


def render(n, size, rng):
    imgs = np.zeros((n, 1, size, size), np.float32)
    masks = np.zeros((n, size, size), np.int64)
    yy, xx = np.mgrid[:size, :size]
    for i in range(n):
        for kind in (1, 2):
            cy, cx = rng.integers(5, size - 5, 2)
            r = rng.integers(3, 6)
            if kind == 1:
                inside = (yy - cy) ** 2 + (xx - cx) ** 2 <= r * r
            else:
                inside = (abs(yy - cy) < r) & (abs(xx - cx) < r)
            masks[i][inside] = kind
            imgs[i, 0][inside] = 1.0 if kind == 1 else -1.0
    imgs += rng.normal(0, 0.35, imgs.shape).astype(np.float32)
    return torch.from_numpy(imgs), torch.from_numpy(masks)


def conv(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(4, o), nn.SiLU())


class TinyUNet(nn.Module):
    def __init__(self, classes, w=12):
        super().__init__()
        self.a, self.b = conv(1, w), conv(w, 2 * w)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.c = conv(3 * w, w)
        self.head = nn.Conv2d(w, classes, 1)

    def forward(self, x):
        s = self.a(x)
        d = self.up(self.b(self.pool(s)))
        return self.head(self.c(torch.cat([s, d], 1)))


class SoftDice(nn.Module):
    """1 - mean Dice over classes; everything is summed over the batch first."""

    def __init__(self, classes, eps=1.0):
        super().__init__()
        self.classes, self.eps = classes, eps

    def forward(self, scores, mask):
        p = scores.softmax(-1)
        t = nn.functional.one_hot(mask, self.classes).movedim(-1, 1).to(p.dtype)
        inter = (p * t).sum((0, 2, 3))
        size = p.sum((0, 2, 3)) + t.sum((0, 2, 3))
        return 1 - ((2 * inter + self.eps) / (size + self.eps)).mean()


@torch.no_grad()
def iou_per_class(net, imgs, masks):
    net.eval()
    pred = net(imgs).argmax(1)
    net.train()
    out = []
    for c in range(len(NAMES)):
        a, b = pred == c, masks == c
        out.append(((a & b).sum() / (a | b).sum().clamp(min=1)).item())
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=8)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--lr", type=float, default=5e-3)
    args = ap.parse_args()
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    xtr, ytr = render(160, 24, rng)
    xte, yte = render(48, 24, rng)
    net, crit = TinyUNet(len(NAMES)), SoftDice(len(NAMES))
    opt = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=1e-4)
    for ep in range(args.epochs):
        running = 0.0
        for idx in torch.randperm(len(xtr)).split(args.batch):
            loss = crit(net(xtr[idx]), ytr[idx])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
        print(f"epoch {ep:2d}  dice loss {running / len(xtr):.4f}")
    for name, v in zip(NAMES, iou_per_class(net, xte, yte)):
        print(f"test IoU {name:<11s}{v:.3f}")


if __name__ == "__main__":
    main()
