# expect: nothing
"""Accelerate-like accumulation context; softmax only for the probabilities that are reported."""
from contextlib import contextmanager
from typing import Iterator

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Accumulator:
    def __init__(self, optimizer: torch.optim.Optimizer, steps: int, n_batches: int) -> None:
        self.optimizer, self.steps, self.n_batches, self.done = optimizer, steps, n_batches, 0

    @contextmanager
    def accumulate(self) -> Iterator[float]:
        start = self.done - self.done % self.steps
        yield 1.0 / min(self.steps, self.n_batches - start)
        self.done += 1
        if self.done % self.steps == 0 or self.done == self.n_batches:
            self.optimizer.step()
            self.optimizer.zero_grad()
        self.done %= self.n_batches


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)

    @torch.no_grad()
    def predict_proba(self, x: torch.Tensor) -> torch.Tensor:
        was_training = self.training
        self.eval()
        proba = self(x).softmax(dim=-1)
        self.train(was_training)
        return proba


def main() -> None:
    torch.manual_seed(6)
    x, y = load_digits(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x / 16.0, y, test_size=0.25, stratify=y, random_state=6)
    train = TensorDataset(torch.tensor(xtr, dtype=torch.float32), torch.tensor(ytr))
    loader = DataLoader(train, batch_size=16, shuffle=True)
    xte, yte = torch.tensor(xte, dtype=torch.float32), torch.tensor(yte)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    accumulator = Accumulator(optimizer, steps=4, n_batches=len(loader))
    for epoch in range(10):
        total = 0.0
        for xb, yb in loader:
            with accumulator.accumulate() as scale:
                loss = nn.functional.cross_entropy(model(xb), yb)
                (loss * scale).backward()
            total += loss.item()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    proba = model.predict_proba(xte)
    confidence, predicted = proba.max(dim=-1)
    print(f"test accuracy {(predicted == yte).float().mean().item():.3f} mean confidence {confidence.mean().item():.3f}")


if __name__ == "__main__":
    main()
