"""Figures of each output that are taken along the wrong axis, by ``mean`` and ``sum``."""

import sys
from types import FrameType
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.figure_axes import named_after, named_in_numpy
from treino.diagnosis.reading.spreads import crossed, crossed_in_numpy
from treino.diagnosis.record.lines import here, is_own
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import AxisSeen, Seen

TRIES = 3  # calls of a line after which its source is read no more


class Figures:
    """Wraps ``mean`` and ``sum`` where they are no part of a graph; the source says what is meant by them."""

    def __init__(self, seen: Seen, patches: Patches, nets: Nets) -> None:
        self.seen, self.patches, self.nets = seen, patches, nets
        self._at: dict[Site, AxisSeen] = {}
        self._tries: dict[Site, int] = {}
        self._files: set[str] = set()

    def install(self) -> None:
        """Put the wraps on."""
        for owner in (torch.Tensor, torch):
            for name in ("mean", "sum"):
                self.patches.after(owner, name, self._reduced(name), always=False)
        self.patches.after(torch.Tensor, "numpy", self._to_numpy, always=False)

    def _reduced(self, name: str) -> Any:
        def observe(result: Any, args: Any, kwargs: Any) -> None:
            dims = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
            if dims is None or not isinstance(result, torch.Tensor) or result.grad_fn is not None:
                return
            t = args[0] if args else kwargs["input"]
            self.nets.outputs.averaged(t, result, dims)
            plain = not t.is_nested and all(isinstance(d, int) for d in _listed(dims))
            if not plain or not 2 <= t.dim() <= 3 or not self.seen.steps:
                return
            site = here()
            if site is None:
                return
            known = self._at.get(site)
            if known is not None:
                known.calls += 1
            elif self._tries.get(site, 0) < TRIES:
                self._tries[site] = self._tries.get(site, 0) + 1
                self._read(site, name, t, dims, result)

        return observe

    def _read(self, site: Site, name: str, t: torch.Tensor, dims: Any, result: Any) -> None:
        """What the source does with these figures."""
        shape = tuple(t.shape)
        axes = {d % len(shape) for d in _listed(dims)}
        if result.ndim == t.ndim:
            if len(shape) == 2 and min(shape) > 1 and name == "mean" and crossed(site):
                self._found(site, name, dims, shape, 0)
            return
        if result.ndim != 1:
            return
        named = named_after(site, _own(), dims, len(result), {shape[a] for a in axes if a} - {1})
        if named:
            self._found(site, name, dims, shape, named)

    def _to_numpy(self, result: Any, args: Any, kwargs: Any) -> None:
        """Several figures of each row leave torch; methods of arrays can't be watched."""
        if result.ndim != 2 or min(result.shape) < 2 or not args[0].is_floating_point():
            return
        site, output = here(), self.nets.outputs.match(args[0])
        if site is None or output is None or output.net.class_dim is not None or not output.net.supervised:
            return
        if site.file not in self._files:
            self._files.add(site.file)
            for place in crossed_in_numpy(site.file):
                self._found(place, "mean", 1, tuple(result.shape), 0)
            rows, outputs = result.shape
            for place in named_in_numpy(site.file, _own(), outputs) if rows != outputs else ():
                self._found(place, "mean", 1, tuple(result.shape), outputs)

    def _found(self, site: Site, name: str, dims: Any, shape: tuple[int, ...], named: int) -> None:
        if site not in self._at:
            dim = dims if isinstance(dims, int) else None
            facts = AxisSeen(site, 1, dim, shape, 0, function=name, named=named or shape[-1])
            self._at[site] = facts
            self.seen.axes.append(facts)


def _listed(dims: Any) -> tuple[Any, ...]:
    return tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)


def _own() -> FrameType | None:
    """The innermost frame of a person's own code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return frame
