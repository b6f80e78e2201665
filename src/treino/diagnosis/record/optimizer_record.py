"""One optimizer while it is watched."""

import math
import weakref
from typing import Any

import torch

from treino.diagnosis.finding import Site


class OptimizerRecord:
    """An optimizer, or what a program does in its place."""

    def __init__(self, number: int, optimizer: Any) -> None:
        self.number = number
        self.site: Site | None = None  # where it was made
        self.ref = weakref.ref(optimizer)
        self.steps = self.filled = self.measured = 0
        self.used: set[int] = set()  # parameters whose gradients a step has used, and nothing cleared since
        self.written: set[int] = set()  # parameters whose gradients a backward wrote since the last step
        self.left: dict[int, int] = {}  # the gradients that it left there, by parameter
        self.summed = self.moved = False
        self.movement, self.least = math.nan, math.inf
        self.before: list[torch.Tensor] | None = None

    def parameters(self) -> list[torch.Tensor]:
        """Its parameters, as they are now."""
        optimizer = self.ref()
        return [p for g in optimizer.param_groups for p in g["params"]] if optimizer is not None else []

    def gradients(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Its parameters that have a gradient, with it."""
        given = getattr(self.ref(), "given", {})
        every = ((p, given.get(id(p), p.grad)) for p in self.parameters())
        return [(p, g) for p, g in every if g is not None and g.layout == torch.strided]
