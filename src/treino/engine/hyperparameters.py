"""Hyper-parameters of members: numbers ``[P]`` within their ranges, and which of them an optimizer reads."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from treino.engine.optim import HP, OPTIMIZERS, readers
from treino.engine.value_checks import known
from treino.errors import TreinoError
from treino.words import _, setting


def per_member(name: str, value: Any, members: int) -> Tensor:
    """``[P]`` float64 within the range of the hyper-parameter, from one number or one per member."""
    return torch.tensor(checked_numbers(name, value, members), dtype=torch.float64).expand(members).clone()


def checked_numbers(name: str, value: Any, members: int) -> list[float]:
    """One number or one per member, within the range of the hyper-parameter.

    Raises:
        TreinoError: no number, too many or too few of them, or one out of range.
    """
    low, high = HP[name][1:]
    try:
        if any(isinstance(v, bool) for v in (value if isinstance(value, tuple | list) else (value,))):
            raise TypeError
        values = [float(value)] if isinstance(value, int | float) else _list(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise TreinoError(
            f"{name}_type",
            _("{name} is {value!r}, not a number.").format(name=setting(name), value=value),
            _("Use a number, or one for each member."),
        ) from error
    if len(values) not in (1, members):
        raise TreinoError(
            f"{name}_count",
            _("{name} has {n} values for {members} members.").format(
                name=setting(name), n=len(values), members=members
            ),
            _("Use one number, or one for each member."),
        )
    open_low = name in ("eps", "clip")
    for member, number in enumerate(values):
        if not low <= number <= high or (open_low and number == low):
            where = _(" (member {member})").format(member=member) if len(values) > 1 else ""
            raise TreinoError(
                f"{name}_range",
                _("{name} is {value}{where}, outside {low} to {high}.").format(
                    name=setting(name), value=f"{number:g}", where=where, low=f"{low:g}", high=f"{high:g}"
                ),
                _("The usual value is {usual}.").format(
                    usual=f"{HP[name][0]:g}" if math.isfinite(HP[name][0]) else 1
                ),
            )
    return values


def _list(value: Any) -> list[float]:
    found: list[float] = torch.as_tensor(value, dtype=torch.float64, device="cpu").reshape(-1).tolist()
    return found


def check_read(name: str, values: Sequence[float], optimizer: str) -> None:
    """Refuse values that this optimizer would not look at."""
    reads = OPTIMIZERS[optimizer].reads
    usual = all(value == HP[name][0] for value in values)
    if name == "momentum" and name not in reads and not usual:
        raise TreinoError(
            "momentum_with_adam",
            _("[[momentum]] is a setting of {names}; {optimizer} has none.").format(
                names=_(" and ").join(readers(name)), optimizer=optimizer
            ),
            _("Use [[optimizer=sgd]], or {betas}.").format(betas=setting("betas", (max(values), 0.999))),
        )
    if name in ("beta1", "beta2") and "betas" not in reads and not usual:
        raise TreinoError(
            "betas_with_sgd",
            _("[[betas]] are settings of {names}; {optimizer} has none.").format(
                names=_(" and ").join(readers("betas")), optimizer=optimizer
            ),
            _("Use [[optimizer=adam]], or {momentum}.").format(momentum=setting("momentum", values[0])),
        )
    if name == "eps" and name not in reads and not usual:
        raise TreinoError(
            "eps_with_sgd",
            _("eps is a setting of {names}; {optimizer} has none.").format(
                names=_(" and ").join(readers(name)), optimizer=optimizer
            ),
            _("Use [[optimizer=adam]], or leave eps out."),
        )


def two_betas(value: Any) -> Sequence[Any]:
    """The value itself, if it is two; each may be of all members."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TreinoError(
            "betas_type",
            _("[[betas]] are {value!r}, not two numbers.").format(value=value),
            _("The usual ones are {betas}.").format(betas=setting("betas", (0.9, 0.999))),
        )
    return value


def changed_values(
    name: str, value: Any, members: int, optimizer: str, has: Mapping[str, bool]
) -> dict[str, Tensor]:
    """``[P]`` float64 of a change on the way, by the names of HP: ``betas`` are two of them.

    has: whether the network has layers of ``dropout``, and the training an average by ``ema``. A clip of None
    is none.

    Raises:
        TreinoError: an unknown name, a value out of range, or one that has no meaning here.
    """
    if name == "betas":
        first, second = two_betas(value)
        found = {"beta1": per_member("beta1", first, members), "beta2": per_member("beta2", second, members)}
    else:
        known("hyper-parameter", name, (*HP, "betas"))
        if name == "ema" and not has["ema"]:
            raise TreinoError(
                "ema_without_average",
                _("This training keeps no running average of its weights."),
                _("Begin with an ema above 0, e.g. [[ema=0.98]]."),
            )
        if name == "dropout" and not has["dropout"]:
            raise TreinoError(
                "dropout_without_layer",
                _("This network has no dropout layers to set."),
                _("Begin with a dropout above 0, e.g. [[dropout=0.1]]."),
            )
        found = {name: per_member(name, math.inf if name == "clip" and value is None else value, members)}
    for each, value_P in found.items():
        check_read(each, value_P.tolist(), optimizer)
    return found
