"""The registry of schedules: what the learning rate is multiplied with at each step."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """factor(progress): progress in [0, 1) -> what the learning rate is multiplied with.

    about: what it does. source: the same factor as an expression of ``progress`` (and of
    ``math``), for scripts without treino.
    """

    factor: Callable[[float], float]
    about: str
    source: str


SCHEDULES: dict[str, Schedule] = {
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
}


def scale(schedule: str, warmup: int, step: int, steps: int) -> float:
    """The factor for the update that follows ``step`` updates, of ``steps`` planned ones.

    Warm-up: a line that reaches 1 with update number ``warmup``; the schedule takes the steps after it.
    Computed with Python's floats one by one: vectors of them round differently by their length.
    """
    if step < warmup:
        return (step + 1) / warmup
    return SCHEDULES[schedule].factor((step - warmup) / max(1, steps - warmup))
