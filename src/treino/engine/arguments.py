"""Arguments of ``train`` that are wrong are refused here, each with the rule, the value and the next move."""

import math
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from numbers import Integral
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from treino.engine.optim import HP
from treino.errors import TreinoError, nearest
from treino.words import _

if TYPE_CHECKING:
    from treino.engine.recipe import Recipe

COPIES = 6  # weights, gradients, two moments, the best so far, and a copy to play again from
FAULTS = ("missing_zero_grad", "softmax_before_cross_entropy")


def known(what: str, name: object, names: Iterable[str]) -> str:
    """The name itself, if the registry has it."""
    if not isinstance(name, str) or name not in names:
        raise TreinoError(
            f"{what}_unknown",
            _("There is no {what} {name!r}.").format(what=what, name=name),
            nearest(str(name), names),
        )
    return name


def whole(what: str, value: object, least: int, most: int = 2**63 - 1) -> int:
    """A whole number that is neither too small nor too large."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise TreinoError(
            f"{what}_range",
            _("{what} is {value!r}, not a whole number from {least} to {most}.").format(
                what=what, value=value, least=least, most=most
            ),
            _("Use e.g. {example}.").format(example=max(least, 10)),
        )
    return int(value)


def fits(sizes: Sequence[int], members: int, dtype: torch.dtype) -> None:
    """Refuse an MLP that this machine's memory can't hold, before it is built."""
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    needed = parameters * members * dtype.itemsize * COPIES
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else needed
    if needed > there:
        raise TreinoError(
            "net_too_large",
            _("{members} × {parameters} parameters need about {needed:.0f} GB; {there:.0f} are here.").format(
                parameters=f"{parameters:,}", members=members, needed=needed / 1e9, there=there / 1e9
            ),
            _("Use smaller hidden layers, or fewer networks at once."),
        )


def per_member(name: str, value: Any, members: int) -> Tensor:
    """``[P]`` float64 within the range of the hyper-parameter, from one number or one per member."""
    low, high = HP[name][1:]
    try:
        value_P = torch.as_tensor(value, dtype=torch.float64, device="cpu").reshape(-1)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TreinoError(
            f"{name}_type",
            _("{name} is {value!r}, not a number.").format(name=name, value=value),
            _("Use a number, or one for each member."),
        ) from error
    if len(value_P) not in (1, members):
        raise TreinoError(
            f"{name}_count",
            _("{name} has {n} values for {members} members.").format(
                name=name, n=len(value_P), members=members
            ),
            _("Use one number, or one for each member."),
        )
    open_low = name in ("eps", "clip")
    bad = ~((value_P >= low) & (value_P <= high)) | (open_low & (value_P == low))
    if bool(bad.any()):
        member = int(bad.nonzero()[0])
        where = _(" (member {member})").format(member=member) if len(value_P) > 1 else ""
        raise TreinoError(
            f"{name}_range",
            _("{name} is {value}{where}, outside {low} to {high}.").format(
                name=name, value=f"{float(value_P[member]):g}", where=where, low=f"{low:g}", high=f"{high:g}"
            ),
            _("The usual value is {usual}.").format(
                usual=f"{HP[name][0]:g}" if math.isfinite(HP[name][0]) else 1
            ),
        )
    return value_P.expand(members).clone()


def hyperparameter(name: str, value: Any, members: int, recipe: "Recipe") -> Tensor:
    """The same for ``set``, where the name may be wrong or have no meaning for this training."""
    known("hyper-parameter", name, HP)
    if name == "dropout" and (recipe.net is None or not recipe.net.drops):
        raise TreinoError(
            "dropout_without_layer",
            _("This network has no dropout layers to set."),
            _("Begin with a dropout above 0: mlp(64, 32, dropout=0.1)."),
        )
    if name == "clip" and value is None:
        value = math.inf
    return per_member(name, value, members)


def check_range(name: str, value: float, low: float, high: float) -> float:
    """A number in [low, high)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < high:
        raise TreinoError(
            f"{name}_range",
            _("{name} is {value!r}, not a number from {low} to below {high}.").format(
                name=name, value=value, low=low, high=high
            ),
            _("Leave it out for the usual value."),
        )
    return float(value)


def faults(fault: str | Sequence[str]) -> tuple[str, ...]:
    names = (fault,) if isinstance(fault, str) else tuple(fault)
    return tuple(known("fault", name, FAULTS) for name in names)
