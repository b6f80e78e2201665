"""Record the clearing of gradients, by an optimizer, a net or by hand, and the clipping of gradients."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.utils import clip_grad

from treino_doctor.record.lines import unseen, where
from treino_doctor.record.log import Cleared
from treino_doctor.record.measures import is_there, norm, number_of
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import Clip
from treino_doctor.record.values import Node

WAYS = ("zero", "fill", "mul", "copy")  # in-place operations on a gradient
NEAR = 4  # operations between a gradient and the cleared value: detach, data


class Clearing(Observer):
    """Remembers the line that may have cleared gradients since they were last checked."""

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._place: dict[str, Any] = {}

    def install(self) -> None:
        self._tape.observe(self._set, "set_grad")
        self._tape.observe(lambda *_: self._here(), "_foreach_zero_")
        self._tape.observe(self._changed, *WAYS)

    def _set(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if args[1] is None or not bool(args[1].any()):
            self._here()

    def _changed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if result is args[0] and of_gradient(node) and not bool(result.any()):
            self._here()

    def _here(self) -> None:
        if self._place.get("site") is None:
            self._place = where()

    def look(self, optimizers: Any) -> None:
        """Log each optimizer whose gradients, written since the last step, are all cleared."""
        gone = []
        for held in optimizers if self._place.get("site") is not None else ():
            written = [p for p in held.parameters() if id(p) in held.written]
            if written and not any(is_there(p) for p in written):
                held.written, held.summed = set(), False
                gone.append(held.number)
        if gone:
            self._log.tell(Cleared, optimizers=tuple(gone), **self._place)
        self.forget()

    def forget(self) -> None:
        """Discard the remembered line."""
        self._place = {}


def of_gradient(node: Node | None) -> bool:
    """Whether a value is a gradient, or a gradient changed in place."""
    for _ in range(NEAR):
        if node is None or node.op == "grad" or not node.parents:
            break
        node = node.parents[0]
    return node is not None and node.op == "grad"


NAMES = ("clip_grad_norm_", "clip_grad_value_")


class Clips(Observer):
    """Watches torch's two clipping functions, and gradients scaled or clamped in place.

    held: the records of optimizers."""

    def __init__(self, of: Recording, held: Mapping[int, Any]) -> None:
        super().__init__(of)
        self._held = held

    def install(self) -> None:
        for name in NAMES:
            self._hooks.replace(clip_grad, name, self._hooks.observed(getattr(clip_grad, name), self._clip))
            self._hooks.replace(torch.nn.utils, name, getattr(clip_grad, name))
        self._tape.observe(self._changed, "mul", "clamp", "div", "_foreach_mul_", "_foreach_clamp_max_")

    @unseen
    def _clip(self, original: Any, args: Any, kwargs: Any) -> Any:
        if not self.windows.open:
            return original(*args, **kwargs)
        parameters = args[0] if args else kwargs.get("parameters")
        if not isinstance(parameters, torch.Tensor):
            parameters = list(parameters or ())  # a generator can be read only once
            args, kwargs = (parameters, *args[1:]), {k: v for k, v in kwargs.items() if k != "parameters"}
        before = self._hooks.quietly("clip", size, parameters)
        self._tape.idle += 1
        try:
            result = original(*args, **kwargs)
        finally:
            self._tape.idle -= 1
        limit = args[1] if len(args) > 1 else kwargs.get("max_norm", kwargs.get("clip_value"))
        self._hooks.quietly("clip", self._tell, limit, before, parameters)
        return result

    def _tell(self, limit: Any, before: float | None, parameters: Any) -> None:
        share = size(parameters) / before if before else 1.0
        every = [parameters] if isinstance(parameters, torch.Tensor) else parameters
        led = {id(p) for p in every if p.grad is not None} if before else set()
        used = {p for held in self._held.values() for p in held.used - held.written}
        self._log.tell_here(Clip, limit=number_of(limit), share=share, spent=bool(led) and led <= used)

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
