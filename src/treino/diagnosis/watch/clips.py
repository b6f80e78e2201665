"""Gradients that are clipped: by torch's functions, in place by hand, or in a hook.

What counts is how much of a gradient is left: its norm after the clip against that before.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import ClipSeen, Seen

TENSORS = 16  # gradients of an optimizer whose size is measured
SLIVER = 0.05  # a factor below this scales gradients away


class Clips:
    """Looks at the first clips of each line, then at every 16th that windows show."""

    def __init__(self, seen: Seen, patches: Patches, gradients: Gradients, backward: Backward) -> None:
        self.seen, self.patches, self.gradients, self.backward = seen, patches, gradients, backward
        self._before = 0.0  # the norm that clip_grad_value_ or clamp_ was given
        self._inside = False  # of clip_grad_value_, which clamps by the same functions as a person

    def install(self) -> None:
        patches = self.patches
        for owner in (nn.utils, nn.utils.clip_grad):
            patches.after(owner, "clip_grad_norm_", self._norm_clipped, always=False)
            patches.before(owner, "clip_grad_value_", self._values, always=False)
            patches.after(owner, "clip_grad_value_", self._values_clipped, always=False)
        for name in ("clamp_", "clip_"):
            patches.before(torch.Tensor, name, self._clamping, always=False)
        for name in ("clamp_", "clip_", "clamp", "clip"):
            for place in (torch.Tensor, torch):
                patches.after(place, name, self._clamped, always=False)
        for name in ("mul_", "__imul__", "div_", "__itruediv__"):
            patches.after(torch.Tensor, name, self._scaled(divides="d" in name), always=False)

    def _note(self, limit: float, share: float) -> None:
        site = here()
        if site is None:
            return
        facts = self.seen.clips.get(site)
        if facts is None:
            facts = self.seen.clips[site] = ClipSeen(site, limit)
        facts.calls += 1
        self.backward.leaves.clipped()
        if facts.calls <= 32 or facts.calls % 16 == 0:
            facts.share.append(share)

    # --- torch's own ----------------------------------------------------------------------------------------
    def _norm_clipped(self, result: Any, args: Any, kwargs: Any) -> None:
        limit = float(args[1] if len(args) > 1 else kwargs["max_norm"])
        norm = float(result)
        self._note(limit, limit / norm if norm > 0 else math.inf)

    def _values(self, args: Any, kwargs: Any) -> None:
        self._inside, self._before = True, _size(self._grads())

    def _values_clipped(self, result: Any, args: Any, kwargs: Any) -> None:
        self._inside = False
        limit = float(args[1] if len(args) > 1 else kwargs["clip_value"])
        self._note(limit, _size(self._grads()) / self._before if self._before > 0 else math.inf)

    # --- by hand --------------------------------------------------------------------------------------------
    def _clamping(self, args: Any, kwargs: Any) -> None:
        self._before = 0.0 if self._inside or not self._is_gradient(args[0]) else _size([args[0]])

    def _clamped(self, result: Any, args: Any, kwargs: Any) -> None:
        """``p.grad.clamp_(-c, c)``, ``p.grad = p.grad.clamp(-c, c)``, or a clamp in a hook."""
        limit = args[2] if len(args) > 2 else kwargs.get("max")
        if self._inside or not isinstance(limit, (int, float)) or limit <= 0:
            return
        in_place = result is args[0]
        if in_place or not (self.backward.running or self._is_gradient(args[0])):
            before = self._before if in_place and self._is_gradient(args[0]) else 0.0
        else:
            before = _size([args[0]])
        if before > 0:
            self._note(float(limit), _size([result]) / before)

    def _scaled(self, *, divides: bool) -> Any:
        """``p.grad.mul_(limit / norm)``"""

        def observe(result: Any, args: Any, kwargs: Any) -> None:
            factor = args[1] if len(args) > 1 else None
            if isinstance(factor, torch.Tensor) and factor.numel() == 1 and not factor.requires_grad:
                factor = float(factor)
            if not isinstance(factor, (int, float)) or factor <= 0:
                return
            share = 1 / factor if divides else factor
            if share < SLIVER and self._is_gradient(args[0]):
                self._note(share, share)

        return observe

    def _is_gradient(self, t: Any) -> bool:
        if not isinstance(t, torch.Tensor) or t.requires_grad or t.layout != torch.strided:
            return False
        return any(g is t or g.data_ptr() == t.data_ptr() for g in self._grads())

    def _grads(self) -> Iterator[torch.Tensor]:
        for followed in self.gradients.followed.values():
            for f in followed[:TENSORS]:
                p = f.ref()
                if p is not None and p.grad is not None and p.grad.layout == torch.strided:
                    yield p.grad
        for m in [*self.backward.leaves.known.values()][:TENSORS]:
            p = m.ref()
            if p is not None and p.grad is not None and p.grad.layout == torch.strided:
                yield p.grad


def _size(tensors: Any) -> float:
    return math.sqrt(sum(float(t.detach().pow(2).sum()) for t in tensors))
