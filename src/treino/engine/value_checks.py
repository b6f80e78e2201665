"""Arguments of ``train`` that are wrong are refused here, each with the rule, the value and the next move."""

import math
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from treino.engine.optim import HP, OPTIMIZERS
from treino.engine.schedules import SCHEDULES
from treino.errors import TreinoError, nearest
from treino.words import _, numeral

if TYPE_CHECKING:
    from treino.engine.shared_config import SharedConfig

PARAMETER_COPIES = 6  # weights, gradients, two moments, the best so far, and a copy to play again from
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
    needed = parameters * members * dtype.itemsize * PARAMETER_COPIES
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else needed
    if needed > there:
        raise TreinoError(
            "net_too_large",
            _("{members} × {parameters} parameters need about {needed:.0f} GB; {there:.0f} are here.").format(
                parameters=numeral(parameters, ","), members=members, needed=needed / 1e9, there=there / 1e9
            ),
            _("Use smaller hidden layers, or fewer networks at once."),
        )


def schedules_of(schedule: Any, warmup: Any, members: int, steps: int) -> list[tuple[str, int]]:
    """Each member's schedule and warm-up steps, from one of both or one for each member."""
    found = []
    for name, value in (("schedule", schedule), ("warmup", warmup)):
        values = list(value) if isinstance(value, list | tuple) else [value] * members
        if len(values) != members:
            raise TreinoError(
                f"{name}_count",
                _("{name} has {n} values for {members} members.").format(
                    name=name, n=len(values), members=members
                ),
                _("Give one, or one for each member."),
            )
        found.append(values)
    return [
        (known("schedule", name, SCHEDULES), min(whole("warmup", steps_of, 0), steps))
        for name, steps_of in zip(*found, strict=True)
    ]


def per_member(name: str, value: Any, members: int) -> Tensor:
    """``[P]`` float64 within the range of the hyper-parameter, from one number or one per member."""
    low, high = HP[name][1:]
    try:
        if any(isinstance(v, bool) for v in (value if isinstance(value, tuple | list) else (value,))):
            raise TypeError
        value_P = torch.as_tensor(value, dtype=torch.float64, device="cpu").reshape(-1)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
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


def hyperparameter(name: str, value: Any, members: int, shared: "SharedConfig") -> Tensor:
    """The same for ``set``, where the name may be wrong or have no meaning for this training."""
    known("hyper-parameter", name, HP)
    if name == "dropout" and (shared.net is None or not shared.net.drops):
        raise TreinoError(
            "dropout_without_layer",
            _("This network has no dropout layers to set."),
            _("Begin with a dropout above 0: mlp(64, 32, dropout=0.1)."),
        )
    if name == "clip" and value is None:
        value = math.inf
    value_P = per_member(name, value, members)
    _is_read(name, value_P, shared.optimizer)
    return value_P


def hyperparameters(optimizer: str, members: int, betas: Any, **values: Any) -> dict[str, Tensor]:
    """All of HP, each ``[P]`` float64; refused where this optimizer would not look at what was asked for."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise TreinoError(
            "betas_type",
            _("betas are {value!r}, not two numbers.").format(value=betas),
            _("The usual ones are betas=(0.9, 0.999)."),
        )
    given = {"beta1": betas[0], "beta2": betas[1], **values}
    hp = {name: per_member(name, given[name], members) for name in HP}
    for name, value_P in hp.items():
        _is_read(name, value_P, optimizer)
    return hp


def _is_read(name: str, value_P: Tensor, optimizer: str) -> None:
    reads, usual = OPTIMIZERS[optimizer].reads, HP[name][0]
    if name == "momentum" and name not in reads and bool((value_P != 0).any()):
        raise TreinoError(
            "momentum_with_adam",
            _("momentum is a setting of sgd; {optimizer} has none.").format(optimizer=optimizer),
            _("Use optimizer='sgd', or betas=({value}, 0.999).").format(value=f"{float(value_P.max()):g}"),
        )
    if name in ("beta1", "beta2") and "betas" not in reads and bool((value_P != usual).any()):
        raise TreinoError(
            "betas_with_sgd",
            _("betas are settings of adam and adamw; {optimizer} has none.").format(optimizer=optimizer),
            _("Use optimizer='adam', or momentum={value}.").format(value=f"{float(value_P[0]):g}"),
        )
    if name == "eps" and name not in reads and bool((value_P != usual).any()):
        raise TreinoError(
            "eps_with_sgd",
            _("eps is a setting of adam and adamw; {optimizer} has none.").format(optimizer=optimizer),
            _("Use optimizer='adam', or leave eps out."),
        )


def check_range(name: str, value: object, low: float, high: float) -> float:
    """A number in [low, high)."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) < high:
        raise TreinoError(
            f"{name}_range",
            _("{name} is {value!r}, not a number from {low} to below {high}.").format(
                name=name, value=value, low=low, high=high
            ),
            _("Leave it out for the usual value."),
        )
    return float(value)


def truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TreinoError(
            f"{name}_type",
            _("{name} is {value!r}, neither True nor False.").format(name=name, value=value),
            _("Use {name}=True, or leave it out.").format(name=name),
        )
    return value


def seeds_of(seeds: Any) -> tuple[int, ...]:
    """One whole number, or some of them."""
    if hasattr(seeds, "tolist"):
        seeds = seeds.tolist()
    several = isinstance(seeds, Iterable) and not isinstance(seeds, str)
    found = tuple(whole("seeds", seed, 0) for seed in (seeds if several else (seeds,)))
    if not found:
        raise TreinoError("seeds_empty", _("There is no seed."), _("Give at least one: seeds=(0,)."))
    return found


def dtype_of(dtype: object) -> torch.dtype:
    if dtype not in (torch.float32, torch.float64) or not isinstance(dtype, torch.dtype):
        raise TreinoError(
            "dtype_unknown",
            _("Training in {dtype!r} isn't possible.").format(dtype=dtype),
            _("Use torch.float32 or torch.float64."),
        )
    return dtype


def faults(fault: str | Sequence[str] | None) -> tuple[str, ...]:
    names = fault if isinstance(fault, tuple | list | set | frozenset) else () if fault is None else (fault,)
    return tuple(known("fault", name, FAULTS) for name in names)
