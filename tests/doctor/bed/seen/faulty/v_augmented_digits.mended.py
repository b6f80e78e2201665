# expect: nothing
"""Digits with random shifts, erasing and noise drawn by the Dataset itself."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(140)


class Digits(Dataset):
    def __init__(self, x, y, transform=None):
        self.x = torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8) / 16
        self.y = torch.tensor(y)
        self.transform = transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        img = self.x[i]
        if self.transform is not None:
            img = self.transform(img)
        return img, self.y[i]


def augment(img):
    dx, dy = torch.randint(-1, 2, (2,)).tolist()
    img = torch.roll(img, (dx, dy), dims=(1, 2))
    if torch.rand(1).item() < 0.5:
        r, c = torch.randint(0, 6, (2,)).tolist()
        img = img.clone()
        img[:, r:r + 3, c:c + 3] = 0.0
    return img + 0.25 * torch.randn_like(img)


def loaders(batch=48):
    X, y = load_digits(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=2, stratify=y)
    train = DataLoader(Digits(Xa, ya, augment), batch_size=batch, shuffle=True)
    test = DataLoader(Digits(Xb, yb), batch_size=150)
    return train, test


def run(epochs=8):
    train, test = loaders()
    net = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3), nn.ReLU(),
                        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * 9, 10))
    opt = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1} loss {total / len(train):.4f}")
    net.eval()
    good = 0
    with torch.inference_mode():
        for x, y in test:
            good += (net(x).argmax(1) == y).sum().item()
    print(f"test accuracy {good / len(test.dataset):.3f}")


run()
