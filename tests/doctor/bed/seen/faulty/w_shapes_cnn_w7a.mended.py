# expect: nothing
"""Shapes drawn with NumPy, classified by a small CNN; the training pictures are shifted, flipped and speckled."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

SHAPES = ("disc", "square", "cross", "ring")


def draw(kind, rng, side=16):
    yy, xx = np.mgrid[:side, :side]
    cy, cx = rng.uniform(6, 9, 2)
    r = rng.uniform(3, 5)
    dy, dx = np.abs(yy - cy), np.abs(xx - cx)
    dist = np.hypot(dy, dx)
    mask = {
        "disc": dist < r,
        "square": np.maximum(dy, dx) < r * 0.85,
        "cross": ((dy < 1.2) | (dx < 1.2)) & (np.maximum(dy, dx) < r),
        "ring": (dist < r) & (dist > r - 1.8),
    }[kind]
    return (0.8 * mask + 0.1 * rng.standard_normal((side, side))).astype(np.float32)


class ShapeSet(Dataset):
    def __init__(self, images, labels, augment=False):
        self.images, self.labels, self.augment = images, labels, augment

    def __len__(self):
        return len(self.labels)

    def _jitter(self, img):
        dy, dx = torch.randint(-2, 3, (2,)).tolist()
        img = torch.roll(img, (dy, dx), dims=(-2, -1))
        if torch.rand(()) < 0.5:
            img = img.flip(-1)
        speckle = (torch.rand_like(img) < 0.2).float()
        return img * (1 - speckle) + speckle * torch.rand_like(img)

    def __getitem__(self, i):
        img = torch.from_numpy(self.images[i])[None]
        if self.augment:
            img = self._jitter(img)
        return (img - 0.2) / 0.35, self.labels[i]


def make_loaders(images, labels, sizes, batch, **options):
    """One loader per part; only the training part is shuffled."""
    loaders, start = {}, 0
    for part, size in sizes.items():
        chunk = slice(start, start + size)
        dataset = ShapeSet(images[chunk], labels[chunk], **(options if part == "train" else {}))
        loaders[part] = DataLoader(dataset, batch_size=batch, shuffle=part == "train")
        start += size
    return loaders


def build_net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24 * 4 * 4, len(SHAPES)),
    )


def evaluate(net, loader):
    net.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += (net(x).argmax(dim=1) == y).sum().item()
            total += len(y)
    return right / total


def main():
    torch.manual_seed(17)
    rng = np.random.default_rng(17)
    labels = rng.integers(0, len(SHAPES), 1100)
    images = np.stack([draw(SHAPES[k], rng) for k in labels])
    loaders = make_loaders(images, torch.from_numpy(labels), {"train": 700, "test": 400}, 40, augment=True)
    net = build_net()
    opt = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-3)
    for epoch in range(6):
        net.train()
        total = 0.0
        for x, y in loaders["train"]:
            loss = nn.functional.cross_entropy(net(x), y, label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
        print(f"epoch {epoch}  loss {total / 700:.4f}")
    print(f"test accuracy {evaluate(net, loaders['test']):.4f}")


if __name__ == "__main__":
    main()
