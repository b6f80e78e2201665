# expect: nothing
"""Siamese network that tells whether two digits are the same, after the PyTorch example."""
import argparse
import random

import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Dataset


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 16, 32),
        )
        self.fc = nn.Sequential(nn.Linear(32, 32), nn.ReLU(inplace=True), nn.Linear(32, 1))
        self.sigmoid = nn.Sigmoid()

    def forward_once(self, x):
        return self.backbone(x)

    def forward(self, a, b):
        difference = torch.abs(self.forward_once(a) - self.forward_once(b))
        return self.sigmoid(self.fc(difference))


class APPMatcher(Dataset):
    """Pairs: even positions hold two pictures of one digit, odd positions two different digits."""

    def __init__(self, images, targets, seed):
        self.images, self.targets = images, targets
        self.groups = {d: (targets == d).nonzero().flatten().tolist() for d in range(10)}
        self.random = random.Random(seed)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        first = self.random.randrange(10)
        a = self.random.choice(self.groups[first])
        if index % 2 == 0:
            b = self.random.choice(self.groups[first])
            while b == a:
                b = self.random.choice(self.groups[first])
            target = torch.tensor(1.0)
        else:
            other = (first + self.random.randrange(1, 10)) % 10
            b = self.random.choice(self.groups[other])
            target = torch.tensor(0.0)
        return self.images[a], self.images[b], target


def train(model, loader, optimizer, criterion, epoch):
    model.train()
    total = 0.0
    for images_1, images_2, targets in loader:
        optimizer.zero_grad()
        outputs = model(images_1, images_2).squeeze()
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"Train Epoch: {epoch} loss {total / len(loader):.4f}")


def test(model, loader):
    model.eval()
    test_loss, correct = 0.0, 0
    criterion = nn.BCELoss(reduction="sum")
    with torch.no_grad():
        for images_1, images_2, targets in loader:
            outputs = model(images_1, images_2).squeeze()
            test_loss += criterion(outputs, targets).item()
            pred = torch.where(outputs > 0.5, 1, 0)
            correct += pred.eq(targets).sum().item()
    print(f"Test set: loss {test_loss / len(loader.dataset):.4f}, accuracy {correct / len(loader.dataset):.3f}")


def main():
    parser = argparse.ArgumentParser(description="Siamese network")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--gamma", type=float, default=0.85)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    targets = torch.tensor(digits.target)
    order = torch.randperm(len(images))
    train_rows, test_rows = order[:1300], order[1300:]
    train_loader = DataLoader(APPMatcher(images[train_rows], targets[train_rows], 10), args.batch_size, shuffle=True)
    test_loader = DataLoader(APPMatcher(images[test_rows], targets[test_rows], 20), 250)

    model = SiameseNetwork()
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)
    for epoch in range(1, args.epochs + 1):
        train(model, train_loader, optimizer, nn.BCELoss(), epoch)
        scheduler.step()
    test(model, test_loader)


if __name__ == "__main__":
    main()
