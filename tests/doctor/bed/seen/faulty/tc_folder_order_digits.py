# expect: unshuffled_sorted @ 56
# allowed: unshuffled_sorted @ 67
"""Digits kept as files in class folders: a folder reader, a CNN and a command line as in any image project."""
import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


def export(root):
    """Write the scans as root/train/<digit>/<n>.npy and root/test/<digit>/<n>.npy."""
    images, digits = load_digits().images, load_digits().target
    train, test = train_test_split(np.arange(len(digits)), test_size=0.3, stratify=digits, random_state=1)
    for name, rows in (("train", train), ("test", test)):
        for digit in range(10):
            folder = root / name / str(digit)
            folder.mkdir(parents=True)
            np.save(folder / "scans.npy", images[rows][digits[rows] == digit].astype(np.float32))


class FolderDigits(Dataset):
    def __init__(self, root):
        self.samples = []
        for folder in sorted(root.iterdir()):
            for scan in np.load(folder / "scans.npy"):
                self.samples.append((torch.from_numpy(scan / 16.0).unsqueeze(0), int(folder.name)))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        return self.samples[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Conv2d(12, 24, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Linear(24 * 2 * 2, 10)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))


def get_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--shuffle", action="store_true", help="new order of the training files every epoch")
    return parser.parse_args()


def main():
    args = get_args()
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        export(root)
        train, test = FolderDigits(root / "train"), FolderDigits(root / "test")
    train_loader = DataLoader(train, batch_size=args.batch_size, shuffle=args.shuffle)
    test_loader = DataLoader(test, batch_size=256)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    for epoch in range(args.epochs):
        model.train()
        running = 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
        print(f"epoch {epoch + 1}: {running / len(train_loader):.4f}")
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in test_loader:
            right += (model(images).argmax(1) == labels).sum().item()
    print(f"test accuracy {right / len(test):.3f} of {len(test)} files")


main()
