"""A parameter that no optimizer owns, as it was first seen in a graph that trains."""

import weakref

import torch

from treino.diagnosis.watch.held import Held
from treino.diagnosis.watch.seen import OptimizerSeen

SAMPLE = 64  # numbers that are kept of a tensor, to see whether it moved


class Unowned:
    """A parameter without an optimizer, as first seen in a training graph."""

    __slots__ = (
        "alone",
        "first",
        "graphs",
        "held",
        "listed",
        "optimizer",
        "ref",
        "steps",
        "training",
        "upstream",
    )

    def __init__(self, p: torch.Tensor) -> None:
        self.ref = weakref.ref(p)
        self.first = p.detach().flatten()[:SAMPLE].clone()
        self.graphs = 0
        self.steps = 0
        self.alone = True
        self.upstream = False  # nothing that an optimizer owns comes before it
        self.training = True  # its module, where it was met first: by now that may be evaluated
        self.listed = False  # among the parameters of a module that was called
        self.held: Held | None = None  # by a module, as a plain attribute
        self.optimizer: OptimizerSeen | None = None
