# expect: scheduler_misuse @ 69
# mend: 69 →     trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: scheduler.step())
"""Digits with an event-style engine; the learning rate follows OneCycle through a handler."""
from collections import defaultdict
from enum import Enum, auto
from typing import Callable

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Events(Enum):
    EPOCH_STARTED = auto()
    ITERATION_COMPLETED = auto()
    EPOCH_COMPLETED = auto()


class Engine:
    def __init__(self, update: Callable) -> None:
        self.update = update
        self.handlers: dict[Events, list[Callable]] = defaultdict(list)
        self.epoch, self.losses = 0, []

    def add_event_handler(self, event: Events, handler: Callable) -> None:
        self.handlers[event].append(handler)

    def _fire(self, event: Events) -> None:
        for handler in self.handlers[event]:
            handler(self)

    def run(self, loader: DataLoader, max_epochs: int) -> None:
        for self.epoch in range(1, max_epochs + 1):
            self.losses = []
            self._fire(Events.EPOCH_STARTED)
            for batch in loader:
                self.losses.append(self.update(batch))
                self._fire(Events.ITERATION_COMPLETED)
            self._fire(Events.EPOCH_COMPLETED)


def main(epochs: int = 12) -> None:
    torch.manual_seed(3)
    x, y = load_digits(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x / 16.0, y, test_size=0.25, stratify=y, random_state=3)
    train = TensorDataset(torch.tensor(xtr, dtype=torch.float32), torch.tensor(ytr))
    loader = DataLoader(train, batch_size=64, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, epochs=epochs, steps_per_epoch=len(loader))

    def update(batch) -> float:
        xb, yb = batch
        loss = nn.functional.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    def log(engine: Engine) -> None:
        if engine.epoch % 3 == 0:
            lr = optimizer.param_groups[0]["lr"]
            print(f"epoch {engine.epoch:2d} lr {lr:.5f} loss {sum(engine.losses) / len(engine.losses):.4f}")

    trainer = Engine(update)
    trainer.add_event_handler(Events.EPOCH_STARTED, lambda engine: model.train())
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: scheduler.step())
    trainer.add_event_handler(Events.EPOCH_COMPLETED, log)
    trainer.run(loader, max_epochs=epochs)

    model.eval()
    with torch.no_grad():
        accuracy = (model(torch.tensor(xte, dtype=torch.float32)).argmax(1) == torch.tensor(yte)).float().mean()
    print(f"test accuracy {accuracy.item():.3f}")


if __name__ == "__main__":
    main()
