"""The hand-written PyTorch loops that treino is compared with, with the data in memory."""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

Stepper = Callable[[], int]


def network(sizes: list[int]) -> nn.Sequential:
    """Linear layers of those sizes with ReLU between them."""
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def eager(x_ND: Tensor, y_N: Tensor, sizes: list[int], batch_size: int | None, lr: float) -> Stepper:
    """An eager loop with ``Adam(fused=True)``; each call takes a few steps and says how many.

    It keeps no losses and evaluates nothing: nothing that could be left out is in it.
    """
    net, criterion = network(sizes), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, fused=True)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            if batch_size is None:
                yield x_ND, y_N
            else:
                for index in torch.randperm(len(x_ND)).split(batch_size):
                    yield x_ND[index], y_N[index]

    stream = batches()

    def some(steps: int = 2) -> int:
        for _step in range(steps):
            x, y = next(stream)
            optimizer.zero_grad()
            criterion(net(x), y).backward()
            optimizer.step()
        return steps

    return some
