"""The settings of a training: names, defaults, and the checks that need no data."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from inspect import Parameter, Signature
from typing import Any, Literal, TypedDict, get_args

import torch

from treino.data.row_order import Shuffle
from treino.engine.devices import resolve_device
from treino.engine.hyperparameters import check_read, checked_numbers, per_member, two_betas
from treino.engine.kernels.selection import ENGINES, LARGEST_THREADS
from treino.engine.optim import OPTIMIZERS, readers
from treino.engine.registries import REGISTRIES
from treino.engine.rng import member_seeds
from treino.engine.schedules import SCHEDULES
from treino.engine.value_checks import LARGEST_WHOLE, in_range, known, truth, whole
from treino.errors import TreinoError
from treino.spec import FAULTS
from treino.words import _, setting

MemberNumbers = float | Sequence[float]  # of all members, or one for each
Auto = Literal["auto"]
Keep = Literal["best", "last"]

LARGEST_ENSEMBLE = 256
PER_MEMBER = ("lr", "momentum", "eps", "weight_decay", "clip", "ema")
NAMES: dict[str, Collection[str]] = {
    **{name: REGISTRIES[name] for name in ("optimizer", "loss", "init", "metric")},
    "keep": get_args(Keep),
    "shuffle": get_args(Shuffle),
    "engine": ENGINES,
}
WHOLE_RANGES: dict[str, tuple[int, int]] = {  # the smallest, and the largest
    "epochs": (1, LARGEST_WHOLE),
    "steps": (1, LARGEST_WHOLE),
    "patience": (0, LARGEST_WHOLE),
    "data_seed": (0, LARGEST_WHOLE),
    "every": (1, LARGEST_WHOLE),
    "threads": (1, LARGEST_THREADS),
    "ensemble": (1, LARGEST_ENSEMBLE),
}


@dataclass(frozen=True)
class Defaults:
    """What is decided by the kind of data where it is left open."""

    hidden: tuple[int, ...]
    lr: float
    batch_size: int
    epochs: int


PATIENCE = 20  # epochs without improvement, of a training whose length nobody said
DEFAULTS = {
    "table": Defaults(hidden=(64, 32), lr=3e-3, batch_size=32, epochs=200),
    "image": Defaults(hidden=(128, 128), lr=1e-3, batch_size=100, epochs=10),
}


@dataclass(frozen=True)
class TrainConfig:
    """The keywords of ``treino.train``, which says what each of them means; checked when it is made.

    Values are kept in plain form: numbers of members as a float or a tuple of floats, seeds as a tuple, the
    device as a ``torch.device``. What is decided by the kind of data (lr and epochs of None, a batch_size of
    ``auto``) is filled in by ``for_data``.

    Raises:
        TreinoError: a value out of range, an unknown name, settings that contradict each other.
    """

    optimizer: str = "adam"
    lr: MemberNumbers | None = None
    momentum: MemberNumbers = 0.0
    nesterov: bool = False
    betas: tuple[MemberNumbers, MemberNumbers] = (0.9, 0.999)
    eps: MemberNumbers = 1e-8
    weight_decay: MemberNumbers = 0.0
    schedule: str | Sequence[str] = "constant"
    warmup: int | Sequence[int] = 0
    clip: MemberNumbers | None = None
    ema: MemberNumbers = 0.0
    loss: str | None = None
    label_smoothing: float = 0.0
    class_weights: str | Sequence[float] | None = None
    init: str = "default"
    batch_size: int | Auto | None = "auto"
    epochs: int | None = None
    steps: int | None = None
    patience: int = 0
    metric: str = "loss"
    keep: Keep = "best"
    shuffle: Shuffle = "each"
    seeds: int | Sequence[int] = (0,)
    data_seed: int | None = None
    ensemble: int = 1
    clip_target: bool = False
    device: str | torch.device = "cpu"
    engine: str | None = None
    threads: int | None = None
    fault: str | Sequence[str] | None = ()
    every: int | None = None
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        for name, value in _checked(self).items():
            object.__setattr__(self, name, value)

    @property
    def members(self) -> int:
        """Networks that are trained side by side: one for each seed."""
        return len(self.member_seeds)

    @property
    def member_seeds(self) -> tuple[int, ...]:
        return tuple(self.seeds)  # type: ignore[arg-type]

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(self.fault or ())

    @property
    def member_schedules(self) -> list[tuple[str, int]]:
        """Each member's schedule and warm-up steps."""
        names, warmups = (_each(value, self.members) for value in (self.schedule, self.warmup))
        return list(zip(names, warmups, strict=True))

    def rows_per_step(self, rows: int) -> int:
        """Of so many training rows; of a config that ``for_data`` has completed."""
        return min(self.batch_size, rows) if isinstance(self.batch_size, int) else rows

    def hyperparameters(self, dropout: MemberNumbers = 0.0) -> dict[str, torch.Tensor]:
        """``{name: [P] float64}`` before the first step; of a config that ``for_data`` has completed.

        Raises:
            TreinoError: as many dropout rates as there are no members.
        """
        values = {
            "lr": self.lr,
            "weight_decay": self.weight_decay,
            "momentum": self.momentum,
            "beta1": self.betas[0],
            "beta2": self.betas[1],
            "eps": self.eps,
            "clip": math.inf if self.clip is None else self.clip,
            "dropout": dropout,
            "ema": self.ema,
        }
        return {name: per_member(name, value, self.members) for name, value in values.items()}

    def for_data(self, kind: str, **found: Any) -> "TrainConfig":
        """The same with what was left open as it is usual for this kind of data, ``table`` or ``image``.

        found: what the data says itself, in the place of these values.
        """
        usual = DEFAULTS[kind]
        known = {
            "lr": usual.lr if self.lr is None else self.lr,
            "batch_size": usual.batch_size if self.batch_size == "auto" else self.batch_size,
            "epochs": usual.epochs if self.epochs is None and self.steps is None else self.epochs,
        }
        return replace(self, **known | found)


