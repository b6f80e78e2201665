# expect: nothing
"""Drawn shapes (disc, ring, square, cross) with occlusion and noise as augmentation, small CNN."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

SIZE = 16


def render(kind, rng):
    yy, xx = np.mgrid[:SIZE, :SIZE]
    cy, cx = rng.uniform(6, 9, 2)
    r = rng.uniform(3.5, 5.0)
    dy, dx = yy - cy, xx - cx
    dist = np.hypot(dy, dx)
    if kind == 0:
        img = dist < r
    elif kind == 1:
        img = (dist < r) & (dist > r - 1.7)
    elif kind == 2:
        img = (abs(dy) < r * 0.85) & (abs(dx) < r * 0.85)
    else:
        img = ((abs(dy) < 1.2) | (abs(dx) < 1.2)) & (np.maximum(abs(dy), abs(dx)) < r)
    return img.astype(np.float32) + 0.1 * rng.normal(size=(SIZE, SIZE)).astype(np.float32)


class Augment:
    """Random flip, noise and sometimes a covered patch."""

    def __init__(self, noise=0.2, patch=9):
        self.noise, self.patch = noise, patch

    def __call__(self, img):
        if torch.rand(()) < 0.5:
            img = img.flip(-1)
        img = img + self.noise * torch.randn_like(img)
        if torch.rand(()) < 0.6:
            top, left = torch.randint(0, SIZE - self.patch + 1, (2,)).tolist()
            img[:, top:top + self.patch, left:left + self.patch] = 0.0
        return img


class Shapes(Dataset):
    def __init__(self, n, seed, transform=None):
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 4, n)
        self.images = torch.from_numpy(np.stack([render(k, rng) for k in self.labels])).unsqueeze(1)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = self.images[i].clone()
        if self.transform is not None:
            img = self.transform(img)
        return img, int(self.labels[i])


def loaders(n=1200, share=0.25, batch=32):
    order = torch.randperm(n).tolist()
    cut = int(n * (1 - share))
    augmented = Shapes(n, seed=3, transform=Augment())
    test_view = Shapes(n, seed=3)
    train = DataLoader(Subset(augmented, order[:cut]), batch_size=batch, shuffle=True)
    test = DataLoader(Subset(test_view, order[cut:]), batch_size=150)
    return train, test


def network():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24 * 16, 4),
    )


def evaluate(net, loader):
    net.eval()
    hits = total = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (net(x).argmax(dim=1) == y).sum().item()
            total += len(y)
    return hits / total


def main():
    torch.manual_seed(30)
    train, test = loaders()
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(1, 13):
        net.train()
        losses = []
        for x, y in train:
            loss = loss_fn(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d}  loss {np.mean(losses):.4f}")
    print(f"test accuracy {evaluate(net, test):.3f}")


if __name__ == "__main__":
    main()
