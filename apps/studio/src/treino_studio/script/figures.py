"""The figures of a script's training: losses, evaluations, settings of optimizers, norms of gradients."""

import threading
import weakref
from collections import Counter, deque
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, distributed
from torch.optim import SGD, Optimizer, Rprop

from treino.base.errors import TreinoError
from treino.base.words import _
from treino_studio.script.commands import SetValue
from treino_studio.script.evaluations import Evaluations
from treino_studio.script.json_socket import figure
from treino_studio.script.loops import Loops

# ---- settings of parameter groups

BETA = {"beta1": 0, "beta2": 1}
OF_CYCLES = "base_momentum", "max_momentum"  # keys of OneCycleLR and CyclicLR, which also set the momentum


def settings_of(group: Mapping[str, Any]) -> dict[str, Any]:
    """``lr``, ``weight_decay``, ``momentum`` and ``betas`` of a parameter group, if it has them."""
    settings: dict[str, Any] = {}
    for name in ("lr", "weight_decay", "momentum"):
        if isinstance(group.get(name), (int, float, Tensor)):
            settings[name] = float(group[name])
    if isinstance(betas := group.get("betas"), (tuple, list)) and len(betas) == 2:
        settings["betas"] = [float(beta) for beta in betas]
    return settings


def set_value(optimizer: Optimizer, command: SetValue) -> float:
    """Set a hyper-parameter of a group from the next step on; return its old value.

    Raises:
        TreinoError: the optimizer has no such group or hyper-parameter, or its next step would fail with the
            value (rule ``studio_setting``).
    """
    check_value(optimizer, command)
    group, name = optimizer.param_groups[command.group], command.name
    if name in BETA:
        betas = list(group["betas"])
        before = float(betas[BETA[name]])
        betas[BETA[name]] = _replaced(betas[BETA[name]], command.value)
        group["betas"] = type(group["betas"])(betas)
        return before
    before, present = float(group[name]), group[name]
    if isinstance(present, Tensor) and sum(g.get(name) is present for g in optimizer.param_groups) == 1:
        present.fill_(command.value)  # in place: a captured CUDA graph reads this tensor
    else:
        group[name] = _replaced(present, command.value)
    return before


def check_value(optimizer: Optimizer, command: SetValue) -> None:
    """Refuse a change that ``set_value`` can't make; raises the same errors."""
    kind, groups, name = type(optimizer).__name__, optimizer.param_groups, command.name
    if command.group >= len(groups):
        raise _refusal(
            _("{optimizer} has no group {group}.").format(optimizer=kind, group=command.group),
            _("Its groups are 0 to {last}.").format(last=len(groups) - 1),
        )
    group = groups[command.group]
    present = settings_of(group)
    known = {**present, **dict.fromkeys(BETA if "betas" in present else ())}
    if name not in known:
        can_be_set = ", ".join(each for each in known if each != "betas")
        raise _refusal(
            _("{optimizer} has no {name}.").format(optimizer=kind, name=name),
            _("What it has: {names}.").format(names=can_be_set or "–"),
        )
    if isinstance(value := group.get(name), Tensor) and value.requires_grad:
        raise _refusal(
            _("The {name} of {optimizer} is itself trained.").format(optimizer=kind, name=name),
            _("Set the {name} of the optimizer that trains it.").format(name="lr"),
        )
    if name == "lr" and isinstance(optimizer, Rprop) and optimizer.state:
        raise _refusal(
            _("Rprop uses its lr at the first step alone."), _("It then finds the size of each step itself.")
        )
    if name == "momentum" and not present[name] and not isinstance(optimizer, SGD):
        raise _refusal(
            _("{optimizer} began without momentum and keeps none of what it takes.").format(optimizer=kind),
            _("Begin with a small one in the script: momentum=1e-9."),
        )
    if name == "weight_decay" and any(p.grad is not None and p.grad.is_sparse for p in group["params"]):
        raise _refusal(
            _("The gradients of this group are sparse, and {optimizer} can't decay such weights.").format(
                optimizer=kind
            ),
            _("Set it in another group."),
        )


