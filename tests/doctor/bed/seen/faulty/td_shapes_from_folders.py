# expect: unshuffled_sorted @ 46
"""Drawn shapes (disc, square, cross, ring) collected folder by folder, a small LeNet with plain SGD."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

SHAPES = ["disc", "square", "cross", "ring"]
SIZE = 20


def draw(shape, rng):
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(float)
    cy, cx = rng.uniform(7, 13, 2)
    r = rng.uniform(4, 6)
    dy, dx = np.abs(yy - cy), np.abs(xx - cx)
    dist = np.hypot(dy, dx)
    image = {
        "disc": dist < r,
        "square": np.maximum(dy, dx) < r * 0.85,
        "cross": (np.minimum(dy, dx) < 1.6) & (np.maximum(dy, dx) < r),
        "ring": np.abs(dist - r * 0.85) < 1.3,
    }[shape]
    return (image + rng.normal(0, 0.25, image.shape)).astype(np.float32)


class ShapeFolder(Dataset):
    """Walks the 'folders' in the order of their names and keeps (picture, class index)."""

    def __init__(self, per_class, seed):
        rng = np.random.default_rng(seed)
        self.samples = []
        for index, name in enumerate(SHAPES):
            self.samples += [(draw(name, rng), index) for _ in range(per_class)]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        image, label = self.samples[i]
        return torch.from_numpy(image).unsqueeze(0).sub(0.2), label


def get_loaders(batch_size):
    settings = dict(batch_size=batch_size, num_workers=0)
    train_loader = DataLoader(ShapeFolder(200, seed=1), drop_last=True, **settings)
    test_loader = DataLoader(ShapeFolder(60, seed=2), **settings)
    return train_loader, test_loader


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 5), nn.Conv2d(8, 12, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc1, self.fc2 = nn.Linear(12 * 3 * 3, 32), nn.Linear(32, len(SHAPES))

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def main():
    torch.manual_seed(5)
    train_loader, test_loader = get_loaders(batch_size=20)
    net = LeNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(8):
        net.train()
        running_loss = 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(net(images), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        print(f"[{epoch + 1}] loss: {running_loss / len(train_loader):.3f}")

    net.eval()
    right, seen = torch.zeros(len(SHAPES)), torch.zeros(len(SHAPES))
    with torch.no_grad():
        for images, labels in test_loader:
            predicted = net(images).argmax(dim=1)
            for truth, guess in zip(labels, predicted):
                seen[truth] += 1
                right[truth] += float(truth == guess)
    for name, share in zip(SHAPES, (right / seen).tolist()):
        print(f"accuracy of {name:>6}: {share:.3f}")
    print(f"all: {(right.sum() / seen.sum()).item():.3f}")


if __name__ == "__main__":
    main()
