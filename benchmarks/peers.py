"""The hand-written PyTorch loops that treino is compared with, with the data in memory."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

Stepper = Callable[[], int]
CALL_PRODUCTS = 10_000_000_000  # of a call of a compiled peer: about a second of a core


def products(sizes: Sequence[int], rows: int) -> int:
    """Multiply-adds of a step's passes: the first layer has none down to its inputs."""
    return rows * sum((3 if layer else 2) * a * b for layer, (a, b) in enumerate(itertools.pairwise(sizes)))


def steps_of_a_call(sizes: Sequence[int], rows: int, members: int) -> int:
    """How many steps of so many networks one call takes: 20 to 1,000, about a second, so that a call itself
    costs nothing.
    """
    return min(1000, max(20, CALL_PRODUCTS // (members * products(sizes, rows))))


def network(sizes: list[int]) -> nn.Sequential:
    """Linear layers of those sizes with ReLU between them."""
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def eager(x: Tensor, y_N: Tensor, net: nn.Module, batch_size: int | None, lr: float) -> Stepper:
    """An eager loop with ``Adam(fused=True)``; each call takes a few steps and says how many.

    It keeps no losses and evaluates nothing: nothing that could be left out is in it. x: ``[N, ...]``; its
    memory format is the batches' too.
    """
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, fused=True)
    stream = batches(x, y_N, batch_size)

    def some(steps: int = 2) -> int:
        for _step in range(steps):
            x, y = next(stream)
            optimizer.zero_grad()
            criterion(net(x), y).backward()
            optimizer.step()
        return steps

    return some


def vmapped(x: Tensor, y_N: Tensor, nets: Sequence[nn.Module], batch_size: int | None, lr: float) -> Stepper:
    """Networks of one kind side by side by ``torch.func.vmap``, a batch for all, with fused Adam; each call
    takes a step of each and says how many.
    """
    from torch.func import functional_call, grad, stack_module_state, vmap

    params = {name: p.detach() for name, p in stack_module_state(list(nets))[0].items()}  # type: ignore[no-untyped-call]
    optimizer = torch.optim.Adam(list(params.values()), lr=lr, fused=True)
    criterion = nn.CrossEntropyLoss()

    def loss(params: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        value: Tensor = criterion(functional_call(nets[0], params, (x,)), y)
        return value

    grads = vmap(grad(loss), in_dims=(0, None, None))
    stream = batches(x, y_N, batch_size)

    def some() -> int:
        slopes = grads(params, *next(stream))
        for name, p in params.items():
            p.grad = slopes[name]
        optimizer.step()
        return len(nets)

    return some


def orders(rows: int, batch_size: int) -> Iterator[Tensor]:
    """The rows of each batch, of one epoch after the other, for ever."""
    while True:
        yield from torch.randperm(rows).split(batch_size)


def batches(x: Tensor, y_N: Tensor, batch_size: int | None) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of the rows, for ever; without a size, all rows."""
    last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    layout = torch.channels_last if last else torch.contiguous_format
    if batch_size is None:
        yield from itertools.repeat((x, y_N))
        return
    for index in orders(len(x), batch_size):
        yield x[index].contiguous(memory_format=layout), y_N[index]
