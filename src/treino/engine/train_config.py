"""The settings of a population's members, checked for consistency."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from treino.base.errors import Refusal, nearest
from treino.base.registry import registered
from treino.base.words import setting
from treino.engine.augmentation import strengths_of
from treino.engine.devices import resolve_device
from treino.engine.hyperparameters import check_read, check_reads, one_for_each, per_member, whole
from treino.engine.kernels.selection import ENGINES
from treino.engine.optim import BETAS, HP
from treino.engine.registries import REGISTRIES
from treino.engine.rng import member_seeds
from treino.settings.spec import FAULTS, OF_ENGINE, UNKNOWN_SETTING, Settings, faults_of, read_settings

DTYPE_UNKNOWN = Refusal("Training in {dtype!r} isn't possible.", "Use torch.float32 or torch.float64.")
SEED_AND_SEEDS = Refusal("{a} and {b} both say what is drawn.", "Give one of them.")
SEEDS_EMPTY = Refusal("There is no seed.", "Give at least one: seeds=(0,).")
NESTEROV_WITHOUT_MOMENTUM = Refusal("[[nesterov]] needs [[momentum]] above 0.", "Add [[momentum=0.9]].")
ENSEMBLE_SEEDS = Refusal(
    "An ensemble of {n} can't have {seeds} seeds.",
    "Give one, from which the others are derived, or one for each member.",
)

OF_UPDATE = ("momentum", "betas", "eps", "weight_decay", "clip")
SIDE_BY_SIDE = ("seed", "lr", *OF_UPDATE, "ema", "schedule", "warmup")
"""The settings in which members of a population may differ, besides the network's dropout."""


@dataclass(frozen=True)
class TrainConfig:
    """The settings of every member of a population; members may differ only in the settings of SIDE_BY_SIDE.

    Make one with ``config_of`` or ``config_of_keywords``, which check it. every: steps per tick; None: an
    epoch. dtype: of rows and weights.
    """

    members: tuple[Settings, ...]
    every: int | None = None
    dtype: torch.dtype = torch.float32

    @property
    def shared(self) -> Settings:
        """The first member's settings, to read settings that all members share."""
        return self.members[0]

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(s.seed for s in self.members)

    @cached_property
    def device(self) -> torch.device:
        return resolve_device(self.shared.device, self.dtype)

    @property
    def faults(self) -> tuple[str, ...]:
        return faults_of(self.shared)

    @property
    def schedules(self) -> list[tuple[str, int]]:
        """Each member's schedule and warm-up steps."""
        return [(s.schedule or "constant", s.warmup) for s in self.members]

    def rows_per_step(self, rows: int) -> int:
        """The batch size for ``rows`` training rows. Call ``with_defaults`` before."""
        size = self.shared.batch_size
        return min(size, rows) if isinstance(size, int) else rows

    @property
    def optimizer_values(self) -> dict[str, list[float]]:
        """``{name: [P]}`` of the hyper-parameters that only some optimizers read."""
        beta1_P, beta2_P = zip(*(s.betas or BETAS for s in self.members), strict=True)
        return {
            "momentum": [s.momentum for s in self.members],
            "beta1": list(beta1_P),
            "beta2": list(beta2_P),
            "eps": [s.eps for s in self.members],
            "weight_decay": [s.weight_decay for s in self.members],
        }

    def hyperparameters(self, dropout: float | Sequence[float] = 0.0) -> dict[str, torch.Tensor]:
        """``{name: [P] float64}`` at the first step.

        Call ``with_defaults`` before.

        Raises:
            TreinoError: the number of dropout rates differs from the number of members.
        """
        numbers = self.optimizer_values | {"clip": [s.clip or math.inf for s in self.members]}
        hp = {"dropout": per_member("dropout", dropout, len(self.members))}
        for name in HP.keys() - hp.keys():
            value_P = numbers[name] if name in numbers else [getattr(s, name) for s in self.members]
            hp[name] = torch.tensor(value_P, dtype=torch.float64)
        return {name: hp[name] for name in HP}

    def with_settings(self, **values: Any) -> "TrainConfig":
        """A copy with these values for all members. values: already checked."""
        return replace(self, members=tuple(s.filled(values) for s in self.members))

    def rows(self, rows: Sequence[int]) -> "TrainConfig":
        """The config of only these members."""
        return replace(self, members=tuple(self.members[row] for row in rows))


