"""Soft targets: the probabilities of a teacher must sum to one over the axis that those of what learns do."""

import weakref
from collections.abc import Iterator
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.where import stack

SAME = ("detach", "float", "double", "to", "clone", "contiguous", "data", "clamp", "clamp_min", "clip")
MEET = (
    *("kl_div", "mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy"),
    *("mul", "__mul__", "__rmul__", "sub", "__sub__", "__rsub__"),
)
MOST = 64  # tensors that are known at a time
NEAR = 1e-3


class SoftTargets:
    """Told of each torch function while lines are looked at."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], Site]] = {}  # sums to one over its first axis

    def observe(self, name: str, args: Any, result: Any) -> None:
        """A function gave a result."""
        if name == "softmax":
            if isinstance(result, torch.Tensor) and over_rows(result):
                self._know(result, here())
            return
        if not self._known:
            return
        given = [a for a in args if isinstance(a, torch.Tensor)]
        sites = [self._made_at(t) for t in given]
        if name in SAME:
            if sites and sites[0] is not None and isinstance(result, torch.Tensor):
                self._know(result, sites[0])
        elif len(given) > 1 and (name in MEET or name == "cross_entropy"):
            for site, other in zip(sites, reversed(given), strict=False):
                if site is not None and (name == "cross_entropy" or _of_each_row(other)):
                    self._wrong(site)

    def _know(self, t: torch.Tensor, site: Site | None) -> None:
        if site is None:
            return
        if len(self._known) > MOST:
            self._known = dict(self._alive())
        self._known[id(t)] = weakref.ref(t), site

    def _alive(self) -> Iterator[tuple[int, tuple[weakref.ref[torch.Tensor], Site]]]:
        return ((k, v) for k, v in self._known.items() if v[0]() is not None)

    def _made_at(self, t: torch.Tensor) -> Site | None:
        known = self._known.get(id(t))
        return known[1] if known is not None and known[0]() is t else None

    def _wrong(self, site: Site) -> None:
        facts = self.seen.losses.get(("softmax", site))
        if facts is None:
            facts = self.seen.losses["softmax", site] = LossSeen("softmax", site, stack())
        facts.calls += 1
        facts.wrong_dim += 1
        facts.wrong_dims = (0, 1)


def over_rows(t: torch.Tensor) -> bool:
    """Whether a table of constant probabilities sums to one over its rows, not over its columns."""
    if t.grad_fn is not None or t.dim() != 2 or min(t.shape) < 2 or not t.is_floating_point():
        return False
    over, across = t.sum(0), t.sum(1)
    return bool((over - 1).abs().max() < NEAR) and bool((across - 1).abs().max() > 0.05)


def _of_each_row(t: torch.Tensor) -> bool:
    """Whether values are (logarithms of) probabilities that sum to one over the columns."""
    if t.grad_fn is None or t.dim() != 2:
        return False
    made, dim = graph.source(t.grad_fn, 1)
    return (
        made is not None
        and dim is not None
        and graph.squash(made) in (("softmax", dim), ("log_softmax", dim))
    )
