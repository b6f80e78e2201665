"""Differences between the learner's training and the engine's: in arrays, and as messages."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.words import _
from treino_doctor.base.escaping import escape
from treino_lessons.call_recording import Pass, Visit
from treino_lessons.problem import STEPS, Problem, State, keyed

CLOSE = {torch.float32: 1e-4, torch.float64: 1e-8}  # shares of a tensor's norm: for equal training
LIKE = {torch.float32: 2e-3, torch.float64: 1e-6}  # as shares of the norm: to find a gradient's cause


def near(a: Tensor, b: Tensor, share: float) -> bool:
    # batch norm cancels the bias before it, whose gradient is therefore zero except for rounding
    return bool((a - b).norm() <= share * b.norm().clamp(min=share))


def farthest(a: State, b: State) -> tuple[str, int] | None:
    """The name and place where the two differ most; None if they are the same."""
    apart = {name: (a[name].double() - b[name].double()).abs() for name in a}
    name = max(apart, key=lambda n: float(apart[n].max()))
    return (name, int(apart[name].argmax())) if bool(apart[name].any()) else None


def entry(state: State, place: tuple[str, int]) -> float:
    return float(state[place[0]].flatten()[place[1]])


def written(state: State, place: tuple[str, int]) -> str:
    """The weight at this place as one writes it: ``4.weight[0, 5]``."""
    index = torch.unravel_index(torch.tensor(place[1]), state[place[0]].shape)
    return f"{place[0]}[{', '.join(str(int(i)) for i in index)}]"


def slope(tried: Problem, visit: Visit, step: int, *, softmax: bool = False) -> State:
    """The gradient of this batch alone at the weights that the function had, in training mode."""
    net, drops = tried.net(visit.before)
    keyed(drops, step)
    x_BD, y_B = tried.batch("train", step % STEPS)
    with torch.enable_grad():
        logits_BC = net.train()(x_BD)
        nn.CrossEntropyLoss()(logits_BC.softmax(1) if softmax else logits_BC, y_B).backward()
    return {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


def loss_in_mode(tried: Problem, visit: Visit, mode: str, step: int, *, training: bool) -> float:
    """The loss of this batch with all layers in training or in evaluation mode."""
    net, drops = tried.net(visit.before)
    keyed(drops, step)
    x_BD, y_B = tried.batch(mode, step % STEPS)
    with torch.no_grad():
        return float(nn.CrossEntropyLoss()(net.train(training)(x_BD), y_B))


def factor(used: State, fresh: State, like: float) -> float | None:
    """Return c if used = c · fresh for a c other than 1, else None."""
    dot = sum(float((used[n] * fresh[n]).sum()) for n in fresh)
    found = dot / sum(float(t.square().sum()) for t in fresh.values())
    same = all(near(used[n], fresh[n] * found, like) for n in fresh)
    return found if same and not math.isclose(found, 1, rel_tol=like) else None


# ---- its message


@dataclass(frozen=True)
class Difference:
    """The first difference.

    rule: its stable name. mode, epoch, step: where, counted from 1 (step 0: the call as a whole). message:
    what was seen, with numbers. why: its cause. hint: the change to make. yours, engine: the two
    numbers, if two numbers differ.
    """

    rule: str
    mode: str
    epoch: int
    step: int
    message: str
    why: str
    hint: str
    yours: float | None = None
    engine: float | None = None

    def __str__(self) -> str:
        return "\n".join(escape(line) for line in (self.message, self.why, self.hint) if line)


@dataclass(frozen=True)
class Fault:
    """A usual fault in words: its message (values replace ``{names}``), its cause, the change to make."""

    rule: str
    message: str
    why: str
    hint: str

    def seen(
        self, done: Pass, step: int, yours: float | None = None, engine: float | None = None, **values: Any
    ) -> Difference:
        """The difference that this fault makes in this call of the function."""
        message = _(self.message).format(mode=done.mode, **values)
        hint, where = _(self.hint), (done.mode, done.epoch + 1, step)
        return Difference(self.rule, *where, message, _(self.why), hint, yours, engine)
