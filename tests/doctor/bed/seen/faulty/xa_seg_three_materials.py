# expect: metric_wrong_axis @ 60
# allowed: metric_wrong_axis @ 68
# allowed: metric_wrong_axis @ 81
"""Segmentation of synthetic micrographs: background, grains and fibres.

A two-level U-Net; masks are stored with a channel axis ([N, 1, H, W]) because the
loader treats them as pictures.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

SIDE, CLASSES = 16, 3


class Micrographs(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        yy, xx = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
        self.items = []
        for _ in range(n):
            mask = torch.zeros(SIDE, SIDE, dtype=torch.long)
            for _ in range(2):
                cy, cx = torch.randint(3, SIDE - 3, (2,), generator=g)
                mask[(yy - cy) ** 2 + (xx - cx) ** 2 <= 9] = 1
            row = int(torch.randint(1, SIDE - 2, (1,), generator=g))
            mask[row : row + 2, :] = 2
            level = torch.tensor([-0.8, 0.1, 0.9])[mask]
            pic = level + 0.35 * torch.randn(SIDE, SIDE, generator=g)
            self.items.append((pic.unsqueeze(0), mask.unsqueeze(0)))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def conv(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU())


class SmallUNet(nn.Module):
    def __init__(self, w=12):
        super().__init__()
        self.down1, self.down2 = conv(1, w), conv(w, 2 * w)
        self.up = nn.ConvTranspose2d(2 * w, w, 2, stride=2)
        self.merge = conv(2 * w, w)
        self.head = nn.Conv2d(w, CLASSES, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        return self.head(self.merge(torch.cat([a, self.up(b)], dim=1)))


def decode(logits):
    """Class index of every pixel, same layout as the stored masks."""
    return logits.argmax(dim=0, keepdim=True)


class PixelAccuracy:
    def __init__(self):
        self.hits, self.total = 0, 0

    def add(self, logits, masks):
        same = decode(logits) == masks
        self.hits += same.sum().item()
        self.total += same.numel()

    def value(self):
        return self.hits / self.total


def evaluate(net, loader):
    metric = PixelAccuracy()
    net.eval()
    with torch.inference_mode():
        for pics, masks in loader:
            metric.add(net(pics), masks)
    return metric.value()


def main():
    torch.manual_seed(3)
    train = DataLoader(Micrographs(160, seed=10), batch_size=16, shuffle=True)
    held = DataLoader(Micrographs(48, seed=20), batch_size=24)
    net = SmallUNet()
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    for epoch in range(1, 6):
        net.train()
        total = 0.0
        for pics, masks in train:
            loss = F.cross_entropy(net(pics), masks.squeeze(1))
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch}  loss {total / len(train):.4f}  held-out pixel accuracy {evaluate(net, held):.4f}")


if __name__ == "__main__":
    main()
