# missed: grad_cleared_before_step @ 92
# mend: 92 →     bus.on("batch_started", optimizer.zero_grad)
"""Wine cultivars with a tiny event-driven trainer: every step of the loop is a subscriber on a bus."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Callable

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Settings:
    seed: int = 11
    batch_size: int = 16
    epochs: int = 25
    lr: float = 0.05


class EventBus:
    def __init__(self) -> None:
        self._handlers: dict[str, list[Callable]] = defaultdict(list)

    def on(self, event: str, handler: Callable) -> "EventBus":
        self._handlers[event].append(handler)
        return self

    def emit(self, event: str, **payload) -> None:
        for handler in self._handlers[event]:
            handler(**payload)


@dataclass
class History:
    losses: list[float] = field(default_factory=list)

    def record(self, loss: float) -> None:
        self.losses.append(loss)


class Loop:
    """Knows the order of the events, and nothing of what listens to them."""

    def __init__(self, model: nn.Module, loss_fn: nn.Module, bus: EventBus) -> None:
        self.model, self.loss_fn, self.bus = model, loss_fn, bus

    def run(self, loader: DataLoader, epochs: int) -> None:
        self.model.train()
        for _ in range(epochs):
            running = 0.0
            for features, labels in loader:
                self.bus.emit("batch_started")
                loss = self.loss_fn(self.model(features), labels)
                loss.backward()
                self.bus.emit("backward_done")
                running += loss.item() * len(labels)
            self.bus.emit("epoch_done", loss=running / len(loader.dataset))


def load(settings: Settings):
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.3, stratify=y, random_state=settings.seed
    )
    scaler = StandardScaler().fit(x_train)
    as_set = lambda a, b: TensorDataset(torch.tensor(scaler.transform(a)).float(), torch.tensor(b))
    return as_set(x_train, y_train), as_set(x_test, y_test)


def accuracy(model: nn.Module, data: TensorDataset) -> float:
    model.eval()
    with torch.no_grad():
        features, labels = data.tensors
        return (model(features).argmax(dim=1) == labels).float().mean().item()


def main() -> None:
    settings = Settings()
    torch.manual_seed(settings.seed)
    train_set, test_set = load(settings)
    model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=settings.lr, momentum=0.9)
    history = History()

    bus = EventBus()
    bus.on("backward_done", optimizer.zero_grad)
    bus.on("backward_done", optimizer.step)
    bus.on("epoch_done", history.record)

    loader = DataLoader(train_set, batch_size=settings.batch_size, shuffle=True)
    Loop(model, nn.CrossEntropyLoss(), bus).run(loader, settings.epochs)
    print(f"loss {history.losses[0]:.3f} -> {history.losses[-1]:.3f}")
    print(f"test accuracy {accuracy(model, test_set):.3f}")


if __name__ == "__main__":
    main()
