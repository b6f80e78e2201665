"""Softmaxes of a net's outputs that run over the rows of a batch, though its classes are on another axis."""

import weakref
from collections.abc import Callable
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.output import Net
from treino.diagnosis.watch.seen import Seen

NEAR = 1e-4


class OverRows:
    """Told of each softmax, and of each mean."""

    def __init__(self, seen: Seen, nets: Nets, facts: Callable[[str], LossSeen]) -> None:
        self.seen, self.nets, self.facts = seen, nets, facts
        self.newest: tuple[weakref.ref[torch.Tensor], Site | None] | None = None  # softmax
        self._first: dict[Site, Net] = {}  # softmaxes in trainings that ran over the first axis

    def trained(self, result: torch.Tensor, args: Any, kwargs: Any) -> None:
        """Which axis a softmax of a net's output ran over, where it is a part of a loss."""
        dim = args[1] if len(args) > 1 else kwargs.get("dim")
        output = self.nets.outputs.match(args[0]) if args and isinstance(dim, int) else None
        if output is None or output.shape != result.shape or not isinstance(dim, int) or result.dim() < 2:
            return
        dim %= result.dim()
        output.net.soft_dims.add(dim)
        site = here() if dim == 0 and output.given[:1] == output.shape[:1] else None
        if site is not None and (output.maps(known=False) or output.classifies()):
            self._first[site] = output.net

    def meant(self, result: Any, args: Any, kwargs: Any) -> None:
        """``p.softmax(0).mean(0)``: a mean over what sums to one, which is the same for any scores."""
        newest = self.newest
        p = newest[0]() if newest is not None and args else None
        if newest is None or p is None or p is not args[0]:
            return
        dim = args[1] if len(args) > 1 else kwargs.get("dim")
        if dim != 0 or not isinstance(result, torch.Tensor) or len(p) < 2 or result.numel() < 2:
            return
        if bool(((result.detach() * len(p) - 1).abs() < NEAR).all()):
            facts = self.facts("softmax")
            facts.calls, facts.wrong_dim = facts.calls + 1, facts.wrong_dim + 1
            facts.wrong_dim_at, facts.wrong_dims = newest[1], (0, p.dim() - 1)

    def finish(self) -> None:
        """Those of nets that are known to have their classes on the second axis."""
        told = {f.wrong_dim_at for f in self.seen.losses.values() if f.wrong_dim}
        told |= {b.wrong_dim_at for b in self.seen.backwards.values() if b.wrong_dim}
        for site, net in self._first.items():
            if site not in told and (net.class_dim == 1 or net.best_dims == {1}):
                found = LossSeen("softmax", site, calls=1, wrong_dim=1, wrong_dims=(0, 1))
                self.seen.losses["softmax", site] = found
