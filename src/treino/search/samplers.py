"""Samplers of settings: grid, random, Sobol and Optuna.

A sampler answers ``ask(count)`` with at most ``count`` settings, never the same twice in a finite space, and
gets their figures by ``tell``. The settings depend on the space, the seed and the reported figures alone, not
on the size of batches.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch

from treino.data.rows import generator
from treino.errors import TreinoError, nearest
from treino.search.space import Config, Space
from treino.words import _

PATIENCE = 1000  # consecutive points that were all seen before


class Sampler(Protocol):
    """The interface of samplers."""

    def ask(self, count: int) -> list[Config]:
        """The next members' settings: fewer than ``count`` if there are no more, [] at the end."""
        ...

    def replay(self, configs: Sequence[Config]) -> list[Config]:
        """Repeat the settings asked for before a resume; equal unless something changed."""
        ...

    def tell(self, member: int, value: float | None) -> None:
        """Report the figure (lower is better) of member number ``member``, in the order of ``ask``; None: it
        diverged."""
        ...


class ListSampler:
    """Settings from an iterator, one after the other; figures have no effect."""

    def __init__(self, configs: Iterator[Config]) -> None:
        self._configs = configs

    def ask(self, count: int) -> list[Config]:
        return [config for _i, config in zip(range(count), self._configs, strict=False)]

    def replay(self, configs: Sequence[Config]) -> list[Config]:
        return self.ask(len(configs))

    def tell(self, member: int, value: float | None) -> None:
        """Does nothing: the settings don't depend on figures."""


def grid(space: Space) -> ListSampler:
    """Every combination, the last dimension changing fastest."""
    return ListSampler(iter(space.grid))


def random(space: Space, seed: int = 0) -> ListSampler:
    """Each setting is drawn independently; a finite space is drawn without repetition, to the end."""
    return ListSampler(_shuffled(space, seed) if space.every is not None else _drawn(space, seed))


def sobol(space: Space, seed: int = 0) -> ListSampler:
    """Points of a scrambled Sobol sequence, which fill the space evenly (Owen 1998; torch's SobolEngine)."""
    return ListSampler(_spread(space, seed))


def _shuffled(space: Space, seed: int) -> Iterator[Config]:
    every = space.every or ()
    order = torch.randperm(len(every), generator=generator(seed, "space", 0))
    return (every[i] for i in order.tolist())


def _drawn(space: Space, seed: int) -> Iterator[Config]:
    member = 0
    while True:
        point = torch.rand(
            len(space.dimensions), generator=generator(seed, "space", member), dtype=torch.float64
        )
        yield space.config(point.tolist())
        member += 1


def _spread(space: Space, seed: int) -> Iterator[Config]:
    engine = torch.quasirandom.SobolEngine(
        len(space.dimensions), scramble=True, seed=generator(seed, "sobol", 0).initial_seed()
    )
    seen: set[str] = set()
    repeated = 0
    finite = space.every is not None
    while repeated < PATIENCE:
        (point,) = engine.draw(1, dtype=torch.float64)
        config = space.config(point.clamp(max=1 - 2**-53).tolist())
        if finite:
            if repr(config) in seen:
                repeated += 1
                continue
            seen.add(repr(config))
            repeated = 0
        yield config


SAMPLERS = {"grid": grid, "random": random, "sobol": sobol}


def sampler(name: str, space: Space, seed: int = 0) -> Sampler:
    """The sampler of that name; ``tpe`` and Optuna's others are in ``treino.search.optuna_sampler``.

    Raises:
        TreinoError: no such sampler, with the nearest; a grid over a range without levels.
    """
    if name not in SAMPLERS:
        raise TreinoError(
            "sampler_unknown",
            _("There is no sampler {name!r}.").format(name=name),
            nearest(name, SAMPLERS),
        )
    return grid(space) if name == "grid" else SAMPLERS[name](space, seed)  # type: ignore[call-arg]
