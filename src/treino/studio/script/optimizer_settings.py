"""The numbers of an optimizer's groups that can be seen and set while a script trains."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer, Rprop

from treino.errors import TreinoError
from treino.studio.script.commands import SetValue
from treino.words import _

BETA = {"beta1": 0, "beta2": 1}
OF_CYCLES = "base_momentum", "max_momentum"  # keys of OneCycleLR and CyclicLR: they set the momentum, too


def settings_of(group: Mapping[str, Any]) -> dict[str, Any]:
    """``{lr, weight_decay, momentum, betas}``, those that the group has."""
    settings: dict[str, Any] = {}
    for name in ("lr", "weight_decay", "momentum"):
        if isinstance(group.get(name), (int, float, Tensor)):
            settings[name] = float(group[name])
    if isinstance(betas := group.get("betas"), (tuple, list)) and len(betas) == 2:
        settings["betas"] = [float(beta) for beta in betas]
    return settings


def set_value(optimizer: Optimizer, command: SetValue) -> float:
    """Set a number of a group from the next step on; return its old value.

    Raises:
        TreinoError: the optimizer has no such group or number, or its next step would fail with it (rule
            ``studio_setting``).
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
        present.fill_(command.value)  # in place, as a captured step reads this tensor
    else:
        group[name] = _replaced(present, command.value)
    return before


def check_value(optimizer: Optimizer, command: SetValue) -> None:
    """Refuse a number that the optimizer lacks or its next step would fail with; errors as ``set_value``."""
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
    """Whether a scheduler of torch will also set or multiply this number at its next step."""
    if name in ("momentum", "beta1"):
        return any(key in group for key in OF_CYCLES)
    return name == "lr" and "initial_lr" in group


def _replaced(present: Any, value: float) -> Any:
    return torch.full_like(present, value) if isinstance(present, Tensor) else value


def _refusal(message: str, hint: str) -> TreinoError:
    return TreinoError("studio_setting", message, hint)
