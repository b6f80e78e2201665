"""Plain training loops in torch alone, which the engine is compared with."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

from treino.data.rows import order
from treino.engine import KERNELS
from treino.engine.kernels.lanes_library import why_missing

ENGINES = [name for name in KERNELS if name != "lanes" or why_missing() is None]  # that are here
FLOAT64 = [name for name in KERNELS if name != "lanes"]


def drawn(few, many):
    """A case of few draws, and one of many for a release; ``draws`` takes their number."""
    return pytest.mark.parametrize("draws", [few, pytest.param(many, marks=pytest.mark.release)])


def for_draws(check, draws, *strategies, **named):
    """Call ``check`` with this many draws, the same each time."""
    settings(max_examples=draws, suppress_health_check=list(HealthCheck), derandomize=True, deadline=None)(
        given(*strategies, **named)(check)
    )()


def sample(rows=24, inputs=5, classes=3, seed=0, dtype=torch.float32):
    """Rows of noise and class numbers, all classes present."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, inputs, generator=g, dtype=torch.float64).to(dtype)
    return x, torch.randint(classes, (rows,), generator=g).index_copy_(
        0, torch.arange(classes), torch.arange(classes)
    )


def same_state(one, other):
    """Whether two states of a training agree in every bit, NaN included."""

    def content(state):
        tensors = {name: (t.shape, t.dtype, t.numpy().tobytes()) for name, t in state.tensors().items()}
        return tensors, state.step, state.evaluated_step, state.epoch_loss.count, state.pending

    return content(one) == content(other)


def factor(schedule, warmup, step, steps):
    """What LambdaLR is given; the schedules as their papers have them, after a linear warm-up."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / (steps - warmup)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * share))
    if schedule == "step":
        return 0.1 ** ((share >= 0.5) + (share >= 0.75))
    if schedule == "one-cycle":
        cycle = torch.optim.lr_scheduler.OneCycleLR
        curve = cycle._annealing_cos
        return curve(1 / 25, 1.0, share / 0.3) if share < 0.3 else curve(1.0, 4e-6, (share - 0.3) / 0.7)
    return 1.0


OPTIMIZERS = {
    "sgd": lambda p, lr, wd: torch.optim.SGD(p, lr=lr, weight_decay=wd),
    "momentum": lambda p, lr, wd: torch.optim.SGD(p, lr=lr, weight_decay=wd, momentum=0.9),
    "nesterov": lambda p, lr, wd: torch.optim.SGD(p, lr=lr, weight_decay=wd, momentum=0.9, nesterov=True),
    "adam": lambda p, lr, wd: torch.optim.Adam(p, lr=lr, weight_decay=wd, betas=(0.8, 0.98), eps=1e-7),
    "adamw": lambda p, lr, wd: torch.optim.AdamW(p, lr=lr, weight_decay=wd, betas=(0.8, 0.98), eps=1e-7),
}
ARGUMENTS = {
    "sgd": {"optimizer": "sgd"},
    "momentum": {"optimizer": "sgd", "momentum": 0.9},
    "nesterov": {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    "adam": {"optimizer": "adam", "betas": (0.8, 0.98), "eps": 1e-7},
    "adamw": {"optimizer": "adamw", "betas": (0.8, 0.98), "eps": 1e-7},
}


def plain_loop(
    net: nn.Module,
    x,
    y,
    criterion,
    optimizer,
    *,
    steps,
    batch=None,
    schedule="constant",
    warmup=0,
    clip=None,
    data_seed=0,
    zero_grad=True,
    lr=0.01,
    weight_decay=0.0,
):
    """The loop as it is taught (correctly); -> the loss of every step. ``net`` is trained in place."""
    opt = OPTIMIZERS[optimizer](net.parameters(), lr, weight_decay)
    plan = torch.optim.lr_scheduler.LambdaLR(opt, lambda t: factor(schedule, warmup, t, steps))
    losses, epoch = [], 0
    net.train()
    while len(losses) < steps:
        rows = [torch.arange(len(x))] if batch is None else order(len(x), data_seed, epoch).split(batch)
        epoch += 1
        for row in rows[: steps - len(losses)]:
            if zero_grad:
                opt.zero_grad()
            loss = criterion(net(x[row]), y[row])
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(net.parameters(), clip)
            opt.step()
            plan.step()
            losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64)
