"""The test problem: rows, a network with batch norm and dropout, and the engine's training on them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from treino.engine import HashDropout, dropout_keys, fork_rng, generator, replace_dropout, train

ROWS = {"train": 21, "test": 15}  # the last batch is short: means over rows and over batches differ
BATCH = {"train": 8, "test": 6}
STEPS = 3  # in an epoch
EPOCHS = 2
INPUTS, HIDDEN, CLASSES = 4, 8, 3
LR = 0.5
RATE = 0.25
SEED = 7

State = dict[str, Tensor]


class EndlessError(RuntimeError):
    """The function iterated over the loader again and again, in a loop that would not end."""


class Loader(DataLoader):
    """A DataLoader in the rows' own order that counts what it hands out."""

    def __init__(self, x_ND: Tensor, y_N: Tensor, batch_size: int) -> None:
        super().__init__(TensorDataset(x_ND, y_N), batch_size=batch_size)
        self.handed = 0

    def __iter__(self) -> Any:
        for batch in super().__iter__():
            if self.handed >= 10 * len(self):
                raise EndlessError
            self.handed += 1
            for tensor in batch:
                tensor.on_host = True  # until it is moved: ``placement.py``
            yield batch


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows x ``[N, 4]`` and classes y ``[N]`` of both modes, and a network with its first weights."""

    dtype: torch.dtype
    x: dict[str, Tensor]
    y: dict[str, Tensor]
    start: nn.Module

    def loader(self, mode: str) -> Loader:
        return Loader(self.x[mode], self.y[mode], BATCH[mode])

    def batch(self, mode: str, number: int) -> tuple[Tensor, Tensor]:
        at = slice(number * BATCH[mode], (number + 1) * BATCH[mode])
        return self.x[mode][at], self.y[mode][at]

    def net(self, state: State | None = None) -> tuple[nn.Module, list[HashDropout]]:
        """A copy of the network whose dropout draws the engine's masks, in evaluation mode."""
        net = _net().to(self.dtype)
        net.load_state_dict(self.start.state_dict() if state is None else state)
        return net.eval(), replace_dropout(net)


@dataclass(frozen=True, eq=False)
class Answer:
    """The engine's training. states: the weights after 0, 1, … steps. train: the loss of every step,
    test: the loss of every batch of test rows after each epoch."""

    states: list[State]
    train: list[float]
    test: list[list[float]]


def problem(dtype: torch.dtype) -> Problem:
    draw = generator(SEED, "exercise")
    x, y = {}, {}
    with fork_rng(SEED):
        start = _net()
    centre_CD = torch.randn(CLASSES, INPUTS, generator=draw, dtype=torch.float64)
    for mode, rows in ROWS.items():
        y[mode] = torch.arange(rows) % CLASSES
        noise_ND = torch.randn(rows, INPUTS, generator=draw, dtype=torch.float64)
        x[mode] = (centre_CD[y[mode]] + noise_ND).to(dtype)
    return Problem(dtype, x, y, start.to(dtype))


def keyed(drops: list[HashDropout], step: int) -> None:
    """Give these layers the masks that the engine draws for the step (from 0 on)."""
    a, b = dropout_keys(torch.tensor([SEED]), len(drops), step, 1)
    for drop, key in zip(drops, zip(a.flatten().tolist(), b.flatten().tolist(), strict=True), strict=True):
        drop.begin(key)


def engine_s(tried: Problem) -> Answer:
    loop: dict[str, Any] = {"batch_size": BATCH["train"], "epochs": EPOCHS, "shuffle": "off", "lr": LR}
    how: dict[str, Any] = {"engine": "module", "every": 1, "keep": "last", "dtype": tried.dtype}
    rows = tried.x["train"], tried.y["train"]
    training = train(rows, tried.start, optimizer="sgd", seeds=(SEED,), **loop, **how)
    answer = Answer([copied(tried.start)], [], [])
    criterion = nn.CrossEntropyLoss()
    for tick in training:
        net = tick.net
        answer.states.append(copied(net))
        answer.train.append(float(tick.loss_SP[-1, 0]))
        if tick.step % STEPS == 0:
            with torch.no_grad():
                batches = [tried.batch("test", number) for number in range(STEPS)]
                answer.test.append([float(criterion(net(x), y)) for x, y in batches])
    return answer


def copied(net: nn.Module) -> State:
    return {name: t.detach().clone() for name, t in net.state_dict().items()}


def _net() -> nn.Module:
    return nn.Sequential(
        nn.Linear(INPUTS, HIDDEN),
        nn.BatchNorm1d(HIDDEN),
        nn.ReLU(),
        nn.Dropout(RATE),
        nn.Linear(HIDDEN, CLASSES),
    )
