# expect: nothing
"""Segmentation of drawn shapes into background, disc and square, with a small U-shaped net."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

SIZE = 24
NAMES = ("background", "disc", "square")


def draw(rng):
    yy, xx = np.mgrid[:SIZE, :SIZE]
    mask = np.zeros((SIZE, SIZE), dtype=np.int64)
    for kind in rng.permutation([1, 2]):
        cy, cx = rng.integers(6, SIZE - 6, 2)
        r = rng.integers(3, 6)
        if kind == 1:
            mask[(yy - cy) ** 2 + (xx - cx) ** 2 <= r * r] = 1
        else:
            mask[(abs(yy - cy) < r) & (abs(xx - cx) < r)] = 2
    shade = np.array([0.1, 0.6, 0.75])[mask]
    image = shade + rng.normal(0, 0.08, mask.shape)
    return image.astype(np.float32), mask


class Shapes(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        pairs = [draw(rng) for _ in range(n)]
        self.images = torch.tensor(np.stack([p[0] for p in pairs])).unsqueeze(1)
        self.masks = torch.tensor(np.stack([p[1] for p in pairs]))

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]


def block(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())


class TinyUNet(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.down = block(1, width)
        self.low = nn.Sequential(block(width, 2 * width), block(2 * width, 2 * width))
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.merge = block(2 * width, width)
        self.out = nn.Conv2d(width, len(NAMES), 1)

    def forward(self, x):
        skip = self.down(x)
        low = self.low(F.max_pool2d(skip, 2))
        h = self.merge(torch.cat([skip, self.up(low)], dim=1))
        return F.log_softmax(self.out(h), dim=1)


def iou_per_class(pred, mask):
    scores = []
    for k in range(len(NAMES)):
        both = ((pred == k) & (mask == k)).sum().item()
        either = ((pred == k) | (mask == k)).sum().item()
        scores.append(both / either)
    return scores


def main():
    torch.manual_seed(2)
    train, test = Shapes(240, seed=100), Shapes(60, seed=200)
    loader = DataLoader(train, batch_size=16, shuffle=True)
    net = TinyUNet()
    criterion = nn.NLLLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(8):
        net.train()
        total = 0.0
        for images, masks in loader:
            optimizer.zero_grad()
            loss = criterion(net(images), masks)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(loader):+.4f}")
    net.eval()
    with torch.no_grad():
        pred = net(test.images).argmax(dim=1)
    for name, score in zip(NAMES, iou_per_class(pred, test.masks)):
        print(f"IoU {name:10s} {score:.3f}")


main()
