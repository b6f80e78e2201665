"""Leaves that no optimizer owns: perhaps they are trained by hand."""

import math
import weakref

import torch

SAMPLE = 64  # entries of a leaf that are compared
LOOKS, FEWEST = 16, 10  # gradients that are looked at, and so many that tell something
LARGEST = 4_000_000  # entries of a weight whose units are compared
EMPTY = 6  # gradients of nothing but zeros


def some(t: torch.Tensor) -> torch.Tensor:
    """A tensor's first entries, out of its graph; no copy."""
    return t.detach().flatten()[:SAMPLE]


class Manual:
    """A leaf that no optimizer owns: its gradient and its value after the last backward."""

    __slots__ = (
        *("empty", "first", "grad", "idle", "last", "looks", "moves"),
        *("ref", "shape", "slope", "tainted", "value"),
    )

    def __init__(self, p: torch.Tensor) -> None:
        self.ref = weakref.ref(p)
        self.grad: tuple[weakref.ref[torch.Tensor], int] | None = None
        self.value: torch.Tensor | None = None  # its first entries
        self.slope: torch.Tensor | None = None  # the first entries of the gradient that came with it
        self.last: torch.Tensor | None = None  # the newest that was kept of those
        self.first, self.shape = some(p).clone(), tuple(p.shape)
        self.tainted = False
        self.looks = self.empty = self.idle = 0  # gradients, those all zero, those that had no effect
        self.moves = 0  # against its gradient

    def look(self, p: torch.Tensor, g: torch.Tensor) -> None:
        """A backward gave it this gradient."""
        if self.looks >= LOOKS or g.layout is not torch.strided:
            return
        self.looks += 1
        self.empty += not bool(g.detach().any())
        self.idle += bool(some(g).any()) and self._unmoved(p)

    def now(self) -> torch.Tensor | None:
        """Its first entries: its own, or those of the newest look, where its function has returned."""
        p = self.ref()
        return some(p) if p is not None else self.last if self.looks > 1 else None

    def never_moved(self) -> bool:
        """Whether all these gradients were none of zeros and had no effect: until now, or until the newest
        look, where its function has returned.
        """
        now, fewest = self.now(), FEWEST if self.ref() is not None else LOOKS
        return now is not None and self.idle == self.looks >= fewest and torch.equal(now, self.first)

    def unmoved(self) -> bool:
        """Whether it is there, has no gradient, and is what it was at first."""
        p = self.ref()
        return p is not None and p.grad is None and self._unmoved(p)

    def _unmoved(self, p: torch.Tensor) -> bool:
        return torch.equal(some(p), self.first)


class Leaves:
    """All leaves that no optimizer owns and that were in a graph that was read, by id."""

    def __init__(self) -> None:
        self.known: dict[int, Manual] = {}

    def reaches(self, p: torch.Tensor) -> bool:
        """Whether a leaf that no optimizer owns was in a graph that was read."""
        m = self.known.get(id(p))
        return m is not None and m.ref() is p

    def moves(self) -> dict[int, int]:
        """How often each leaf that is trained by hand was seen to move."""
        return {key: m.moves for key, m in self.known.items() if m.moves}

    def never_moved(
        self, key: int, reference: weakref.ref[torch.Tensor], *, asked: bool
    ) -> tuple[int, ...] | None:
        """The shape of a leaf that no optimizer owns, if it got gradients again and again, and is what it was
        at first (perhaps its function has returned); else None.

        asked: gradients are asked for, of others; this one has none.
        """
        m = self.known.get(key)
        if m is None or m.ref is not reference:
            return None
        return m.shape if (m.unmoved() if asked else m.never_moved()) else None

    def never_learned(self, p: torch.Tensor) -> bool:
        """Whether a leaf that no optimizer owns got nothing but zeros as its gradients."""
        m = self.known.get(id(p))
        return m is not None and m.ref() is p and m.empty == m.looks >= EMPTY

    def clipped(self) -> None:
        """Gradients were rescaled in place: they are still the same gradients."""
        for m in self.known.values():
            p = m.ref()
            if p is not None and p.grad is not None and m.grad is not None and m.grad[0]() is p.grad:
                m.grad = (m.grad[0], p.grad._version)


def movement(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> float | None:
    """‖now − first‖ / ‖first‖ of (now, first) of several leaves; None where they began at zero."""
    whole = sum(float(first.pow(2).sum()) for _, first in pairs)
    moved = sum(float((now - first).pow(2).sum()) for now, first in pairs if now.shape == first.shape)
    return math.sqrt(moved / whole) if whole > 0 else None


def down(p: torch.Tensor, before: torch.Tensor, g: torch.Tensor) -> bool:
    """Whether a tensor has moved against its gradient (an average or a copy moves anywhere)."""
    moved = some(p) - before
    slope = some(g)
    product = float(moved.norm() * slope.norm())
    return product > 0 and float(moved @ slope) < -0.2 * product


def even(p: torch.Tensor) -> bool:
    """Whether a weight of several units with several inputs is one number all over, other than zero."""
    if p.dim() < 2 or p.is_sparse or not len(p) < p.numel() <= LARGEST or len(p) < 2:
        return False
    some = p.flatten()[:64]
    value = float(some[0])
    return value != 0 and bool((some == value).all()) and bool((p == value).all())
