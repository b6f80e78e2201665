# expect: symmetric_init @ 21
"""Digits with a stateless MLP: parameters are plain nested dicts, gradients come from torch.func (ported from JAX)."""
from typing import Any, Iterator

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.func import grad_and_value
from torch.utils._pytree import tree_map

Params = list[dict[str, Tensor]]
SIZES = (64, 64, 32, 10)


def init_params(sizes: tuple[int, ...]) -> Params:
    params = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
        params.append({
            "w": torch.ones(fan_in, fan_out) / fan_in,
            "b": torch.zeros(fan_out),
        })
    return params


def apply(params: Params, x: Tensor) -> Tensor:
    *hidden, last = params
    for layer in hidden:
        x = torch.tanh(x @ layer["w"] + layer["b"])
    return x @ last["w"] + last["b"]


def loss_fn(params: Params, x: Tensor, y: Tensor) -> Tensor:
    l2 = sum((layer["w"] ** 2).sum() for layer in params)
    return F.cross_entropy(apply(params, x), y) + 1e-4 * l2


def momentum_sgd(lr: float, beta: float = 0.9):
    """An (init, update) pair in the manner of optax."""

    def init(params: Params) -> Any:
        return tree_map(torch.zeros_like, params)

    def update(grads: Params, velocity: Any, params: Params) -> tuple[Params, Any]:
        velocity = tree_map(lambda v, g: beta * v + g, velocity, grads)
        return tree_map(lambda p, v: p - lr * v, params, velocity), velocity

    return init, update


def batches(x: Tensor, y: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for index in torch.randperm(len(x)).split(size):
        yield x[index], y[index]


def accuracy(params: Params, x: Tensor, y: Tensor) -> float:
    return (apply(params, x).argmax(-1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(8)
    data, target = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        torch.tensor(data, dtype=torch.float32) / 8.0 - 1.0, torch.tensor(target),
        test_size=0.25, stratify=target, random_state=8,
    )
    params = init_params(SIZES)
    opt_init, opt_update = momentum_sgd(lr=0.05)
    opt_state = opt_init(params)
    step = grad_and_value(loss_fn)
    for epoch in range(1, 26):
        total = 0.0
        for xb, yb in batches(x_train, y_train, 64):
            grads, value = step(params, xb, yb)
            params, opt_state = opt_update(grads, opt_state, params)
            total += value.item() * len(xb)
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  loss {total / len(x_train):.4f}")
    print(f"test accuracy {accuracy(params, x_test, y_test):.3f}")
