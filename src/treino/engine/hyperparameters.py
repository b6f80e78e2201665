"""Members' hyper-parameters: checks that values ``[P]`` are in range and that the optimizer uses them."""

import math
from collections.abc import Collection, Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from treino.base.errors import Refusal, TreinoError
from treino.base.registry import registered
from treino.base.words import _, setting
from treino.engine.optim import BETAS, HP, OPTIMIZERS, readers
from treino.settings.spec import Settings, read_settings

EMA_WITHOUT_AVERAGE = Refusal(
    "This training keeps no running average of its weights.", "Begin with an ema above 0, e.g. [[ema=0.98]]."
)
DROPOUT_WITHOUT_LAYER = Refusal(
    "This network has no dropout layers to set.", "Begin with a dropout above 0, e.g. [[dropout=0.1]]."
)
NOT_STEERABLE = Refusal("{optimizer} has no {name} that could change while it trains.", "What can: {names}.")
NUMBER_WANTED = Refusal("{name} is {value!r}, and not a finite number.", "Write e.g. {name}=0.5.")

# ---- checks of single values

LARGEST_WHOLE = 2**63 - 1


def whole(name: str, value: object, least: int, most: int = LARGEST_WHOLE, text: str | None = None) -> int:
    """Check an integer and its range. text: the name in the error, if it isn't a setting."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise TreinoError(
            f"{name}_range",
            _("{what} is {value!r}, not a whole number from {least} to {most}.").format(
                what=text or setting(name), value=value, least=least, most=most
            ),
            _("Use e.g. {example}.").format(example=min(max(least, 10), most)),
        )
    return int(value)


# ---- hyper-parameters of members


def may_be_hyperparameter(name: str) -> bool:
    """Whether the name is of a hyper-parameter that every training has, or can be of a number that the user's
    own optimizer alone knows, since it is no setting's."""
    return name in HP or name not in Settings.model_fields


OFF = {"lr": 0.0, "clip": math.inf}
"""Values that only a change during training may set: fixed weights, unclipped gradients."""


def per_member(name: str, value: Any, members: int) -> Tensor:
    """``[P]`` float64, from one number or one per member, checked against the hyper-parameter's range."""
    return torch.tensor(checked_numbers(name, value, members), dtype=torch.float64)


def checked_numbers(name: str, value: Any, members: int) -> list[float]:
    """Check that value is one number, or one per member, within the setting's range; return a list.

    Raises:
        TreinoError: not a number, a wrong count of numbers, or one out of range.
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    values = value if isinstance(value, tuple | list) else [value]
    return [_number(name, each) for each in one_for_each(name, values, members)]


def one_for_each(name: str, values: Sequence[Any], members: int) -> list[Any]:
    """Return the values, one per member; a single value is repeated for each member.

    Raises:
        TreinoError: another count of values.
    """
    if len(values) not in (1, members):
        raise TreinoError(
            f"{name}_count",
            _("{name} has {n} values for {members} members.").format(
                name=setting(name), n=len(values), members=members
            ),
            _("Give one, or one for each member."),
        )
    return list(values) * members if len(values) == 1 else list(values)


def _number(name: str, value: Any) -> float:
    if name not in HP and may_be_hyperparameter(name):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise NUMBER_WANTED(name=name, value=value)
        return float(value)
    if name in ("beta1", "beta2"):
        betas = read_settings({"betas": (value, value)}).betas
        assert betas is not None
        return betas[0]
    if name in OFF and value == OFF[name] and not isinstance(value, bool):
        return OFF[name]
    return float(getattr(read_settings({name: "" if value is None else value}), name))


def check_read(name: str, values: Sequence[float], optimizer: str) -> None:
    """Refuse values of a hyper-parameter that this optimizer doesn't use."""
    usual = all(value == HP.get(name) for value in values)
    if name == "momentum" and not usual:
        check_reads(name, optimizer, setting("betas", (max(values), 0.999)))
    elif name in ("beta1", "beta2") and not usual:
        check_reads("betas", optimizer, setting("momentum", values[0]))
    elif name in ("eps", "weight_decay") and not usual:
        check_reads(name, optimizer)


def check_reads(name: str, optimizer: str, other: str | None = None) -> None:
    """Refuse a setting that this optimizer doesn't use. other: its own setting for the same purpose."""
    reading = readers(name)
    if name in OPTIMIZERS[optimizer].reads:
        return
    rule = "momentum_with_adam" if reading == ["sgd"] else f"{name}_with_sgd"
    if optimizer not in OPTIMIZERS:
        rule = f"{name}_unread"
    use = setting("optimizer", reading[0])
    raise TreinoError(
        rule,
        _("{name} is a setting of {names}; {optimizer} has none.").format(
            name=setting(name), names=_(" and ").join(reading), optimizer=optimizer
        ),
        _("Use {a}, or leave it out.").format(a=use)
        if other is None
        else _("Use {a}, or {b}.").format(a=use, b=other),
    )


def changed_values(
    name: str, value: Any, members: int, optimizer: str, steerable: Collection[str]
) -> dict[str, Tensor]:
    """The values ``[P]`` float64 of a change during training, by the names of hyper-parameters (two for
    ``betas``).

    steerable: as of a ``TrainingLoop``. clip=None: no clipping.

    Raises:
        TreinoError: an unknown name, a value out of range, or one without effect in this training.
    """
    if name == "betas":
        pair = isinstance(value, tuple | list) and len(value) == 2
        betas = value if pair else read_settings({"betas": value}).betas or BETAS
        values = {f"beta{i + 1}": per_member(f"beta{i + 1}", beta, members) for i, beta in enumerate(betas)}
    else:
        if name == "ema" and name not in steerable:
            raise EMA_WITHOUT_AVERAGE()
        if name == "dropout" and name not in steerable:
            raise DROPOUT_WITHOUT_LAYER()
        if OPTIMIZERS[optimizer].own is None:
            registered("hyper-parameter", name, (*HP, "betas"))
        elif name not in (*HP, *steerable):
            raise NOT_STEERABLE(optimizer=optimizer, name=name, names=", ".join(steerable))
        values = {name: per_member(name, math.inf if name == "clip" and value is None else value, members)}
    for each, value_P in values.items():
        check_read(each, value_P.tolist(), optimizer)
        if each not in steerable and bool((value_P != HP[each]).any()):
            raise NOT_STEERABLE(optimizer=optimizer, name=each, names=", ".join(steerable))
    return values


def single_values(name: str, value: Any, optimizer: str, steerable: Collection[str]) -> dict[str, Any]:
    """The values of a change of one network by the names of hyper-parameters, as commands and records hold
    them.

    Raises:
        TreinoError: as ``changed_values``.
    """
    value_P = changed_values(name, value, 1, optimizer, steerable)
    return {each: value if each == name else float(value_P[each][0]) for each in value_P}