class TrainSettings(TypedDict, total=False):
    """The fields of TrainConfig as keywords, for whoever reads types instead of running the program."""

    optimizer: str
    lr: MemberNumbers | None
    momentum: MemberNumbers
    nesterov: bool
    betas: tuple[MemberNumbers, MemberNumbers]
    eps: MemberNumbers
    weight_decay: MemberNumbers
    schedule: str | Sequence[str]
    warmup: int | Sequence[int]
    clip: MemberNumbers | None
    ema: MemberNumbers
    loss: str | None
    label_smoothing: float
    class_weights: str | Sequence[float] | None
    init: str
    batch_size: int | Auto | None
    epochs: int | None
    steps: int | None
    patience: int
    metric: str
    keep: Keep
    shuffle: Shuffle
    seeds: int | Sequence[int]
    data_seed: int | None
    ensemble: int
    clip_target: bool
    device: str | torch.device
    engine: str | None
    threads: int | None
    fault: str | Sequence[str] | None
    every: int | None
    dtype: torch.dtype


def with_keywords(signature: Signature) -> Signature:
    """A signature whose ``**settings`` are spelt out: every field of TrainConfig is a keyword."""
    own = [p for p in signature.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    keywords = (
        Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
        for f in fields(TrainConfig)
    )
    return signature.replace(parameters=[*own, *keywords])


def _checked(c: TrainConfig) -> dict[str, Any]:
    """All values, checked, in the form in which they are kept."""
    if not isinstance(c.dtype, torch.dtype) or c.dtype not in (torch.float32, torch.float64):
        raise TreinoError(
            "dtype_unknown",
            _("Training in {dtype!r} isn't possible.").format(dtype=c.dtype),
            _("Use torch.float32 or torch.float64."),
        )
    values = {field.name: getattr(c, field.name) for field in fields(c)}
    optional = {field.name for field in fields(c) if field.default is None}
    there = {name: value for name, value in values.items() if value is not None or name not in optional}
    seeds = _seeds(c.seeds, whole("ensemble", c.ensemble, *WHOLE_RANGES["ensemble"]))
    found: dict[str, Any] = {"seeds": seeds, "device": resolve_device(c.device, c.dtype)}
    for name in NAMES.keys() & there.keys():
        known(name, values[name], NAMES[name])
    for name in WHOLE_RANGES.keys() & there.keys():
        found[name] = whole(name, values[name], *WHOLE_RANGES[name])
    if c.batch_size not in ("auto", None):
        found["batch_size"] = whole("batch_size", c.batch_size, 1)
    if c.epochs is not None and c.steps is not None:
        raise TreinoError(
            "epochs_and_steps",
            _("[[epochs]] and [[steps]] both say how long to train."),
            _("Give one of them."),
        )
    found["label_smoothing"] = in_range("label_smoothing", c.label_smoothing, 0.0, 1.0)
    found["class_weights"] = _class_weights(c.class_weights)
    is_list = isinstance(c.fault, tuple | list | set | frozenset)
    faults: Any = c.fault if is_list else () if c.fault is None else (c.fault,)
    found["fault"] = tuple(known("fault", name, FAULTS) for name in faults)
    found |= _schedules(c, len(seeds))
    return found | _hyperparameters(c, there, len(seeds))


def _seeds(seeds: Any, ensemble: int) -> tuple[int, ...]:
    """One whole number, or some of them; of an ensemble one for each member, derived where one is given."""
    if hasattr(seeds, "tolist"):
        seeds = seeds.tolist()
    is_list = isinstance(seeds, Iterable) and not isinstance(seeds, str)
    found = tuple(whole("seeds", seed, 0) for seed in (seeds if is_list else (seeds,)))
    if not found:
        raise TreinoError("seeds_empty", _("There is no seed."), _("Give at least one: seeds=(0,)."))
    if ensemble > 1 and len(found) == 1:
        return member_seeds(found[0], ensemble)
    if ensemble not in (1, len(found)):
        raise TreinoError(
            "ensemble_seeds",
            _("An ensemble of {n} can't have {seeds} seeds.").format(n=ensemble, seeds=len(found)),
            _("Give one, from which the others are derived, or one for each member."),
        )
    return found


def _hyperparameters(c: TrainConfig, there: Iterable[str], members: int) -> dict[str, Any]:
    """Numbers of the members as floats or tuples of floats, none of which the optimizer leaves unread."""
    beta1, beta2 = two_betas(c.betas)
    named = {name: getattr(c, name) for name in PER_MEMBER if name in there}
    named |= {"beta1": beta1, "beta2": beta2}
    values = {name: checked_numbers(name, value, members) for name, value in named.items()}
    for name, numbers in values.items():
        check_read(name, numbers, c.optimizer)
    _check_nesterov(truth("nesterov", c.nesterov), c.optimizer, values["momentum"])
    plain = {name: tuple(numbers) if len(numbers) > 1 else numbers[0] for name, numbers in values.items()}
    return {name: plain[name] for name in PER_MEMBER if name in there} | {
        "betas": (plain["beta1"], plain["beta2"])
    }


def _check_nesterov(nesterov: bool, optimizer: str, momentum: Sequence[float]) -> None:
    if nesterov and "nesterov" not in OPTIMIZERS[optimizer].reads:
        raise TreinoError(
            "momentum_with_adam",
            _("[[nesterov]] is a setting of {names}; {optimizer} has none.").format(
                names=_(" and ").join(readers("nesterov")), optimizer=optimizer
            ),
            _("Use [[optimizer=sgd]], or leave it out."),
        )
    if nesterov and not all(value > 0 for value in momentum):
        raise TreinoError(
            "nesterov_without_momentum",
            _("[[nesterov]] needs [[momentum]] above 0."),
            _("Add [[momentum=0.9]]."),
        )


def _schedules(c: TrainConfig, members: int) -> dict[str, Any]:
    for name in ("schedule", "warmup"):
        values = getattr(c, name)
        if isinstance(values, list | tuple) and len(values) != members:
            raise TreinoError(
                f"{name}_count",
                _("{name} has {n} values for {members} members.").format(
                    name=setting(name), n=len(values), members=members
                ),
                _("Give one, or one for each member."),
            )
    names = [known("schedule", name, SCHEDULES) for name in _each(c.schedule, members)]
    warmups = [whole("warmup", steps, 0) for steps in _each(c.warmup, members)]
    return {
        "schedule": tuple(names) if isinstance(c.schedule, list | tuple) else names[0],
        "warmup": tuple(warmups) if isinstance(c.warmup, list | tuple) else warmups[0],
    }


def _each(value: Any, members: int) -> list[Any]:
    """One for each member."""
    return list(value) if isinstance(value, list | tuple) else [value] * members


def _class_weights(weights: Any) -> str | tuple[float, ...] | None:
    """``balanced``, or numbers above 0; whether there is one for each class is known with the data."""
    if weights is None or (isinstance(weights, str) and weights == "balanced"):
        return weights
    try:
        found = tuple(float(w) for w in weights)
    except (TypeError, ValueError) as error:
        raise TreinoError(
            "class_weights_type",
            _("[[class_weights]] are {weights!r}, not numbers.").format(weights=weights),
            _("Give one number above 0 for each class, or 'balanced'."),
        ) from error
    if not all(0 < w < math.inf for w in found):
        raise TreinoError(
            "class_weights_range",
            _("[[class_weights]] must be above 0; they are {value}.").format(
                value=",".join(f"{w:g}" for w in found)
            ),
            _(
                "Give one weight for each class, or 'balanced'. A class that is not to be learnt: leave its "
                "rows out."
            ),
        )
    return found
