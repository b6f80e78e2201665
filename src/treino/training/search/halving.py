"""Successive halving and Hyperband: rungs of (members, epochs).

Successive halving: Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter
optimization", AISTATS 2016. Hyperband: Li et al., "Hyperband: a novel bandit-based approach to hyperparameter
optimization", JMLR 18 (2018), algorithm 1 and table 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rung:
    """A rung. members: the number of members that train. epochs: each member's total epochs when they are
    compared."""

    members: int
    epochs: int


@dataclass(frozen=True)
class Bracket:
    """A group of competing members; the best ones of each rung continue to the next."""

    rungs: tuple[Rung, ...]

    @property
    def members(self) -> int:
        return self.rungs[0].members

    @property
    def epochs(self) -> int:
        """The number of epochs that all members train, in total."""
        done, total = 0, 0
        for rung in self.rungs:
            total += rung.members * (rung.epochs - done)
            done = rung.epochs
        return total


def none(members: int, epochs: int, eta: int = 3, least: int = 1) -> tuple[Bracket, ...]:
    """One bracket that trains every member to the end. ``eta`` and ``least`` have no effect."""
    return (Bracket((Rung(members, epochs),)),)


def halving(members: int, epochs: int, eta: int = 3, least: int = 1) -> tuple[Bracket, ...]:
    """One bracket in which each rung keeps one member in ``eta``, until about one trains all ``epochs``.

    It has as many rungs as members and epochs allow; the first has ``epochs / eta^k`` epochs, at least
    ``least``.
    """
    rungs = min(_log(members, eta), _log(epochs / least, eta))
    return (_bracket(members, epochs, eta, rungs),)


def hyperband(members: int, epochs: int, eta: int = 3, least: int = 1) -> tuple[Bracket, ...]:
    """Several brackets: the first has many members and halves them early, the last has few and never does.

    One round is the published algorithm for R = epochs / least; rounds repeat until all members are used, and
    the last round is cut short.
    """
    s_max = _log(epochs / least, eta)
    brackets: list[Bracket] = []
    left = members
    while left:
        for s in range(s_max, -1, -1):
            size = min(left, math.ceil((s_max + 1) / (s + 1) * eta**s))
            brackets.append(_bracket(size, epochs, eta, min(s, _log(size, eta))))
            left -= size
            if not left:
                break
    return tuple(brackets)


def _bracket(members: int, epochs: int, eta: int, cuts: int) -> Bracket:
    rungs = [
        Rung(max(1, members // eta**i), max(1, round(epochs / eta ** (cuts - i)))) for i in range(cuts + 1)
    ]
    return Bracket(tuple(rungs))


def survivors(figures: Sequence[float | tuple[float, ...] | None], count: int) -> list[int]:
    """The indices, in ascending order, of the ``count`` lowest values; None (diverged) never survives.

    Tuples are compared element by element. Ties go to the earlier member, so that equal values give equal
    survivors.
    """
    alive: list[Any] = [(value, place) for place, value in enumerate(figures) if value is not None]
    return sorted(place for _value, place in sorted(alive)[:count])


def _log(x: float, eta: int) -> int:
    """The largest k with eta^k <= x, by integers, as math.log(243, 3) is just below 5."""
    k = 0
    while eta ** (k + 1) <= x + 1e-9:
        k += 1
    return k


STRATEGIES = {"none": none, "halving": halving, "hyperband": hyperband}
