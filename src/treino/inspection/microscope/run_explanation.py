"""Explanations of one update of a run: from the batch to the gradient, and on to the new weight."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from treino.base.formula import Array, Expr, Symbol, call, series, sqrt
from treino.base.words import _
from treino.engine.optim import OPTIMIZERS, torch_settings
from treino.inspection.microscope import optimizers
from treino.inspection.microscope.explanation import Check, ExplanationPart, Step, Worked, equation, relative
from treino.inspection.microscope.gradient_walkthrough import gradient_checks, rounding, way
from treino.inspection.microscope.update import Update

# ---- from the gradient of one weight to its new value

EPS32 = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class OptimizerStep:
    """The optimizer's steps, and the new weight."""

    part: ExplanationPart
    weight: float


def optimizer_step(update: Update, off: float = 0.0) -> OptimizerStep:
    """The steps from this batch's gradient to the new weight. off: is added to the gradient."""
    g, prime = update.gradient + off, ""
    steps: list[Step] = []
    if update.old_gradients is not None:
        before = float(update.old_gradients[update.parameter][update.at])
        title = _("missing_zero_grad, on purpose: the gradients of all past updates are still there")
        steps.append(Step(title, equation("g", Symbol("g", before, "1…t−1") + Symbol("g", g, "t"))))
        g = before + g
    if not math.isinf(limit := update.hp["clip"]):
        old = update.old_gradients or {}
        whole = [g + old[name] if name in old else g for name, g in update.gradients.items()]
        norm, flat = clip_norm(whole), np.concatenate([g.reshape(-1) for g in whole])

        def square(sub: str, k: int) -> Expr:
            return Symbol("g", float(flat[k]), sub) ** 2

        share = call("min", 1.0, Symbol("clip", limit) / (Symbol("‖g‖", norm) + 1e-6))
        clipped, prime = equation("g", share * Symbol("g", g), sup="′"), "′"
        title = _("The length of the whole gradient, over all {n:,} parameters").format(n=len(flat))
        steps += [
            Step(title, equation("‖g‖", sqrt(series("i", "n", len(flat), square)))),
            Step(_("Clipping: a longer one is scaled down, its direction stays"), clipped),
        ]
        g = clipped.value
    state = {
        name: float(tensor[update.at]) for name, tensor in update.state.get(update.parameter, {}).items()
    }
    settings = update.hp | {"nesterov": update.nesterov}
    moved = optimizers.update(update.optimizer, update.weight, g, state, settings, update.t, prime)
    return OptimizerStep(ExplanationPart(_("The update"), (*steps, *moved.steps)), moved.weight)


def clip_norm(whole: list[Array]) -> float:
    return math.sqrt(sum(float(np.square(g).sum()) for g in whole))


# ---- checks


def moving_checks(update: Update, step: OptimizerStep) -> list[Check]:
    """Checks of the new weight against torch.optim in float64 and against the run's weight."""

    def answer(error: float) -> float:
        """The largest change of the new weight if the gradient is wrong by ``error``. If Adam divides small
        numbers, a gradient's last digits matter."""
        return max(abs(optimizer_step(update, by).weight - step.weight) for by in (-error, error))

    within = relative(step.weight, update.weight, update.hp["lr"]) + answer(rounding(update))
    kind = OPTIMIZERS[update.optimizer].torch
    name = f"torch.optim.{kind.__name__}" if kind.__module__.startswith("torch.") else kind.__name__
    checks = [Check(_("w: {name}, float64").format(name=name), step.weight, theirs(update), within)]
    if update.after is not None:
        after, moved = float(update.after[update.parameter][update.at]), abs(step.weight - update.weight)
        size = max(abs(step.weight), abs(update.weight), moved)
        within = 4 * EPS32 * size + 1e-5 * moved + answer(_single(update))
        title = _("w: the run's own weight after this update, float32")
        checks.append(Check(title, step.weight, after, within))
    return checks


def _single(update: Update) -> float:
    """An upper bound of the float32 error of this layer's gradient, estimated from a measurement."""
    net = update.module().float()
    x, y = (torch.from_numpy(a) for a in (update.batch.x, update.batch.y))
    update.loss(net(x.float()), y if y.dtype == torch.int64 else y.float()).backward()
    grad = dict(net.named_parameters())[update.parameter].grad
    assert grad is not None
    ours = update.gradients[update.parameter]
    largest = float(np.abs(ours).max())
    if update.old_gradients is not None:
        largest += float(np.abs(update.old_gradients[update.parameter]).max())
    return 8 * float(np.abs(grad.double().numpy() - ours).max()) + 4 * EPS32 * largest


def theirs(update: Update) -> float:
    """The new weight by torch's backward, clip_grad_norm_ and optimizer, from the same state, in float64."""
    net = update.module()
    named = dict(net.named_parameters())
    kind, hp = OPTIMIZERS[update.optimizer].torch, update.hp
    settings = torch_settings(update.optimizer, hp, update.nesterov)
    optimizer = kind(named.values(), lr=hp["lr"], **settings)  # type: ignore[call-arg]
    for name, p in named.items():
        state = {k: torch.from_numpy(np.array(t)) for k, t in update.state.get(name, {}).items()}
        if state:
            if kind is not torch.optim.SGD:
                state["step"] = torch.tensor(float(update.t - 1), dtype=torch.float32)
            optimizer.state[p] = state
        if update.old_gradients is not None and name in update.old_gradients:
            p.grad = torch.from_numpy(np.array(update.old_gradients[name]))
    update.torch_loss(net).backward()
    if not math.isinf(hp["clip"]):
        nn.utils.clip_grad_norm_(named.values(), hp["clip"])
    optimizer.step()
    return float(named[update.parameter].detach()[update.at])


# ---- explanations of one update


def to_the_gradient(update: Update) -> Worked:
    """The explanation from the batch's rows to the weight's gradient."""
    return way(update), gradient_checks(update)


def to_the_weight(update: Update) -> Worked:
    """The explanation from the batch's rows to the weight's new value."""
    step = optimizer_step(update)
    return (*way(update), step.part), (*gradient_checks(update), *moving_checks(update, step))


# ---- a run's own topics


def kind(update: Update) -> str:
    """The name of this run's optimizer; sgd with momentum is ``momentum``."""
    moving = update.optimizer == "sgd" and update.hp["momentum"]
    return "momentum" if moving else update.optimizer


def topic_name(entry: str) -> str:
    """The topic's name for a loss or optimizer with the engine's name ``entry``."""
    return entry.replace("_", "-")


def own_loss(update: Update) -> tuple[str, str]:
    """The topic of a run's loss, and the loss in words."""
    theirs = topic_name(update.loss.name)
    return theirs, _("the loss {name}").format(name=theirs)


def own_optimizer(update: Update) -> tuple[str, str]:
    """The topic of a run's optimizer, and the optimizer in words; sgd with momentum is ``momentum``."""
    theirs = topic_name(kind(update))
    sgd = {"sgd": _("sgd without momentum"), "momentum": _("sgd with momentum")}
    return theirs, sgd.get(theirs, theirs)
