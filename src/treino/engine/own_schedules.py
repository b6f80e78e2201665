"""Schedules beside treino's own: functions of (step, steps), and classes of ``torch.optim.lr_scheduler``."""

import inspect
import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import torch

from treino.base.errors import Refusal
from treino.base.own_calls import check_repeatable, own_call
from treino.base.own_objects import called_by, kept
from treino.base.registry import OwnKind
from treino.base.words import N_
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
ABOUT = "a function of the step and the number of steps"
LENGTHS = "total_steps", "T_max", "total_iters"
"""Arguments of torch's schedulers that are the training's length where they are left open."""


def _factor(name: str, value: Any, step: int, steps: int) -> float:
    """The factor at this step."""
    value = kept(name) if value is None else value
    kind, scheduler = called_by(value), torch.optim.lr_scheduler.LRScheduler
    with fork_rng(0), own_call(OWN_SCHEDULE_FAILS.of_cause(name=name, step=step, steps=steps)):
        of_torch = inspect.isclass(kind) and issubclass(kind, scheduler)
        factor = _table(value, steps)[step] if of_torch else value(step, steps)
        number = float(factor)
    if not math.isfinite(number) or number < 0:
        raise OWN_SCHEDULE_FACTOR(name=name, value=factor, step=step, steps=steps)
    return number


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


OWN = OwnKind[Schedule](
    "schedule",
    lambda name, value: Schedule(lambda progress: math.nan, ABOUT, "", partial(_factor, name, value)),
    lambda name: getattr(torch.optim.lr_scheduler, name, None) if name[:1].isupper() else None,
    hint=N_("Others: a class of torch's lr_scheduler, a function of (step, steps), or FILE.py:NAME."),
)
