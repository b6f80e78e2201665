"""The settings that a sweep tries: ranges and choices by name, some only under a condition."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from treino.errors import TreinoError
from treino.words import _

Config = dict[str, Any]
"""One member's settings by name, as ``treino.spec.read_settings`` takes them."""

MOST = 1_000_000  # different settings that may be enumerated


@dataclass(frozen=True)
class Choice:
    """One of several values, all equally likely."""

    values: tuple[Any, ...]

    @property
    def count(self) -> int:
        return len(self.values)

    def at(self, u: float) -> Any:
        return self.values[int(u * len(self.values))]


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included.

    log: uniform on a logarithmic scale. whole: integers. levels: the number of evenly spaced values in a
    grid.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    levels: int | None = None

    def at(self, u: float) -> float | int:
        """The value at ``u`` in [0, 1)."""
        if self.whole:  # each integer has an equal share, or that of its interval on the log scale
            if self.log:
                low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
                return int(min(max(round(math.exp(low + u * (high - low))), self.low), self.high))
            return int(self.low + math.floor(u * (self.high - self.low + 1)))
        if self.log:
            value = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + u * (self.high - self.low)
        return min(max(value, self.low), self.high)

    @property
    def count(self) -> int | None:
        """The number of values; None if it isn't a range of integers."""
        return int(self.high) - int(self.low) + 1 if self.whole else None

    @property
    def integers(self) -> Choice:
        return Choice(tuple(range(int(self.low), int(self.high) + 1)))

    @property
    def values(self) -> tuple[float | int, ...] | None:
        """The levels of a grid; None if their number is neither set nor finite."""
        if self.levels is None:
            listed = self.whole and not self.log and (self.count or 0) <= MOST
            return self.integers.values if listed else None
        ends = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        step = (ends[1] - ends[0]) / max(self.levels - 1, 1)
        middle = [ends[0] + i * step for i in range(1, self.levels - 1)]
        levels = [self.low, *(math.exp(m) if self.log else m for m in middle), self.high][: self.levels]
        return tuple(dict.fromkeys(round(v) for v in levels)) if self.whole else tuple(levels)


@dataclass(frozen=True)
class Dimension:
    """A setting and its domain. It exists only if the setting ``when`` has one of the values ``among``."""

    name: str
    domain: Range | Choice
    when: str | None = None
    among: tuple[Any, ...] = ()

    def holds(self, config: Config) -> bool:
        return self.when is None or (self.when in config and config[self.when] in self.among)


@dataclass(frozen=True)
class Space:
    """Dimensions, in an order in which every condition follows the setting that it depends on."""

    dimensions: tuple[Dimension, ...]

    def config(self, point: Sequence[float]) -> Config:
        """The settings at a point of [0, 1)ᴰ; a dimension whose condition doesn't hold is left out."""
        config: Config = {}
        for dimension, u in zip(self.dimensions, point, strict=True):
            if dimension.holds(config):
                config[dimension.name] = dimension.domain.at(u)
        return config

    @cached_property
    def grid(self) -> tuple[Config, ...]:
        """Every combination once, the last dimension changing fastest.

        Raises:
            TreinoError: a range without a number of levels; more combinations than MOST.
        """
        for dimension in self.dimensions:
            if dimension.domain.values is None:
                raise TreinoError(
                    "space_levels",
                    _("A grid needs to know how many values of {name} it should try.").format(
                        name=dimension.name
                    ),
                    _("Write e.g. {name}={low}..{high}{log}:5, or use another sampler.").format(
                        name=dimension.name,
                        low=f"{dimension.domain.low:g}",
                        high=f"{dimension.domain.high:g}",
                        log=":log" if dimension.domain.log else "",
                    ),
                )
        count = math.prod(len(dimension.domain.values or ()) for dimension in self.dimensions)
        if count > MOST:
            raise TreinoError(
                "space_many",
                _("A grid of these values has {n:,} networks; {most:,} can be laid out.").format(
                    n=count, most=MOST
                ),
                _("Give fewer levels, or use another sampler."),
            )
        return tuple(self._combinations(0, {}))

    def _combinations(self, place: int, config: Config) -> Iterator[Config]:
        if place == len(self.dimensions):
            yield config
            return
        dimension = self.dimensions[place]
        if not dimension.holds(config):
            yield from self._combinations(place + 1, config)
            return
        for value in dimension.domain.values or ():
            yield from self._combinations(place + 1, config | {dimension.name: value})

    @cached_property
    def every(self) -> tuple[Config, ...] | None:
        """All different settings; None if a range isn't one of integers, or there are more than MOST."""
        counts = [d.domain.count for d in self.dimensions]
        if None in counts or math.prod(count or 0 for count in counts) > MOST:
            return None
        finite = [
            Dimension(
                d.name, d.domain if isinstance(d.domain, Choice) else d.domain.integers, d.when, d.among
            )
            for d in self.dimensions
        ]
        return tuple(Space(tuple(finite))._combinations(0, {}))

    def to_json(self) -> dict[str, Any]:
        """JSON values, equal for equal spaces. A sweep stores them and compares them when it is resumed."""
        return {
            d.name: {
                **(
                    {"values": list(d.domain.values)}
                    if isinstance(d.domain, Choice)
                    else {"low": d.domain.low, "high": d.domain.high, "log": d.domain.log,
                          "whole": d.domain.whole, "levels": d.domain.levels}
                ),
                **({"if": d.when, "among": list(d.among)} if d.when else {}),
            }
            for d in self.dimensions
        }  # fmt: skip


