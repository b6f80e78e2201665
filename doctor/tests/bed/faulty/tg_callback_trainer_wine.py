# expect: grad_cleared_before_step @ 21
# mend: 21 →     def on_batch_start(self, t: "Trainer") -> None:
"""Callback-driven trainer (hooks around each batch and epoch) on the wine data."""
from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class Callback:
    def on_batch_start(self, t: "Trainer") -> None: ...
    def on_backward_end(self, t: "Trainer") -> None: ...
    def on_epoch_end(self, t: "Trainer") -> None: ...


class ZeroGrad(Callback):
    def on_backward_end(self, t: "Trainer") -> None:
        t.optimizer.zero_grad()


class Progress(Callback):
    def __init__(self, every: int) -> None:
        self.every = every

    def on_epoch_end(self, t: "Trainer") -> None:
        if (t.epoch + 1) % self.every == 0:
            print(f"[{t.epoch + 1:3d}] loss={t.epoch_loss:.4f}")


class Trainer:
    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, callbacks: list[Callback]) -> None:
        self.model, self.optimizer, self.callbacks = model, optimizer, callbacks
        self.criterion = nn.CrossEntropyLoss()
        self.epoch, self.epoch_loss = 0, 0.0

    def fire(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def fit(self, loader: DataLoader, epochs: int) -> None:
        for self.epoch in range(epochs):
            self.model.train()
            running = 0.0
            for xb, yb in loader:
                self.fire("on_batch_start")
                loss = self.criterion(self.model(xb), yb)
                loss.backward()
                self.fire("on_backward_end")
                self.optimizer.step()
                running += loss.item() * len(xb)
            self.epoch_loss = running / len(loader.dataset)
            self.fire("on_epoch_end")

    @torch.inference_mode()
    def score(self, x: torch.Tensor, y: torch.Tensor) -> float:
        self.model.eval()
        return (self.model(x).argmax(dim=1) == y).float().mean().item()


def main() -> None:
    torch.manual_seed(1)
    x, y = load_wine(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.3, stratify=y, random_state=1)
    scaler = StandardScaler().fit(xtr)
    xtr, xte = (torch.tensor(scaler.transform(a), dtype=torch.float32) for a in (xtr, xte))
    ytr, yte = torch.tensor(ytr), torch.tensor(yte)

    model = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    trainer = Trainer(model, optimizer, [ZeroGrad(), Progress(10)])
    trainer.fit(DataLoader(TensorDataset(xtr, ytr), batch_size=16, shuffle=True), epochs=30)
    print(f"test accuracy {trainer.score(xte, yte):.3f}")


if __name__ == "__main__":
    main()
