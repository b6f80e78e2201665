# expect: augment_on_test @ 42
# allowed: augment_on_test @ 62
"""Digits CNN with random shifts, erasing and noise as augmentation in an own Dataset."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class RandomDistort:
    def __init__(self, shift=1, erase=3, noise=0.25):
        self.shift, self.erase, self.noise = shift, erase, noise

    def __call__(self, img):
        dx, dy = torch.randint(-self.shift, self.shift + 1, (2,)).tolist()
        img = torch.roll(img, (dx, dy), dims=(1, 2)).clone()
        r, c = torch.randint(0, 8 - self.erase, (2,)).tolist()
        img[:, r:r + self.erase, c:c + self.erase] = 0.0
        return img + self.noise * torch.randn_like(img)


class Digits(Dataset):
    def __init__(self, images, labels, transform=None):
        self.x = torch.tensor(images / 16.0, dtype=torch.float32).unsqueeze(1)
        self.y = torch.tensor(labels)
        self.transform = transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        x = self.x[i]
        return (self.transform(x) if self.transform else x), self.y[i]


def loaders(batch=64):
    d = load_digits()
    xa, xb, ya, yb = train_test_split(d.images, d.target, test_size=0.25, random_state=3, stratify=d.target)
    distort = RandomDistort()
    train = DataLoader(Digits(xa, ya, distort), batch_size=batch, shuffle=True)
    test = DataLoader(Digits(xb, yb, distort), batch_size=batch)
    return train, test


def main():
    torch.manual_seed(0)
    train, test = loaders()
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(10):
        net.train()
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
    net.eval()
    ok = n = 0
    with torch.no_grad():
        for x, y in test:
            ok += (net(x).argmax(1) == y).sum().item()
            n += len(y)
    print(f"final loss {loss.item():.3f} test accuracy {ok / n:.3f}")


if __name__ == "__main__":
    main()
