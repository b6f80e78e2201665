# expect: nothing
"""Digits with home-made transforms in the manner of torchvision (compose, shift, erase, noise) and a CNN."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


class Compose:
    def __init__(self, *steps):
        self.steps = steps

    def __call__(self, image):
        for step in self.steps:
            image = step(image)
        return image


class Scale:
    def __call__(self, image):
        return image / 16.0 - 0.3


class RandomShift:
    def __init__(self, most):
        self.most = most

    def __call__(self, image):
        dy, dx = torch.randint(-self.most, self.most + 1, (2,)).tolist()
        return torch.roll(image, (dy, dx), dims=(-2, -1))


class RandomErase:
    def __init__(self, size):
        self.size = size

    def __call__(self, image):
        top, left = torch.randint(0, 8 - self.size + 1, (2,)).tolist()
        image = image.clone()
        image[..., top:top + self.size, left:left + self.size] = -0.3
        return image


class Noise:
    def __init__(self, std):
        self.std = std

    def __call__(self, image):
        return image + self.std * torch.randn_like(image)


class Digits(Dataset):
    def __init__(self, images, labels, transform):
        self.images = torch.tensor(images, dtype=torch.float32).unsqueeze(1)
        self.labels, self.transform = torch.tensor(labels), transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.labels[i]


def net():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24 * 16, 48), nn.ReLU(), nn.Linear(48, 10),
    )


def main():
    torch.manual_seed(77)
    digits = load_digits()
    parts = train_test_split(digits.images, digits.target, test_size=0.3, stratify=digits.target, random_state=77)
    train_tf = Compose(Scale(), RandomShift(1), RandomErase(2), Noise(0.15))
    test_tf = Compose(Scale())
    train_set = Digits(parts[0], parts[2], train_tf)
    test_set = Digits(parts[1], parts[3], test_tf)

    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=128)
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(10):
        model.train()
        total = 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        print(f"epoch {epoch + 1}: train loss {total / len(train_set):.3f}")

    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in test_loader:
            right += (model(images).argmax(1) == labels).sum().item()
    print(f"test accuracy {right / len(test_set):.3f}")


if __name__ == "__main__":
    main()
