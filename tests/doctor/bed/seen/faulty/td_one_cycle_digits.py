# expect: scheduler_misuse @ 52
# allowed: scheduler_misuse @ 38
# allowed: scheduler_misuse @ 39
"""Digits in a few epochs with the one-cycle policy (after a blog post on super-convergence)."""
import argparse

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--max-lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()

torch.manual_seed(args.seed)

x, y = load_digits(return_X_y=True)
x = x / 16.0 - 0.3
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=args.seed)


def loader(features, labels, shuffle):
    data = TensorDataset(torch.tensor(features, dtype=torch.float32), torch.tensor(labels))
    return DataLoader(data, batch_size=args.batch_size, shuffle=shuffle)


train_loader = loader(x_train, y_train, shuffle=True)
test_loader = loader(x_test, y_test, shuffle=False)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=args.max_lr, momentum=0.9)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=args.max_lr, epochs=args.epochs, steps_per_epoch=len(train_loader),
)


def train_one_epoch():
    model.train()
    total = 0.0
    for features, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(features), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    scheduler.step()
    return total / len(train_loader.dataset)


@torch.no_grad()
def evaluate():
    model.eval()
    right = 0
    for features, labels in test_loader:
        right += (model(features).argmax(dim=1) == labels).sum().item()
    return right / len(test_loader.dataset)


for epoch in range(args.epochs):
    loss = train_one_epoch()
    rate = optimizer.param_groups[0]["lr"]
    print(f"epoch {epoch + 1}: loss {loss:.4f}, learning rate now {rate:.5f}")

print(f"test accuracy after {args.epochs} epochs: {evaluate():.4f}")