def overruling(group: Mapping[str, Any], name: str) -> bool:
    """Whether a torch scheduler will also set or multiply this hyper-parameter at its next step."""
    if name in ("momentum", "beta1"):
        return any(key in group for key in OF_CYCLES)
    return name == "lr" and "initial_lr" in group


def _replaced(present: Any, value: float) -> Any:
    return torch.full_like(present, value) if isinstance(present, Tensor) else value


def _refusal(message: str, hint: str) -> TreinoError:
    return TreinoError("studio_setting", message, hint)


# ---- figures

EVERY = 0.1  # seconds between two messages
MOST_LOSSES = 2000  # losses kept between two messages: the last ones
MOST_OPTIMIZERS = 16  # optimizers in a message: the newest
FEW_STEPS, FEW_BACKWARDS = 10, 100  # numbers after which missing losses or steps are reported


class ScriptFigures:
    """The figures of a training, collected step by step.

    steps: the number of steps of all optimizers together. backwards: calls of backward. watched: whether
    anybody reads the figures; if not, nothing is measured. unseen: sentences on what the figures leave out.
    """

    def __init__(self, *, watched: bool) -> None:
        self.evaluations, self._loops = Evaluations(), Loops()
        self.watched = watched
        self.steps = self.backwards = 0
        self.began, self.paused_seconds, self.next_message = perf_counter(), 0.0, 0.0
        self.unseen: list[str] = []
        self._loss: float | Tensor | None = None
        self._scaled: tuple[weakref.ref[Tensor], Tensor] | None = None
        self._losses: deque[tuple[float | Tensor | None, int]] = deque(maxlen=MOST_LOSSES)
        self._orders: dict[int, tuple[weakref.ref[Optimizer], int]] = {}  # by the optimizer's id
        self._optimizers: list[weakref.ref[Optimizer]] = []
        self._main = threading.main_thread().ident

    @property
    def watched(self) -> bool:
        return self._watched

    @watched.setter
    def watched(self, on: bool) -> None:
        self._watched = self.evaluations.on = on

    # --- while it trains --------------------------------------------------------------------------------
    def scaled(self, result: Any, outputs: Any) -> None:
        """Hook of GradScaler.scale. Remember the unscaled loss, to show it instead of the scaled one."""
        if self.watched and isinstance(result, Tensor) and isinstance(outputs, Tensor):
            self._scaled = weakref.ref(result), outputs.detach()

    def backward(self, tensors: Any) -> None:
        """Hook of torch.autograd.backward. Note the loss that is about to run backward."""
        self.backwards += 1
        if not self.watched:
            self._loss = None
            return
        root = tensors if isinstance(tensors, Tensor) or not tensors else tensors[0]
        if self._scaled is not None and self._scaled[0]() is root:
            root = self._scaled[1]
        self._loss = _number(root)
        if self._loss is None:
            self.say(_("A backward that starts from other than one number has no loss to show."))
        if self.backwards == FEW_BACKWARDS and not self.steps:
            self.say(
                _(
                    "{n} backward passes and no step of an optimizer of torch yet: weights that are changed "
                    "by hand, or in a compiled step, are neither seen nor steered."
                ).format(n=self.backwards)
            )

    def order_of(self, optimizer: Optimizer) -> int:
        """The number of an optimizer, in the order of the optimizers' first steps."""
        known = self._orders.get(id(optimizer))
        if known is None or known[0]() is not optimizer:
            known = weakref.ref(optimizer), len(self._optimizers)
            self._orders[id(optimizer)] = known
            self._optimizers.append(known[0])
        return known[1]

    def optimizer(self, order: int) -> Optimizer | None:
        """The optimizer of this number; None if there is none, or it has been deleted."""
        return self._optimizers[order]() if order < len(self._optimizers) else None

    def stepped(self, optimizer: Optimizer) -> None:
        """Hook of Optimizer.step. Count the step and keep its loss."""
        self.evaluations.end_passes(self.steps)
        self.steps += 1
        order = self.order_of(optimizer)
        if not self.watched:
            return
        self._losses.append((self._loss, order))
        if threading.get_ident() != self._main:
            self.say(_("The steps are made in a thread: the functions of buttons are called there, too."))
        if self.steps == FEW_STEPS and not self.backwards:
            self.say(_("No loss is seen: the gradients come from elsewhere than a backward."))

    def say(self, sentence: str) -> None:
        """Add a sentence on what the figures leave out, unless it was added before."""
        if sentence not in self.unseen:
            self.unseen.append(sentence)

    @property
    def pending(self) -> bool:
        """Whether there are losses or evaluations that no message has contained."""
        return bool(self._losses or self.evaluations)

    def drop_losses(self) -> None:
        """Leave the losses that no message has contained out of the next one."""
        self._losses.clear()

    # --- messages -----------------------------------------------------------------------------------------
    def message(self, now: float, stepped: Optimizer | None) -> dict[str, Any]:
        """The message with the figures since the last one. stepped: the optimizer that has just made a step,
        whose gradient norm is measured; None: the script waits, or has ended."""
        if stepped is None:
            self.evaluations.end_passes(self.steps)
        losses = [(figure(_value(loss)), order) for loss, order in self._losses]
        self._losses.clear()
        self.next_message = now + EVERY
        if distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1:
            self.say(_("Other processes train, too: only this one is seen and steered."))
        alive = [(order, held) for order, ref in enumerate(self._optimizers) if (held := ref()) is not None]
        if len(alive) > MOST_OPTIMIZERS:
            self.say(_("Of many optimizers only the newest {n} are shown.").format(n=MOST_OPTIMIZERS))
        kinds = Counter(type(held).__name__ for _order, held in alive)
        optimizers = [
            {
                "index": order,
                "name": (kind := type(held).__name__) + (f" {order + 1}" if kinds[kind] > 1 else ""),
                "groups": [settings_of(group) for group in held.param_groups],
                "gradient_norm": figure(gradient_norm(held)) if held is stepped else None,
            }
            for order, held in alive[-MOST_OPTIMIZERS:]
        ]
        message: dict[str, Any] = {
            "step": self.steps,
            "loss": losses[-1][0] if losses else None,
            "losses": [loss for loss, _order in losses],
            "optimizers": optimizers,
            "seconds": round(now - self.began - self.paused_seconds, 4),
        }
        if len(self._optimizers) > 1:
            message["optimizer_of_losses"] = [order for _loss, order in losses]
        if evaluations := self.evaluations.take():
            message["evaluations"] = evaluations
        # while it waits before a step, the round of that step has begun
        if stepped is not None and (loop := self._loops.progress()):
            message["loop"] = loop
        return message


