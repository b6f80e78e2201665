# expect: augment_on_test @ 80
"""Handwritten digits with random shifts and erasing, in the shape of a small vision project: transforms, dataset, engine."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Compose:
    def __init__(self, *parts):
        self.parts = parts

    def __call__(self, image):
        for part in self.parts:
            image = part(image)
        return image


class RandomShift:
    def __init__(self, by):
        self.by = by

    def __call__(self, image):
        dx, dy = torch.randint(-self.by, self.by + 1, (2,)).tolist()
        return torch.roll(image, (dx, dy), dims=(1, 2))


class RandomErase:
    def __init__(self, size, p):
        self.size, self.p = size, p

    def __call__(self, image):
        if torch.rand(()) < self.p:
            top, left = torch.randint(0, 8 - self.size + 1, (2,)).tolist()
            image = image.clone()
            image[:, top:top + self.size, left:left + self.size] = 0.0
        return image


def make_transform(train):
    base = [lambda image: (image - 0.305) / 0.376]
    if train:
        base = [RandomShift(1), RandomErase(3, 0.4), *base]
    return Compose(*base)


class Digits(Dataset):
    def __init__(self, images, labels, train=True):
        self.images = torch.tensor(images / 16.0, dtype=torch.float32).reshape(-1, 1, 8, 8)
        self.labels = torch.tensor(labels)
        self.transform = make_transform(train)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.labels[i]


def epoch(model, loader, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


@torch.inference_mode()
def accuracy(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(12)
    x, y = load_digits(return_X_y=True)
    parts = train_test_split(x, y, test_size=0.25, stratify=y, random_state=12)
    train = DataLoader(Digits(parts[0], parts[2]), batch_size=64, shuffle=True)
    test = DataLoader(Digits(parts[1], parts[3]), batch_size=225)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for number in range(6):
        epoch(model, train, optimizer)
    print(f"test accuracy {accuracy(model, test):.4f} on {len(test.dataset)} images")