def config_of(
    members: Sequence[Settings], every: int | None = None, dtype: torch.dtype = torch.float32
) -> TrainConfig:
    """Check the members' settings, which may differ only in SIDE_BY_SIDE, and return their config.
    ``ensemble=n`` becomes n members with derived seeds.

    Raises:
        TreinoError: an unknown name; settings that contradict each other or that this machine can't fulfil.
    """
    if dtype not in (torch.float32, torch.float64):
        raise DTYPE_UNKNOWN(dtype=dtype)
    every = None if every is None else whole("every", every, 1)
    config = TrainConfig(tuple(members), every, dtype)
    ensemble = config.shared.ensemble
    if ensemble > 1 and len(members) == 1:
        seeds = member_seeds(config.shared.seed, ensemble)
        config = replace(
            config, members=tuple(config.shared.model_copy(update={"seed": seed}) for seed in seeds)
        )
    elif ensemble not in (1, len(members)):
        raise ENSEMBLE_SEEDS(n=ensemble, seeds=len(members))
    _check_names(config)
    config = replace(config, members=tuple(map(_canonical, config.members)))
    _check_optimizer(config)
    assert config.device  # raises if the device isn't available
    return config


def config_of_keywords(
    keywords: Mapping[str, Any], seeds: Any, every: int | None, dtype: torch.dtype
) -> TrainConfig:
    """Make the config from the keywords of ``treino.train``: one value each, or a list with one per seed.

    Raises:
        TreinoError: as ``config_of``; an unknown keyword; a value of a wrong type or out of range.
    """
    for name in keywords:
        if name not in OF_ENGINE:
            raise UNKNOWN_SETTING(name=setting(name), hint=nearest(name, OF_ENGINE))
    if seeds is not None and "seed" in keywords:
        raise SEED_AND_SEEDS(a="seed", b="seeds")
    seed_P = seeds if seeds is not None else keywords.get("seed", 0)
    seed_P = seed_P.tolist() if hasattr(seed_P, "tolist") else seed_P
    seed_P = list(seed_P) if isinstance(seed_P, Sequence) and not isinstance(seed_P, str) else [seed_P]
    if not seed_P:
        raise SEEDS_EMPTY()
    values = {n: v.tolist() if hasattr(v, "tolist") else v for n, v in keywords.items() if v is not None}
    lists = {n: v for n, v in values.items() if n in SIDE_BY_SIDE and isinstance(v, list | tuple)}
    # one value of betas is a pair already
    several = {n for n, v in lists.items() if n != "betas" or any(isinstance(b, list | tuple) for b in v)}
    count = values.get("ensemble", 1) if len(seed_P) == 1 else len(seed_P)
    each = {name: _of_members(name, values[name], count) for name in several - {"seed"}}
    usual: dict[str, Any] = {"device": "cpu", "patience": 0}
    usual |= {name: value for name, value in values.items() if name not in several}
    if isinstance(usual["device"], torch.device):
        usual["device"] = str(usual["device"])
    if not each:
        first = read_settings(usual | {"seed": seed_P[0]})
        more = [read_settings({"seed": seed}).seed for seed in seed_P[1:]]
        members = [first, *(first.model_copy(update={"seed": seed}) for seed in more)]
    else:
        if len(seed_P) == 1:
            seed_P = list(member_seeds(read_settings({"seed": seed_P[0]}).seed, count))
        members = [
            read_settings(usual | {"seed": seed} | {name: value_P[member] for name, value_P in each.items()})
            for member, seed in enumerate(seed_P)
        ]
    return config_of(members, every, dtype)


def _of_members(name: str, value: Any, members: int) -> list[Any]:
    """A list of one value per member, made from such a list or from a list of a single value."""
    if name == "betas":
        pairs = [list(beta) if isinstance(beta, list | tuple) else [beta] * members for beta in value]
        value = list(zip(*pairs, strict=True)) if len(set(map(len, pairs))) == 1 else pairs[0]
    return one_for_each(name, value, members)


def _check_names(config: TrainConfig) -> None:
    """Refuse names that their registry doesn't have."""
    for name, registry in REGISTRIES.items():
        for value in {getattr(s, name) for s in config.members} - {None}:
            registry.key(name, value)
    strengths_of(config.shared.augment or "none")
    if config.shared.engine is not None:
        registered("engine", config.shared.engine, ENGINES)
    for fault in config.shared.fault:
        registered("fault", fault, FAULTS)


def _canonical(s: Settings) -> Settings:
    """The settings with treino's name for a loss or an optimizer that was named as its class in torch."""
    names: dict[str, str] = {}
    for name in ("loss", "optimizer"):
        value, registry = getattr(s, name), REGISTRIES[name]
        if value is not None and value not in registry:
            for own, entry in registry.items():
                if entry is registry[value]:
                    names[name] = own
    return s.model_copy(update=names) if names else s


def _check_optimizer(config: TrainConfig) -> None:
    """Refuse settings that the optimizer doesn't use."""
    optimizer = config.shared.optimizer
    for name, value_P in config.optimizer_values.items():
        check_read(name, value_P, optimizer)
    if not config.shared.nesterov:
        return
    check_reads("nesterov", optimizer)
    if not all(s.momentum > 0 for s in config.members):
        raise NESTEROV_WITHOUT_MOMENTUM()
