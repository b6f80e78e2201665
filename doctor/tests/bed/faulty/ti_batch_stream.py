# expect: seed_reset_each_epoch @ 65
# allowed: seed_reset_each_epoch @ 44
# mend: 65 →         for x, y in stream(x_train, y_train, config.batch_size, config.noise, config.seed + epoch):
"""Handwritten digits with a functional training loop: explicit generators, explicit parameters, no hidden state."""
from typing import Iterator, NamedTuple

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor


class Config(NamedTuple):
    seed: int = 7
    epochs: int = 12
    batch_size: int = 40
    hidden: int = 64
    lr: float = 0.25
    noise: float = 0.05


class Params(NamedTuple):
    w1: Tensor
    b1: Tensor
    w2: Tensor
    b2: Tensor


def init(config: Config) -> Params:
    gen = torch.Generator().manual_seed(config.seed)
    w1 = torch.randn(64, config.hidden, generator=gen) * (2 / 64) ** 0.5
    w2 = torch.randn(config.hidden, 10, generator=gen) * (1 / config.hidden) ** 0.5
    raw = (w1, torch.zeros(config.hidden), w2, torch.zeros(10))
    return Params(*(t.requires_grad_() for t in raw))


def logits(p: Params, x: Tensor) -> Tensor:
    return F.relu(x @ p.w1 + p.b1) @ p.w2 + p.b2


def stream(x: Tensor, y: Tensor, batch_size: int, noise: float, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """One pass over the rows in a random order, with pixel noise drawn from the same generator."""
    gen = torch.Generator().manual_seed(seed)
    for idx in torch.randperm(len(x), generator=gen).split(batch_size):
        batch = x[idx]
        yield batch + noise * torch.randn(batch.shape, generator=gen), y[idx]


def sgd(p: Params, grads: tuple[Tensor, ...], lr: float) -> None:
    with torch.no_grad():
        for t, g in zip(p, grads):
            t -= lr * g


def main(config: Config = Config()) -> None:
    images, digits = load_digits(return_X_y=True)
    parts = train_test_split(images / 16.0 - 0.3, digits, test_size=0.25, stratify=digits, random_state=config.seed)
    x_train, x_test = (torch.tensor(a, dtype=torch.float32) for a in parts[:2])
    y_train, y_test = (torch.tensor(a) for a in parts[2:])

    p = init(config)
    for epoch in range(config.epochs):
        total = 0.0
        for x, y in stream(x_train, y_train, config.batch_size, config.noise, config.seed):
            loss = F.cross_entropy(logits(p, x), y)
            sgd(p, torch.autograd.grad(loss, p), config.lr)
            total += loss.item() * len(y)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  loss {total / len(x_train):.4f}")

    with torch.no_grad():
        predicted = logits(p, x_test).argmax(dim=1)
    print(f"test accuracy {(predicted == y_test).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
