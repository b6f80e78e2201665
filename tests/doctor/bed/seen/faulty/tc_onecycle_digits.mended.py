# expect: nothing
"""Digits with a small residual CNN under the one-cycle policy (SGD with momentum, short super-convergence run)."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x):
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(x + self.norm2(self.conv2(h)))


class SmallResNet(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.block = Block(width)
        self.head = nn.Linear(width * 16, 10)

    def forward(self, x):
        h = F.max_pool2d(self.block(F.relu(self.stem(x))), 2)
        return self.head(h.flatten(1))


def get_loaders(batch_size, seed):
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32).reshape(-1, 1, 8, 8)
    y = torch.tensor(y)
    train, test = train_test_split(torch.arange(len(y)), test_size=0.25, stratify=y, random_state=seed)
    return (
        DataLoader(TensorDataset(x[train], y[train]), batch_size=batch_size, shuffle=True, drop_last=True),
        DataLoader(TensorDataset(x[test], y[test]), batch_size=450),
    )


def train_epoch(model, loader, optimizer, scheduler):
    model.train()
    running = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item()
    return running / len(loader)


@torch.inference_mode()
def test_accuracy(model, loader):
    model.eval()
    right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return right / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-lr", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=23)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    train_loader, test_loader = get_loaders(args.batch_size, args.seed)
    model = SmallResNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=args.max_lr, epochs=args.epochs, steps_per_epoch=len(train_loader))
    for epoch in range(args.epochs):
        loss = train_epoch(model, train_loader, optimizer, scheduler)
        print(f"epoch {epoch + 1}  loss {loss:.4f}  lr {scheduler.get_last_lr()[0]:.5f}")
    print(f"test accuracy {test_accuracy(model, test_loader):.3f}")


main()
