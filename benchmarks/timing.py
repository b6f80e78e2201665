"""Ratios of run times on a busy machine: the programs take turns, and each round gives its own ratio."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import torch


@dataclass(frozen=True)
class Spent:
    """Seconds per unit of work: by the clock on the wall, and of processors (of all threads together)."""

    wall: float
    processor: float


Work = Callable[[], Spent]
Found = Mapping[str, list[Spent]]


def interleaved(works: Mapping[str, Work], rounds: int, *, warm: int = 1) -> dict[str, list[Spent]]:
    """What every work spent in every round; the rounds before them that warm up are not counted."""
    found: dict[str, list[Spent]] = {name: [] for name in works}
    for number in range(-warm, rounds):
        for name, work in works.items():
            spent = work()
            if number >= 0:
                found[name].append(spent)
    return found


def ratio(found: Found, one: str, other: str) -> float:
    """How many times as long ``one`` takes as ``other``: the median over rounds of the round's own ratio."""
    return median(a.wall / b.wall for a, b in zip(found[one], found[other], strict=True))


def processor_ratio(found: Found, one: str, other: str) -> float:
    """The same of processor time, which other programs on the machine hardly change."""
    return median(a.processor / b.processor for a, b in zip(found[one], found[other], strict=True))


def wall(found: Found, name: str) -> float:
    return median(spent.wall for spent in found[name])


def processor(found: Found, name: str) -> float:
    return median(spent.processor for spent in found[name])


def for_seconds(seconds: float, some: Callable[[], float]) -> Work:
    """Call ``some``, which says how many units it did, until so much time has passed."""

    def run() -> Spent:
        begin, processor, units = time.perf_counter(), time.process_time(), 0.0
        while time.perf_counter() - begin < seconds or not units:
            units += some()
        return Spent((time.perf_counter() - begin) / units, (time.process_time() - processor) / units)

    return run


def once(some: Callable[[], float]) -> Work:
    """Call ``some``, which says how many units it did, once."""
    return for_seconds(0, some)


@contextmanager
def threads(n: int) -> Iterator[None]:
    """torch's intra-op threads, put back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


def budget(value: float, limit: float, *, at_most: bool) -> tuple[str, str]:
    """-> (the limit, whether it is kept) as cells of a table."""
    kept = value <= limit if at_most else value >= limit
    return f"{'≤' if at_most else '≥'} {limit:g}", "yes" if kept else "no"
