"""Losses that a person's own check finds not to be finite, before any backward could run on them."""

import functools
from typing import TYPE_CHECKING, Any

import torch

from treino.diagnosis.record.hooks import compiling, unseen
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import BackwardSeen, Seen

if TYPE_CHECKING:
    from treino.diagnosis.watch.backward import Backward

CHECKS = ("isfinite", "isnan", "isinf")
MOST = 8  # graphs that are read


class Guards:
    """Wraps the checks of torch, and ``item``, whose number is checked by others."""

    def __init__(self, seen: Seen, patches: Patches, gradients: Gradients, backward: "Backward") -> None:
        self.seen, self.patches, self.gradients, self.backward = seen, patches, gradients, backward
        self._newest: Any = None  # the graph that was read last

    def install(self) -> None:
        for owner in (torch, torch.Tensor):
            for name in CHECKS:
                self.patches.after(owner, name, lambda result, args, kwargs: self._checked(*args[:1]))
        original, patches, checked = torch.Tensor.item, self.patches, self._checked

        @functools.wraps(original)
        def item(t: torch.Tensor) -> Any:
            value = original(t)
            if value - value != 0 and not (patches.careful and compiling()) and patches.watching():
                patches.on = False
                try:
                    checked(t)
                except Exception as error:
                    patches.defect("item", error)
                patches.on = True
            return value

        patches.replace(torch.Tensor, "item", unseen(item))

    def _checked(self, loss: Any = None) -> None:
        """A number with a graph was asked whether it is finite: if it isn't, which operation made it?"""
        if not isinstance(loss, torch.Tensor) or loss.grad_fn is None or loss.numel() != 1:
            return
        if bool(torch.isfinite(loss.detach())) or loss.grad_fn is self._newest:
            return
        self._newest = loss.grad_fn
        facts = self.seen.guarded
        if facts is None:
            facts = BackwardSeen(here())
        facts.calls += 1
        if facts.calls > MOST or facts.bad_operation:
            return
        leaves = graph.leaves(graph.walk(loss.grad_fn))
        if any(self.gradients.owner(p) is not None for p in leaves):
            self.seen.guarded = facts
            values = self.seen.loss_values()
            facts.first_bad = len(values) + 1
            facts.loss = [*values[:1], *values[-8:], loss.item()]
            self.backward.blame(loss.grad_fn, facts)
