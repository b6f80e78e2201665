"""Record gradient clipping: the limit, and the share of the norm that remains."""

import math
from typing import Any

import torch
from torch.nn.utils import clip_grad

from treino_doctor.record.clearing import of_gradient
from treino_doctor.record.lines import unseen
from treino_doctor.record.measures import norm, number_of
from treino_doctor.record.observer import Observer
from treino_doctor.record.outcomes import Clip
from treino_doctor.record.values import Node

NAMES = ("clip_grad_norm_", "clip_grad_value_")


class Clips(Observer):
    """Watches torch's two clipping functions, and gradients scaled or clamped in place."""

    def install(self) -> None:
        for name in NAMES:
            self._hooks.replace(clip_grad, name, self._hooks.observed(getattr(clip_grad, name), self._clip))
            self._hooks.replace(torch.nn.utils, name, getattr(clip_grad, name))
        self._tape.observe(self._changed, "mul", "clamp", "div", "_foreach_mul_", "_foreach_clamp_max_")

    @unseen
    def _clip(self, original: Any, args: Any, kwargs: Any) -> Any:
        if not self.windows.open:
            return original(*args, **kwargs)
        before: list[float] = []
        parameters = args[0] if args else kwargs.get("parameters")
        if not isinstance(parameters, torch.Tensor):
            parameters = list(parameters or ())  # a generator can be read only once
            args, kwargs = (parameters, *args[1:]), {k: v for k, v in kwargs.items() if k != "parameters"}
        self._hooks.quietly("clip", lambda: before.append(size(parameters)))
        self._tape.idle += 1
        try:
            result = original(*args, **kwargs)
        finally:
            self._tape.idle -= 1
        limit = args[1] if len(args) > 1 else kwargs.get("max_norm", kwargs.get("clip_value"))
        self._hooks.quietly("clip", self._tell, limit, before, parameters)
        return result

    def _tell(self, limit: Any, before: list[float], parameters: Any) -> None:
        share = size(parameters) / before[0] if before and before[0] > 0 else 1.0
        self._log.tell_here(Clip, limit=number_of(limit), share=share)

    def _changed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Log a gradient that was multiplied in place by a number."""
        by = args[1] if len(args) > 1 else None
        plain = isinstance(by, (int, float)) or (isinstance(by, torch.Tensor) and by.numel() == 1)
        if node is None or not plain or result is not args[0] or not of_gradient(node):
            return
        factor = number_of(by)
        share = {"mul": factor, "div": 1 / factor if factor else 0.0}.get(node.op, 1.0)
        self._log.tell_here(Clip, limit=factor, share=share)


def size(parameters: Any) -> float:
    """The norm of all gradients of parameters."""
    every = [parameters] if isinstance(parameters, torch.Tensor) else parameters
    grads = [p.grad for p in every if p.grad is not None and p.grad.layout == torch.strided]
    return math.sqrt(sum(norm(g) ** 2 for g in grads))
