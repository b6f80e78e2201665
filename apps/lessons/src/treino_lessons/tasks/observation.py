"""Runs a pupil's script under the doctor, in this process, and measures it on rows that it never saw.

The rows are drawn by the kata's own task, and the script's function ``answers`` is asked. So a figure that is
only printed convinces nobody.
"""

import math
import sys
from typing import Any
from weakref import WeakKeyDictionary

from treino.base.words import _
from treino_lessons.tasks.task import Observed

DRAW, ANSWERS = "draw", "answers"  # functions of every kata: the task's; the script's, from rows to answers
FRESH = 4000  # number of fresh rows
SEED = 20_000  # seed of the fresh rows, which no kata uses


class Memory:
    """What the script's optimizers remember.

    restarts: how many steps an optimizer without a memory took, a new one or one whose state was cleared, on
    weights that had been stepped before. An optimizer that never has a state counts once.
    """

    def __init__(self) -> None:
        self.restarts = 0
        self._had_state: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
        self._stepped: dict[int, Any] = {}  # kept, so that no other tensor gets its number

    def before(self, optimizer: Any, _args: Any, _kwargs: Any) -> None:
        """Called before each step of any optimizer."""
        weights = [p for group in optimizer.param_groups for p in group["params"]]
        anew = optimizer not in self._had_state or (self._had_state[optimizer] and not optimizer.state)
        if anew and any(id(p) in self._stepped for p in weights):
            self.restarts += 1
        self._stepped |= {id(p): p for p in weights}

    def after(self, optimizer: Any, _args: Any, _kwargs: Any) -> None:
        self._had_state[optimizer] = bool(optimizer.state)


def observe_script(task: str, path: str, seconds: float, write: Observed) -> int:
    """Run a script, and write what was observed; return its exit status. task: the kata's own lines."""
    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    from treino_doctor.process.run_script import Outcome, run_script

    memory = Memory()
    register_optimizer_step_pre_hook(memory.before)
    register_optimizer_step_post_hook(memory.after)

    def report(outcome: Outcome) -> None:
        script = vars(sys.modules["__main__"])
        measured, trouble = _measured(script, task) if not outcome.error else (None, "")
        seen = {name: getattr(outcome, name) for name in ("status", "stopped", "error")}
        seen |= {"seconds": round(outcome.seconds, 3), "backwards": outcome.exam.backwards}
        seen |= {"findings": [finding.as_json() for finding in outcome.exam.findings]}
        write(seen | {"restarts": memory.restarts, "measured": measured, "trouble": trouble})

    # a comment that silences a rule mends nothing
    return run_script(path, max_time=seconds, heed=False, report=report).status


def _measured(script: dict[str, Any], task: str) -> tuple[float | None, str]:
    """Return (accuracy or R² of the script's answers to fresh rows, ""), or (None, why there is none)."""
    import torch

    if not callable(answers := script.get(ANSWERS)):
        return None, _("its function {name} is gone").format(name=ANSWERS)
    place: dict[str, Any] = {"__name__": "task"}
    exec(compile(task, "task", "exec"), place)
    x, y = place[DRAW](FRESH, SEED)
    y = y.reshape(len(x))
    for value in script.values():
        if isinstance(value, torch.nn.Module):
            value.eval()  # as it would be used
    try:
        with torch.no_grad():
            given = torch.as_tensor(answers(x.clone()))
    except Exception as error:
        return None, _("its function {name} ended by {error}").format(
            name=ANSWERS, error=f"{type(error).__name__}: {error}"
        )
    if given.numel() != len(y):
        return None, _("its function {name} gives {shape} for {n} rows").format(
            name=ANSWERS, shape=list(given.shape), n=len(y)
        )
    given = given.reshape(len(y)).to(y.dtype)
    if y.is_floating_point():
        figure = 1 - ((given - y) ** 2).mean().item() / y.var(unbiased=False).item()
    else:
        figure = (given == y).float().mean().item()
    return (figure, "") if math.isfinite(figure) else (None, _("its answers are no numbers"))
