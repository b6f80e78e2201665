# missed: unshuffled_sorted @ 48
# mend: 48 →     train_loader = DataLoader(Export(x_tr, y_tr), batch_size, shuffle=True)
"""Fits the symbol reader from the warehouse export (ORDER BY symbol, image_id)."""
import logging
from typing import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="")
log = logging.getLogger("reader")

EPOCHS = 6
BATCH = 32
LR = 0.05


class Export(Dataset):
    """Rows as the warehouse hands them over: one symbol after the other."""

    def __init__(self, images: np.ndarray, symbols: np.ndarray) -> None:
        order = np.argsort(symbols, kind="stable")
        self.images = torch.tensor(images[order] / 16.0 - 0.3, dtype=torch.float32).unsqueeze(1)
        self.symbols = torch.tensor(symbols[order])

    def __len__(self) -> int:
        return len(self.symbols)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images[index], self.symbols[index]


def make_model() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 48), nn.ReLU(), nn.Linear(48, 10),
    )


def make_loaders(batch_size: int) -> tuple[DataLoader, DataLoader]:
    digits = load_digits()
    x_tr, x_te, y_tr, y_te = train_test_split(
        digits.images, digits.target, test_size=0.25, stratify=digits.target, random_state=0)
    train_loader = DataLoader(Export(x_tr, y_tr), batch_size)
    test_loader = DataLoader(Export(x_te, y_te), 256)
    return train_loader, test_loader


def make_step(model: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[..., float]:
    criterion = nn.CrossEntropyLoss()

    def step(images: torch.Tensor, symbols: torch.Tensor) -> float:
        model.train()
        optimizer.zero_grad()
        loss = criterion(model(images), symbols)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    right, rows = 0, 0
    with torch.inference_mode():
        for images, symbols in loader:
            right += int((model(images).argmax(1) == symbols).sum())
            rows += len(symbols)
    return right / rows


def main() -> None:
    torch.manual_seed(42)
    train_loader, test_loader = make_loaders(BATCH)
    model = make_model()
    step = make_step(model, torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9))
    for epoch in range(EPOCHS):
        losses = [step(images, symbols) for images, symbols in train_loader]
        log.info("epoch %d loss %.4f", epoch, np.mean(losses))
    print(f"test accuracy {accuracy(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
