"""Seconds of a step with a loss of one's own, alone and in a population, against torch's loop with it."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import treino
from benchmarks.result import Result, Table
from benchmarks.timing import budget, for_seconds, interleaved, microseconds, ratio, threads, wall

MEMBERS = 256
ALONE = 1.2  # of torch's own loop, at most
TOGETHER = 5.0  # eager members one after another / treino, at least
ROWS, COLUMNS, CLASSES, BATCH = 2000, 20, 5, 32


def own_loss(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy, written out."""
    return -F.log_softmax(output, -1).gather(1, target.unsqueeze(1)).mean()


def run(quick: bool) -> Result:
    rounds, seconds, members = (2, 0.05, 32) if quick else (15, 0.4, MEMBERS)
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(ROWS, COLUMNS, generator=draw), torch.randint(0, CLASSES, (ROWS,), generator=draw)
    with threads(1):
        works = {
            "torch": for_seconds(seconds, _eager(x, y)),
            "treino's layers": for_seconds(seconds, _treino(x, y, treino.mlp(64, 32), 1)),
            "an nn.Module": for_seconds(seconds, _treino(x, y, _network(), 1)),
            "population": for_seconds(seconds, _treino(x, y, treino.mlp(64, 32), members)),
        }
        found = interleaved(works, rounds)
    rows, figures = [], {}
    for name in ("treino's layers", "an nn.Module"):
        value = ratio(found, name, "torch")
        figures[name.split()[-1]] = round(value, 3)
        rows.append(
            (name, microseconds(wall(found, name)), f"{value:.2f}", *budget(value, ALONE, at_most=True))
        )
    value = members / ratio(found, "population", "torch")
    figures["population"] = round(value, 2)
    many = (
        f"{members} networks",
        microseconds(wall(found, "population")),
        f"{value:.1f}",
        *budget(value, TOGETHER, at_most=False),
    )
    return Result(
        (
            Table(
                "one network, one step", ("network", "µs", "/ torch's loop", "budget", "kept"), tuple(rows)
            ),
            Table(
                "a population, one step of all", ("", "µs", "× eager, one by one", "budget", "kept"), (many,)
            ),
        ),
        f"{ROWS} rows of {COLUMNS} numbers, {CLASSES} classes, {COLUMNS}-64-32-{CLASSES}, Adam, batches of "
        f"{BATCH}, the loss log_softmax and gather, written as a function; one thread. torch's loop takes "
        f"{microseconds(wall(found, 'torch'))} µs a step. Medians of {rounds} interleaved rounds of "
        f"{seconds:g} s.",
        figures=figures,
    )


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Linear(COLUMNS, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, CLASSES)
    )


def _eager(x: Tensor, y: Tensor) -> Callable[[], float]:
    net = _network()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)

    def batches() -> Iterator[Tensor]:
        while True:
            yield from torch.randperm(ROWS).split(BATCH)

    every = batches()

    def step() -> float:
        batch = next(every)
        optimizer.zero_grad()
        own_loss(net(x[batch]), y[batch]).backward()
        optimizer.step()
        return 1

    return step


def _treino(x: Tensor, y: Tensor, net: Any, members: int) -> Callable[[], float]:
    training = treino.train(
        (x, y), net, loss=own_loss, lr=1e-3, batch_size=BATCH, epochs=100_000, seeds=range(members), threads=1
    )

    def steps() -> float:
        before = training.step
        training.advance(20)
        return training.step - before

    return steps