def space_from_json(document: Mapping[str, Any]) -> Space:
    """The space of a document by ``to_json``.

    Raises:
        TreinoError: the document is invalid.
    """
    dimensions: dict[str, Dimension] = {}
    for name, d in document.items():
        domain: Range | Choice = (
            Choice(tuple(d["values"]))
            if "values" in d
            else Range(d["low"], d["high"], d["log"], d["whole"], d["levels"])
        )
        domain = checked_domain(name, domain, isinstance(domain, Range) and domain.whole)
        dimensions[name] = Dimension(name, domain, d.get("if"), tuple(d.get("among", ())))
    return Space(tuple(in_order(dimensions)))


def checked_domain(name: str, domain: Range | Choice, whole: bool) -> Range | Choice:
    if isinstance(domain, Choice):
        if not domain.values or any(isinstance(v, str) and not v for v in domain.values):
            raise TreinoError(
                "space_empty",
                _("{name} has no value, or an empty one.").format(name=name),
                _("Separate values by a single |"),
            )
        doubled = [v for i, v in enumerate(domain.values) if v in domain.values[:i]]
        if doubled:
            raise TreinoError(
                "space_twice",
                _("{name} has {value!r} twice.").format(name=name, value=doubled[0]),
                _("Say it once."),
            )
        return domain
    if whole != domain.whole:
        domain = Range(domain.low, domain.high, domain.log, whole, domain.levels)
    facts = {"name": name, "low": domain.low, "high": domain.high}
    if domain.low >= domain.high:
        raise TreinoError(
            "space_order",
            _("{name} goes from {low} to {high}: the lower bound isn't below the upper one.").format(**facts),
            _("Write the lower one first; for a single value write {name}={high}.").format(**facts),
        )
    if domain.log and domain.low <= 0:
        raise TreinoError(
            "space_log",
            _("{name} begins at {low}, and only positive numbers have a logarithm.").format(**facts),
            _("Begin above 0, e.g. {name}=1e-6..{high}:log, or leave :log out.").format(**facts),
        )
    if domain.whole and not (float(domain.low).is_integer() and float(domain.high).is_integer()):
        raise TreinoError(
            "space_whole",
            _("{name} is a whole number, and {low}..{high} isn't a range of those.").format(**facts),
            _("Write e.g. {name}=16..256").format(**facts),
        )
    if domain.levels is not None and domain.levels < 2:
        raise TreinoError(
            "space_levels",
            _("{name}: a range has at least 2 levels, not {n}.").format(name=name, n=domain.levels),
            _("Write the single value instead: {name}={low}").format(**facts),
        )
    return domain


def in_order(dimensions: Mapping[str, Dimension]) -> Iterator[Dimension]:
    """The dimensions in their order, but each condition after the setting that it depends on. Refuses
    conditions that can never hold."""
    done: set[str] = set()
    left = dict(dimensions)
    for dimension in dimensions.values():
        if dimension.when is None:
            continue
        other = dimensions.get(dimension.when)
        if other is None:
            raise TreinoError(
                "space_condition",
                _("{name} depends on {other}, which the space doesn't vary.").format(
                    name=dimension.name, other=dimension.when
                ),
                _("Leave the condition out, or put {other} into the space.").format(other=dimension.when),
            )
        domain = other.domain
        never = [
            value
            for value in dimension.among
            if (isinstance(domain, Choice) and value not in domain.values)
            or (isinstance(domain, Range) and not (_is_number(value) and domain.low <= value <= domain.high))
        ]
        if never:
            raise TreinoError(
                "space_condition",
                _("{name} is for {other}={value}, and {other} is never that.").format(
                    name=dimension.name, other=other.name, value=never[0]
                ),
                _("Give {other} that value too, or correct the condition.").format(other=other.name),
            )
    while left:
        ready = [d for d in left.values() if d.when is None or d.when in done]
        if not ready:
            raise TreinoError(
                "space_condition",
                _("{names} depend on each other.").format(names=_(" and ").join(left)),
                _("Leave one of the conditions out."),
            )
        first = ready[0]
        yield first
        done.add(first.name)
        del left[first.name]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
