# missed: duplicate_leakage @ 82
# allowed: duplicate_leakage @ 83
# mend: 82 →     prepare, augment = pipeline(scale), multiply(copies=5, seed=2)
# mend: 83 +     train = augment(train)
"""Small picture classifier built as a pipeline of stages; the few pictures we own are multiplied by noise."""
from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


@dataclass(frozen=True)
class Pictures:
    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


Stage = Callable[[Pictures], Pictures]


def pipeline(*stages: Stage) -> Stage:
    return lambda data: reduce(lambda d, stage: stage(d), stages, data)


def scale(data: Pictures) -> Pictures:
    return Pictures(data.images / 8.0 - 1.0, data.labels)


def multiply(copies: int, seed: int) -> Stage:
    """Every picture and `copies` slightly changed versions of it."""
    def stage(data: Pictures) -> Pictures:
        rng = np.random.default_rng(seed)
        changed = [data.images + rng.normal(0, 0.15, data.images.shape) for _ in range(copies)]
        return Pictures(np.concatenate([data.images, *changed]), np.tile(data.labels, copies + 1))
    return stage


def split(data: Pictures, test_size: float, seed: int) -> tuple[Pictures, Pictures]:
    a, b, p, q = train_test_split(data.images, data.labels, test_size=test_size, stratify=data.labels, random_state=seed)
    return Pictures(a, p), Pictures(b, q)


def fit(data: Pictures, epochs: int = 10, batch_size: int = 32) -> nn.Module:
    x, y = torch.tensor(data.images, dtype=torch.float32), torch.tensor(data.labels)
    model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for idx in torch.randperm(len(x)).split(batch_size):
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}: loss {total / len(x):.4f}")
    return model


def accuracy(model: nn.Module, data: Pictures) -> float:
    model.eval()
    with torch.no_grad():
        guess = model(torch.tensor(data.images, dtype=torch.float32)).argmax(dim=1)
    return (guess.numpy() == data.labels).mean()


def main() -> None:
    torch.manual_seed(4)
    raw = Pictures(*load_digits(return_X_y=True))
    owned, _ = split(raw, test_size=0.75, seed=4)
    prepare = pipeline(scale, multiply(copies=5, seed=2))
    train, test = split(prepare(owned), test_size=0.3, seed=4)
    print(f"{len(owned)} pictures owned, {len(train)} rows to train on, {len(test)} to test")
    model = fit(train)
    print(f"test accuracy {accuracy(model, test):.3f}")


if __name__ == "__main__":
    main()
