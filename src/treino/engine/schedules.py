"""The registry of schedules: the factor of the learning rate at each step."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from treino.base.registry import Registry


@dataclass(frozen=True)
class Schedule:
    """A schedule. factor(progress): the factor of the learning rate for progress in [0, 1).

    about: its description. source: the factor as an expression in ``progress`` (and ``math``), for exported
    scripts; its further lines are indented as in a function. of_steps(step, steps): the factor at a step, for
    a schedule that isn't a function of progress.
    """

    factor: Callable[[float], float]
    about: str
    source: str
    of_steps: Callable[[int, int], float] | None = None


SCHEDULES: Registry[Schedule] = Registry(
    {
        "constant": Schedule(lambda progress: 1.0, "the same rate throughout", "1.0"),
        "cosine": Schedule(
            lambda progress: (1 + math.cos(math.pi * progress)) / 2,  # one half wave without restarts
            "half a cosine wave to 0 (Loshchilov & Hutter 2017)",
            "(1 + math.cos(math.pi * progress)) / 2",
        ),
        "step": Schedule(  # He et al. 2016 on CIFAR
            lambda progress: 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01,
            "a tenth from one half on, a hundredth from three quarters",
            "1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01",
        ),
        "one-cycle": Schedule(  # torch.optim.lr_scheduler.OneCycleLR without its cycle of momentum
            lambda progress: (
                0.52 - 0.48 * math.cos(math.pi * progress / 0.3)
                if progress < 0.3
                else 0.500002 + 0.499998 * math.cos(math.pi * (progress - 0.3) / 0.7)
            ),
            "up from a 25th over three tenths, then down to almost 0, in half cosine waves "
            "(Smith & Topin 2018)",
            """(
        0.52 - 0.48 * math.cos(math.pi * progress / 0.3)
        if progress < 0.3
        else 0.500002 + 0.499998 * math.cos(math.pi * (progress - 0.3) / 0.7)
    )""",
        ),
    },
    "treino.engine.own_schedules",
)


def scale(schedule: str, warmup: int, step: int, steps: int) -> float:
    """The factor for the update after ``step`` updates, out of ``steps`` planned ones.

    Warm-up rises linearly to 1 at update number ``warmup``; the schedule covers the steps after it.
    Computed with Python floats: vectorised functions round differently by array length.
    """
    if step < warmup:
        return (step + 1) / warmup
    entry = SCHEDULES[schedule]
    if entry.of_steps is not None:
        return entry.of_steps(step - warmup, steps - warmup)
    return entry.factor((step - warmup) / max(1, steps - warmup))
