"""The registry of schedules: what the learning rate is multiplied with at each step."""

import math
from collections.abc import Callable

SCHEDULES: dict[str, Callable[[float], float]] = {
    # progress in [0, 1) -> factor
    "constant": lambda progress: 1.0,
    # Loshchilov & Hutter 2017, one half wave without restarts
    "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
    # a tenth from one half of the steps on, a hundredth from three quarters on: He et al. 2016 on CIFAR
    "step": lambda progress: 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01,
}


def scale(schedule: str, warmup: int, step: int, steps: int) -> float:
    """The factor for the update that follows ``step`` updates, of ``steps`` planned ones.

    Warm-up: a line that reaches 1 with update number ``warmup``; the schedule takes the steps after it.
    Computed with Python's floats one by one: vectors of them round differently by their length.
    """
    if step < warmup:
        return (step + 1) / warmup
    return SCHEDULES[schedule]((step - warmup) / max(1, steps - warmup))
