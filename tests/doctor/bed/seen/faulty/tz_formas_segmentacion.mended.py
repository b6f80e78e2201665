# expect: nothing
# Segmentation of overlapping shapes (background / disc / square), mini U-Net.
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Cfg:
    size: int = 24
    n_train: int = 320
    n_test: int = 80
    width: int = 10
    classes: int = 3
    epochs: int = 6
    batch: int = 16
    lr: float = 4e-3
    seed: int = 2


def draw_scene(size, g):
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    mask = torch.zeros(size, size, dtype=torch.long)
    cy, cx, r = torch.randint(5, size - 5, (3,), generator=g).tolist()
    r = 3 + r % 4
    mask[(yy - cy) ** 2 + (xx - cx) ** 2 <= r * r] = 1
    y0, x0 = torch.randint(0, size - 9, (2,), generator=g).tolist()
    side = int(torch.randint(5, 9, (1,), generator=g))
    mask[y0:y0 + side, x0:x0 + side] = 2
    tone = torch.tensor([0.0, 0.7, -0.7])[mask]
    image = tone + 0.45 * torch.randn(size, size, generator=g)
    return image.unsqueeze(0), mask


def scenes(n, cfg, g):
    pics, masks = zip(*(draw_scene(cfg.size, g) for _ in range(n)))
    return torch.stack(pics), torch.stack(masks)


def block(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True)
    )


def pixel_head(width, classes, act=nn.Identity):
    return nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, classes, 1), act())


class MiniUNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        w = cfg.width
        self.enc1, self.enc2 = block(1, w), block(w, 2 * w)
        self.up = nn.ConvTranspose2d(2 * w, w, 2, stride=2)
        self.dec = block(2 * w, w)
        self.head = pixel_head(w, cfg.classes)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(F.max_pool2d(a, 2))
        return self.head(self.dec(torch.cat([a, self.up(b)], dim=1)))


def batches(x, y, size):
    order = torch.randperm(len(x))
    for idx in order.split(size):
        yield x[idx], y[idx]


@torch.no_grad()
def mean_iou(model, x, y, classes):
    model.eval()
    guess = model(x).argmax(dim=1)
    ious = []
    for c in range(classes):
        inter = ((guess == c) & (y == c)).sum().item()
        union = ((guess == c) | (y == c)).sum().item()
        ious.append(inter / max(union, 1))
    return sum(ious) / classes


def main(cfg=Cfg()):
    torch.manual_seed(cfg.seed)
    g = torch.Generator().manual_seed(cfg.seed)
    x_train, y_train = scenes(cfg.n_train, cfg, g)
    x_test, y_test = scenes(cfg.n_test, cfg, g)
    model = MiniUNet(cfg)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        model.train()
        tot = 0.0
        for xb, yb in batches(x_train, y_train, cfg.batch):
            loss = F.cross_entropy(model(xb), yb)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            tot += loss.item() * len(xb)
        print(f"epoch {epoch + 1}/{cfg.epochs}: loss {tot / cfg.n_train:.4f}")
    print(f"mean IoU on held-out scenes: {mean_iou(model, x_test, y_test, cfg.classes):.3f}")


main()
