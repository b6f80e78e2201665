"""Schedules beside treino's own: functions of (step, steps), and classes of ``torch.optim.lr_scheduler``."""

import inspect
import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import torch

from treino.base.apps import of_packages
from treino.base.errors import Refusal, cause
from treino.base.own_calls import check_repeatable, own_call
from treino.base.own_objects import called_by, is_kept, is_own, kept
from treino.engine.rng import fork_rng
from treino.engine.schedules import SCHEDULES, Schedule

OWN_SCHEDULE_FAILS = Refusal(
    "The schedule {name} fails at step {step} of {steps}: {cause}",
    "Give a function of (step, steps) that returns the factor of the learning rate; or a class of"
    " torch.optim.lr_scheduler, its arguments by functools.partial.",
)
OWN_SCHEDULE_FACTOR = Refusal(
    "The schedule {name} gives {value!r} at step {step} of {steps}; a factor is a number of at least 0.",
    "Return a number, such as 1 - step / steps.",
)
LENGTHS = "total_steps", "T_max", "total_iters"
"""Arguments of torch's schedulers that are the training's length where they are left open."""


def entry(name: str) -> Schedule | None:
    """The schedule of this name: of torch, of another package, or the user's own."""
    about = "a function of the step and the number of steps"
    if is_own(name):
        value = kept(name) if is_kept(name) else None
        return Schedule(_unknown, about, "", partial(_factor, name, value))
    value = getattr(torch.optim.lr_scheduler, name, None) if name[:1].isupper() else None
    value = of_packages("schedule", name) if value is None else value
    return None if value is None else Schedule(_unknown, about, "", partial(_factor, name, value))


def _unknown(progress: float) -> float:
    raise AssertionError("a schedule of steps")


def _factor(name: str, value: Any, step: int, steps: int) -> float:
    """The factor at this step."""
    value = kept(name) if value is None else value
    with (
        fork_rng(0),
        own_call(lambda error: OWN_SCHEDULE_FAILS(name=name, step=step, steps=steps, cause=cause(error))),
    ):
        factor = _table(value, steps)[step] if _is_scheduler(value) else value(step, steps)
        number = float(factor)
    if not math.isfinite(number) or number < 0:
        raise OWN_SCHEDULE_FACTOR(name=name, value=factor, step=step, steps=steps)
    return number


def _is_scheduler(value: Any) -> bool:
    value = called_by(value)
    return inspect.isclass(value) and issubclass(value, torch.optim.lr_scheduler.LRScheduler)


@lru_cache(maxsize=32)
def _table(scheduler: Callable[..., Any], steps: int) -> tuple[float, ...]:
    """The factor at each step, as torch's scheduler sets it when it is called after every update."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    open_ones = inspect.signature(scheduler).parameters
    set_already = scheduler.keywords if isinstance(scheduler, partial) else {}
    length = {name: max(1, steps) for name in LENGTHS if name in open_ones and name not in set_already}
    made = scheduler(optimizer, **length)
    factors = []
    for _step in range(max(1, steps)):
        factors.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        made.step()
    return tuple(factors)


def check_schedule(name: str, steps: int) -> None:
    """Try the schedule at the first, the middle and the last step.

    Raises:
        TreinoError: it fails, or gives no factor.
    """
    of_steps = SCHEDULES[name].of_steps
    if of_steps is not None:
        tried = (0, steps // 2, max(0, steps - 1))

        def factors() -> torch.Tensor:
            _table.cache_clear()
            return torch.tensor([of_steps(step, steps) for step in tried])

        check_repeatable(name, of_steps, factors)
