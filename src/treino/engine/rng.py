"""Random numbers as functions of seed, layer and step: dropout masks, and states of torch's generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from treino.base.own_calls import reseed_all, same_process
from treino.data.rows import generator as generator


def member_seeds(seed: int, members: int) -> tuple[int, ...]:
    """The seeds of an ensemble's members: the given seed, and 31-bit seeds derived from it.

    Consecutive seeds give unrelated members, and a larger ensemble begins with the seeds of a smaller one.
    """
    drawn, seeds = generator(seed, "member"), [seed]
    while len(seeds) < members:
        other = int(torch.randint(2**31, (), generator=drawn))
        if other not in seeds:
            seeds.append(other)
    return tuple(seeds)


def mix(x: torch.Tensor) -> torch.Tensor:
    """splitmix64's finaliser (Steele, Lea & Flood 2014) on int64 tensors.

    Shifts of int64 are arithmetic, so the sign bits that they shift in are masked off.
    """
    x = x + (0x9E3779B97F4A7C15 - 2**64)
    x = (x ^ (x >> 30 & (1 << 34) - 1)) * (0xBF58476D1CE4E5B9 - 2**64)
    x = (x ^ (x >> 27 & (1 << 37) - 1)) * (0x94D049BB133111EB - 2**64)
    return x ^ (x >> 31 & (1 << 33) - 1)


def dropout_keys(
    seed_P: torch.Tensor, layers: int, first: int, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (a, b), each int32 ``[S, L, P]``, a odd: element e is kept if ``hash(e) * a + b >=
    threshold``."""
    step_S = torch.arange(first, first + steps).view(-1, 1, 1)
    key_SLP = mix(mix(mix(seed_P.view(1, 1, -1)) + torch.arange(layers).view(1, -1, 1)) + step_S)
    return (key_SLP | 1).to(torch.int32), (key_SLP >> 32).to(torch.int32)  # .to(int32) keeps the low bits


def element_hash(rows: int, units: int) -> torch.Tensor:
    """int32 ``[rows, units]``: a hash per element, the same for every member and step."""
    return mix(torch.arange(rows * units) + 0x9E3779B9).to(torch.int32).view(rows, units)


def dropout_threshold(rate: float) -> int:
    """The threshold below which a share ``rate`` of all int32 numbers lies."""
    return min(round(rate * 2**32), 2**32 - 1) - 2**31


def step_seed(seed: int, step: int) -> int:
    """The 63-bit seed of torch's generators in one step, for modules that draw random numbers."""
    x = seed * 0x632BE59BD9B4E019 + step
    for _round in range(2):  # two rounds of splitmix64's finaliser, as in ``mix``
        x = (x + 0x9E3779B97F4A7C15) % 2**64
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % 2**64
        x ^= x >> 31
    return x >> 1


@contextmanager
def fork_rng(
    seed: int | None = None, device: torch.device | None = None, *, own: bool = True
) -> Iterator[None]:
    """Restore the global generators of torch, NumPy and random on exit. seed: seeds them on entry; None:
    unchanged. own: whether code of the user's may run, which alone draws from those of NumPy and random."""
    kind = None if device is None else device.type
    metal = torch.mps.get_rng_state() if kind == "mps" else None  # torch.random.fork_rng doesn't restore it
    with same_process(own), torch.random.fork_rng([device or 0] if kind == "cuda" else []):
        try:
            if seed is not None:
                reseed(seed, device)
            yield
        finally:
            if metal is not None:
                torch.mps.set_rng_state(metal)


def reseed(seed: int, device: torch.device | None = None) -> None:
    """Seed the global generators of the CPU and this device (``torch.manual_seed`` seeds all devices)."""
    reseed_all(seed)
    if device is not None and device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device is not None and device.type == "mps":
        torch.mps.manual_seed(seed)
