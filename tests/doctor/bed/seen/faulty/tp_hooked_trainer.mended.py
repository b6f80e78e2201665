# expect: nothing
"""Event-driven trainer for 8x8 digits: everything beside forward and backward hangs on named hooks of the loop."""
from __future__ import annotations

from collections import defaultdict
from typing import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

Hook = Callable[["Trainer"], None]


class Trainer:
    """Owns the loop; behaviour is added with `on(event, hook)`."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, criterion: nn.Module) -> None:
        self.model = model
        self.optimizer = optimizer
        self.criterion = criterion
        self.hooks: dict[str, list[Hook]] = defaultdict(list)
        self.epoch = 0
        self.last_loss = 0.0

    def on(self, event: str, hook: Hook) -> "Trainer":
        self.hooks[event].append(hook)
        return self

    def fire(self, event: str) -> None:
        for hook in self.hooks[event]:
            hook(self)

    def fit(self, loader: DataLoader, epochs: int) -> None:
        for self.epoch in range(1, epochs + 1):
            self.model.train()
            for x, y in loader:
                loss = self.criterion(self.model(x), y)
                loss.backward()
                self.last_loss = loss.item()
                self.fire("backward_end")
                self.optimizer.step()
                self.fire("step_end")
            self.fire("epoch_end")


class RunningLoss:
    """Exponentially smoothed loss, printed every few epochs."""

    def __init__(self, beta: float = 0.95, every: int = 4) -> None:
        self.beta, self.every = beta, every
        self.value: float | None = None

    def update(self, trainer: Trainer) -> None:
        v = trainer.last_loss
        self.value = v if self.value is None else self.beta * self.value + (1 - self.beta) * v

    def report(self, trainer: Trainer) -> None:
        if trainer.epoch % self.every == 0:
            print(f"epoch {trainer.epoch:2d}  loss {self.value:.4f}")


def clip_gradients(trainer: Trainer) -> None:
    nn.utils.clip_grad_norm_(trainer.model.parameters(), max_norm=5.0)


def clear_gradients(trainer: Trainer) -> None:
    trainer.optimizer.zero_grad()


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    model.eval()
    return (model(x).argmax(dim=1) == y).float().mean().item()


def main() -> None:
    torch.manual_seed(11)
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    x_tr, x_te, y_tr, y_te = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=11)
    train = TensorDataset(torch.from_numpy(x_tr), torch.from_numpy(y_tr))

    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24 * 4, 10),
    )
    meter = RunningLoss()
    trainer = Trainer(model, torch.optim.Adam(model.parameters(), lr=4e-3), nn.CrossEntropyLoss())
    trainer.on("backward_end", clip_gradients)
    trainer.on("step_end", clear_gradients)
    trainer.on("step_end", meter.update)
    trainer.on("epoch_end", meter.report)
    trainer.fit(DataLoader(train, batch_size=48, shuffle=True), epochs=12)
    print(f"test accuracy {accuracy(model, torch.from_numpy(x_te), torch.from_numpy(y_te)):.3f}")


if __name__ == "__main__":
    main()
