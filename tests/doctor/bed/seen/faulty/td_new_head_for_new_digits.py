# expect: params_not_in_optimizer @ 78
# allowed: params_not_in_optimizer @ 79
"""Transfer in two stages: learn the digits 0-4, then adapt the same trunk with a new head to the digits 5-9."""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass
class Stage:
    name: str
    epochs: int
    lr: float
    batch_size: int = 32


class Net(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )
        self.head = nn.Linear(24 * 2 * 2, n_classes)

    def forward(self, x):
        return self.head(self.trunk(x))

    def replace_head(self, n_classes):
        self.head = nn.Linear(self.head.in_features, n_classes)


def load(classes):
    data = load_digits()
    keep = [i for i, t in enumerate(data.target) if t in classes]
    x = torch.tensor(data.images[keep], dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(data.target[keep]) - min(classes)
    return train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)


def make_optimizer(model, lr):
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW([{"params": decay, "weight_decay": 1e-4}, {"params": plain, "weight_decay": 0.0}], lr=lr)


def fit(model, optimizer, x, y, stage):
    for epoch in range(stage.epochs):
        model.train()
        for idx in torch.randperm(len(x)).split(stage.batch_size):
            loss = F.cross_entropy(model(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"[{stage.name}] epoch {epoch + 1} last loss {loss.item():.3f}")


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(11)
    first, second = Stage("digits 0-4", 6, 3e-3), Stage("digits 5-9", 6, 2e-3)
    model = Net(5)

    x_train, x_test, y_train, y_test = load(range(0, 5))
    fit(model, make_optimizer(model, first.lr), x_train, y_train, first)
    print(f"{first.name}: test accuracy {accuracy(model, x_test, y_test):.3f}")

    x_train, x_test, y_train, y_test = load(range(5, 10))
    optimizer = make_optimizer(model, second.lr)
    model.replace_head(5)
    fit(model, optimizer, x_train, y_train, second)
    print(f"{second.name}: test accuracy {accuracy(model, x_test, y_test):.3f}")


if __name__ == "__main__":
    main()
