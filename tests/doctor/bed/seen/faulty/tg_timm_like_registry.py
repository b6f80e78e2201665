# expect: softmax_before_cross_entropy @ 50
# allowed: softmax_before_cross_entropy @ 31
"""Model registry and create_model(), timm fashion, training a small ConvNet on the 8x8 digits."""
import argparse
from typing import Callable, Dict

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

_REGISTRY: Dict[str, Callable[..., nn.Module]] = {}


def register_model(fn: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    _REGISTRY[fn.__name__] = fn
    return fn


def create_model(name: str, **kwargs) -> nn.Module:
    return _REGISTRY[name](**kwargs)


class ClassifierHead(nn.Module):
    def __init__(self, in_features: int, num_classes: int, drop: float = 0.0, act: str = "") -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.drop = nn.Dropout(drop)
        self.fc = nn.Linear(in_features * 4, num_classes)
        self.act = nn.Softmax(dim=1) if act == "softmax" else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.fc(self.drop(self.pool(x).flatten(1))))


class TinyConvNet(nn.Module):
    def __init__(self, width: int, num_classes: int, drop: float, head_act: str) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.stage = nn.Sequential(nn.Conv2d(width, 2 * width, 3, padding=1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU())
        self.head = ClassifierHead(2 * width, num_classes, drop, head_act)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stage(self.stem(x)))


@register_model
def tinyconv_s(num_classes: int = 10, drop: float = 0.1) -> nn.Module:
    return TinyConvNet(12, num_classes, drop, head_act="softmax")


@register_model
def tinyconv_xs(num_classes: int = 10, drop: float = 0.0) -> nn.Module:
    return TinyConvNet(6, num_classes, drop, head_act="")


def train_one_epoch(model, loader, loss_fn, optimizer) -> float:
    model.train()
    total = 0.0
    for images, target in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(images), target)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def validate(model, loader) -> float:
    model.eval()
    correct = sum((model(images).argmax(1) == target).sum().item() for images, target in loader)
    return 100.0 * correct / len(loader.dataset)


def main() -> None:
    parser = argparse.ArgumentParser(description="tiny image training")
    parser.add_argument("--model", default="tinyconv_s")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    digits = load_digits()
    tr, te = train_test_split(range(len(digits.target)), test_size=0.25, stratify=digits.target, random_state=args.seed)
    images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
    target = torch.tensor(digits.target)
    train = DataLoader(TensorDataset(images[tr], target[tr]), batch_size=64, shuffle=True, drop_last=True)
    test = DataLoader(TensorDataset(images[te], target[te]), batch_size=256)
    model = create_model(args.model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-4)
    for epoch in range(args.epochs):
        print(f"Train: {epoch} loss {train_one_epoch(model, train, nn.CrossEntropyLoss(), optimizer):.4f}")
    print(f"Test: top-1 {validate(model, test):.2f}")


if __name__ == "__main__":
    main()
