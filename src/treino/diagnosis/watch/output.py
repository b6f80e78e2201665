"""One call of a net and the net itself, as they are followed."""

import weakref
from collections import deque
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.seen import CallSeen, NetSeen


class Output:
    """What one call of a net returned, for as long as somebody holds it."""

    __slots__ = (
        *("__weakref__", "bad_out", "bad_rows", "best_rows", "call", "derived", "flat", "flat_width"),
        *("fresh", "grad", "hashes", "judged", "labels", "let_go", "loader", "modal", "names", "net"),
        *("offset", "predicted", "reached", "ref", "rows", "seq", "shape", "step", "target", "training"),
    )

    def __init__(
        self, call: CallSeen, out: torch.Tensor, net: "Net", training: bool, modal: bool, step: int
    ) -> None:
        self.call, self.net, self.training, self.modal = call, net, training, modal
        self.ref = weakref.ref(out)
        self.shape = tuple(out.shape)
        self.rows = out.shape[0] if out.dim() else 1
        self.grad = out.requires_grad
        self.seq = out.grad_fn._sequence_nr() if out.grad_fn is not None else -1
        self.derived: list[weakref.ref[torch.Tensor]] = []
        self.reached = self.judged = self.target = self.fresh = False
        self.step = step
        self.let_go = False
        self.best_rows: Any = None  # (indices of a max over the rows, dim, shape, class dim)
        self.hashes: np.ndarray | None = None  # of the rows that went in
        self.flat: np.ndarray | None = None
        self.flat_width = 0
        self.bad_out = False
        self.loader: Site | None = None  # the DataLoader that gave the rows
        self.names: tuple[Site, ...] = ()
        self.bad_rows = self.offset = 0
        self.labels: np.ndarray | None = None
        self.predicted: np.ndarray | None = None


class Net:
    """A module called from a person's own code."""

    def __init__(self, module: nn.Module, made_at: Site | None, number: int) -> None:
        self.number = number
        parts = list(module.modules())
        self.count = len(parts)
        self.modal: list[nn.Module] = [m for m in parts if isinstance(m, _BatchNorm) or _drops(m)]
        kinds = tuple(sorted({type(m).__name__ for m in self.modal}))
        self.seen = NetSeen(type(module).__name__, made_at, bool(self.modal), kinds)
        self.calls: dict[Site | None, CallSeen] = {}
        self.evaluated_since_eval = False
        self.eval_at: Site | None = None
        self.class_dim: int | None = None
        own = [p for p in module.parameters() if p.requires_grad]
        self.some = [weakref.ref(p) for p in (*own[:2], *own[-2:])]  # of its parameters
        self.calls_total = self.looks = 0
        self.settled = False  # enough of its trainings were seen
        self.held: deque[weakref.ref[Any]] = deque(maxlen=64)
        self.last_input: tuple[weakref.ref[torch.Tensor], int, int] | None = None


def _drops(module: nn.Module) -> bool:
    """Whether a layer drops values at random in training mode."""
    if isinstance(module, _DropoutNd):
        return module.p > 0
    return isinstance(module, (nn.RNNBase, nn.MultiheadAttention)) and module.dropout > 0


def first_tensor(result: Any) -> torch.Tensor | None:
    """The tensor that a net's result is or begins with."""
    if isinstance(result, torch.Tensor):
        return result
    if isinstance(result, (list, tuple)):
        return next((r for r in result if isinstance(r, torch.Tensor)), None)
    if isinstance(result, dict):
        return next((r for r in result.values() if isinstance(r, torch.Tensor)), None)
    return None
