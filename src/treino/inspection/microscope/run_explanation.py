"""Explanations of one update of a run: from the batch to the gradient, and on to the new weight."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from treino.base.formula import Array, Expr, Formula, Symbol, call, series, sqrt
from treino.base.words import _, numeral
from treino.engine.optim import OPTIMIZERS, torch_settings
from treino.inspection.microscope import optimizers
from treino.inspection.microscope.explanation import Check, Explanation, ExplanationPart, Step, relative
from treino.inspection.microscope.gradient_walkthrough import gradient_checks, rounding, way
from treino.inspection.microscope.optimizers import PLAIN, Marks
from treino.inspection.microscope.update import Update

# ---- from the gradient of one weight to its new value

EPS32 = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class OptimizerStep:
    """The optimizer's steps. gradient: the optimizer's input, after summing and clipping. weight: the new
    weight."""

    part: ExplanationPart
    gradient: float
    weight: float


def kind(update: Update) -> str:
    """The name of this run's optimizer; sgd with momentum is ``momentum``."""
    if update.optimizer == "sgd":
        return "momentum" if update.hp["momentum"] else "sgd"
    return update.optimizer


def optimizer_step(update: Update) -> OptimizerStep:
    """The steps from this batch's gradient to the new weight."""
    steps, g = optimizer_gradient(update, update.gradient)
    w, hp = update.weight, update.hp
    decay = hp["weight_decay"]
    into, marks = g, Marks(gradient="" if math.isinf(hp["clip"]) else "′")
    if decay and OPTIMIZERS[update.optimizer].decoupled:
        steps.append(optimizers.shrunk(w, hp["lr"], decay))
        w, marks = _value(steps[-1]), replace(marks, weight="′")
    elif decay:
        steps.append(optimizers.penalised(w, g, decay, marks))
        into, marks = _value(steps[-1]), replace(marks, gradient=marks.gradient + "′")
    moved = optimize(update, w, into, marks)
    return OptimizerStep(ExplanationPart(_("The update"), (*steps, *moved.steps)), g, moved.weight)


def optimize(update: Update, w: float, g: float, marks: Marks = PLAIN) -> optimizers.OptimizerResult:
    """The optimizer's steps, without clipping and decay, with the run's state and hyper-parameters."""
    tensors = update.state.get(update.parameter, {})
    state = {name: float(tensor[update.at]) for name, tensor in tensors.items()}
    settings = update.hp | {"nesterov": update.nesterov}
    return optimizers.update(update.optimizer, w, g, state, settings, update.t, marks)


def optimizer_gradient(update: Update, gradient: float) -> tuple[list[Step], float]:
    """Return the steps that change a gradient before the optimizer (old gradients that ``missing_zero_grad``
    adds, and clipping), and the changed gradient."""
    steps: list[Step] = []
    g = gradient
    if update.old_gradients is not None:
        before = float(update.old_gradients[update.parameter][update.at])
        added = Symbol("g", before, "1…t−1") + Symbol("g", g, "t")
        steps.append(
            Step(
                _("missing_zero_grad, on purpose: the gradients of all past updates are still there"),
                Formula(Symbol("g", 0.0), added),
            )
        )
        g = before + g
    limit = update.hp["clip"]
    if not math.isinf(limit):
        norm = clip_norm(update)
        length = Symbol("‖g‖", norm)
        squares = Formula(Symbol("‖g‖", 0.0), sqrt(_squares(update)))
        share: Expr = call("min", 1.0, Symbol("clip", limit) / (length + 1e-6))
        clipped = Formula(Symbol("g", 0.0, sup="′"), share * Symbol("g", g))
        n = sum(p.size for p in update.gradients.values())
        steps += [
            Step(_("The length of the whole gradient, over all {n:,} parameters").format(n=n), squares),
            Step(_("Clipping: a longer one is scaled down, its direction stays"), clipped),
        ]
        g = clipped.value
    return steps, g


def clip_norm(update: Update) -> float:
    return math.sqrt(sum(float(np.square(g).sum()) for g in _whole(update)))


def _whole(update: Update) -> list[Array]:
    old = update.old_gradients or {}
    return [g + old[name] if name in old else g for name, g in update.gradients.items()]


def _squares(update: Update) -> Expr:
    flat = np.concatenate([g.reshape(-1) for g in _whole(update)])

    def square(sub: str, k: int) -> Expr:
        return Symbol("g", float(flat[k]), sub) ** 2

    return series("i", "n", len(flat), square)


def _value(step: Step) -> float:
    assert step.formula is not None
    return step.formula.value


# ---- checks