def gradient_norm(optimizer: Optimizer) -> float | None:
    """The total norm of an optimizer's gradients; None if there are none, or it can't be computed."""
    gradients = [
        p.grad.detach().coalesce().values() if p.grad.is_sparse else p.grad.detach()
        for group in optimizer.param_groups
        for p in group["params"]
        if p.grad is not None
    ]
    try:
        norms = [torch.linalg.vector_norm(gradient).to(gradients[0].device) for gradient in gradients]
        return float(torch.linalg.vector_norm(torch.stack(norms))) if norms else None
    except (RuntimeError, TypeError, NotImplementedError):  # tensors without a norm
        return None


def captured() -> bool:
    """Whether a CUDA graph is being captured, during which no value may be read."""
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


def _number(root: Any) -> float | Tensor | None:
    """The value of a loss; on an accelerator a copy, which is read later to avoid synchronizing now."""
    if not isinstance(root, Tensor) or root.numel() != 1 or root.is_complex():
        return None
    try:
        if root.device.type == "cpu":
            return float(root.detach())
        return None if captured() else root.detach().clone()
    except (RuntimeError, TypeError, NotImplementedError):  # inside vmap, or fake tensors
        return None


def _value(loss: float | Tensor | None) -> float | None:
    return float(loss) if isinstance(loss, Tensor) else loss
