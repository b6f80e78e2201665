# expect: nothing
# Segments bright blobs whose brightness tells whether they count (dim ones do not).
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import TensorDataset, DataLoader

SEED = 5
SIZE = 24


def draw(n, rng):
    yy, xx = np.mgrid[:SIZE, :SIZE]
    imgs = np.zeros((n, 1, SIZE, SIZE), np.float32)
    masks = np.zeros((n, 1, SIZE, SIZE), np.float32)
    for k in range(n):
        bright = rng.random() < 0.7
        level = 0.9 if bright else 0.35
        for _ in range(3):
            cy, cx = rng.uniform(5, SIZE - 5, 2)
            r = rng.uniform(4, 6)
            blob = (yy - cy) ** 2 + (xx - cx) ** 2 < r * r
            imgs[k, 0][blob] = level
            if bright:
                masks[k, 0][blob] = 1.0
        imgs[k, 0] += rng.normal(0, 0.08, (SIZE, SIZE))
    return torch.from_numpy(imgs), torch.from_numpy(masks)


def conv_bn(cin, cout, dilation=1):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=dilation, dilation=dilation),
        nn.BatchNorm2d(cout),
        nn.ReLU(inplace=True),
    )


class TinySeg(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.body = nn.Sequential(conv_bn(1, width), conv_bn(width, width, 2), conv_bn(width, width, 2))
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        return self.out(self.body(x))


def get_loader(split, train, workers=0, bs=8):
    ds = TensorDataset(*split)
    if train:
        return DataLoader(ds, batch_size=bs, shuffle=True, num_workers=workers, drop_last=True)
    return DataLoader(ds, batch_size=40, num_workers=workers)


@torch.no_grad()
def iou(model, loader):
    model.eval()
    inter = union = 0
    for x, m in loader:
        p = model(x) > 0
        t = m > 0.5
        inter += (p & t).sum().item()
        union += (p | t).sum().item()
    return inter / max(union, 1)


def fit(model, loader, epochs, lr):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    for ep in range(epochs):
        model.train()
        run = 0.0
        for x, m in loader:
            loss = F.binary_cross_entropy_with_logits(model(x), m)
            opt.zero_grad()
            loss.backward()
            opt.step()
            run += loss.item()
        print(f"epoch {ep + 1:2d}  bce {run / len(loader):.4f}")


if __name__ == "__main__":
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    train, test = draw(200, rng), draw(80, rng)
    model = TinySeg()
    fit(model, get_loader(train, True), epochs=8, lr=4e-3)
    print(f"test IoU {iou(model, get_loader(test, False)):.3f}")