def moving_checks(update: Update, step: OptimizerStep) -> tuple[Check, ...]:
    """Checks of the new weight against torch.optim in float64 and against the run's weight."""
    slack = _answer(update, rounding(update))
    within = relative(step.weight, update.weight, update.hp["lr"]) + slack
    kind = OPTIMIZERS[update.optimizer].torch
    name = f"torch.optim.{kind.__name__}" if kind.__module__.startswith("torch.") else kind.__name__
    checks = [Check(_("w: {name}, float64").format(name=name), step.weight, theirs(update), within)]
    if update.after is not None:
        after = float(update.after[update.parameter][update.at])
        size = max(abs(step.weight), abs(update.weight), abs(step.weight - update.weight))
        within = 4 * EPS32 * size + 1e-5 * abs(step.weight - update.weight) + _answer(update, _single(update))
        checks.append(
            Check(_("w: the run's own weight after this update, float32"), step.weight, after, within)
        )
    return tuple(checks)


def _answer(update: Update, error: float) -> float:
    """The largest change of the new weight if the gradient is wrong by ``error``. If Adam divides small
    numbers, a gradient's last digits matter."""
    g = update.gradient
    ends = [_moved_by(update, g + by) for by in (-error, 0.0, error)]
    return max(abs(e - ends[1]) for e in ends)


def _moved_by(update: Update, gradient: float) -> float:
    g, w, decay = gradient, update.weight, update.hp["weight_decay"]
    if update.old_gradients is not None:
        g += float(update.old_gradients[update.parameter][update.at])
    if not math.isinf(update.hp["clip"]):
        g *= min(1.0, update.hp["clip"] / (clip_norm(update) + 1e-6))
    if OPTIMIZERS[update.optimizer].decoupled:
        w *= 1 - update.hp["lr"] * decay
    else:
        g += decay * w
    return optimize(update, w, g).weight


def _single(update: Update) -> float:
    """An upper bound of the float32 error of this layer's gradient, estimated from a measurement."""
    net = update.module().float()
    x, y = (torch.from_numpy(a) for a in (update.batch.x, update.batch.y))
    update.loss(net(x.float()), y if y.dtype == torch.int64 else y.float()).backward()
    grad = dict(net.named_parameters())[update.parameter].grad
    assert grad is not None
    ours = update.gradients[update.parameter]
    old = 0.0 if update.old_gradients is None else float(np.abs(update.old_gradients[update.parameter]).max())
    return 8 * float(np.abs(grad.double().numpy() - ours).max()) + 4 * EPS32 * (
        float(np.abs(ours).max()) + old
    )


def theirs(update: Update) -> float:
    """The new weight by torch's backward, clip_grad_norm_ and optimizer, from the same state, in float64."""
    net = update.module()
    named = dict(net.named_parameters())
    kinds = OPTIMIZERS[update.optimizer]
    hp = update.hp
    settings = torch_settings(update.optimizer, hp, update.nesterov)
    optimizer = kinds.torch(named.values(), lr=hp["lr"], **settings)  # type: ignore[call-arg]
    for name, p in named.items():
        state = {k: torch.from_numpy(np.array(t)) for k, t in update.state.get(name, {}).items()}
        if state:
            if kinds.torch is not torch.optim.SGD:
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


def to_the_gradient(
    update: Update, topic: str, sources: tuple[str, ...], *more: ExplanationPart
) -> Explanation:
    """The explanation from the batch's rows to the weight's gradient. more: further parts."""
    return Explanation(
        topic, title(update, topic), about(update), (*way(update), *more), gradient_checks(update), sources
    )


def to_the_weight(
    update: Update,
    topic: str,
    sources: tuple[str, ...],
    step: OptimizerStep | None = None,
    *more: ExplanationPart,
) -> Explanation:
    """The explanation from the batch's rows to the weight's new value. more: further parts."""
    step = step or optimizer_step(update)
    checks = (*gradient_checks(update), *moving_checks(update, step))
    return Explanation(
        topic, title(update, topic), about(update), (*way(update), step.part, *more), checks, sources
    )


def title(update: Update, topic: str) -> str:
    return _("{topic}: update {number:,} of {run}").format(
        topic=topic, number=update.step + 1, run=update.run
    )


def about(update: Update) -> str:
    place = update.place
    at = f"{place.layer},{place.i}" + ("" if place.j is None else f",{place.j}")
    return _("The arithmetic of one update of one weight, {at}: {value}.").format(
        at=at, value=numeral(update.weight, ".9g").replace("-", "−")
    )


# ---- a run's own topics


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
