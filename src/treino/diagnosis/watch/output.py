"""One call of a net and the net itself, as they are followed."""

import math
import sys
import weakref
from collections import deque
from collections.abc import ValuesView
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.jit import ScriptModule
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import is_own
from treino.diagnosis.watch.seen import CallSeen, NetSeen
from treino.diagnosis.watch.where import locals_of

SMALL = 100_000  # entries of an output whose memory is held while it is followed


class Output:
    """What one call of a net returned, for as long as somebody holds it."""

    __slots__ = (
        *("__weakref__", "bad_rows", "beside", "best_rows", "call", "dropping", "flat", "flat_width"),
        *("aims", "fresh", "given", "goal", "goals", "grad", "hashes", "joined", "judged", "keys", "labels"),
        *("let_go", "loader", "mixed", "modal", "modes", "names", "net", "offset", "predicted", "reached"),
        *("reads", "ref", "rows", "seq", "shape", "step", "storage", "sure", "source", "target", "top"),
        *("training", "soft", "via", "wholes"),
    )

    def __init__(
        self, call: CallSeen, out: torch.Tensor, net: "Net", training: bool, modal: bool, step: int
    ) -> None:
        self.call, self.net, self.training, self.modal = call, net, training, modal
        self.ref = weakref.ref(out)
        self.shape = tuple(out.shape)
        self.rows = out.shape[0] if out.dim() else 1
        self.grad = out.requires_grad and torch.is_grad_enabled()
        self.seq = out.grad_fn._sequence_nr() if out.grad_fn is not None else -1
        self.keys: list[int] = []  # ids of the tensors that are this output
        self.reached = self.judged = self.target = self.fresh = False
        self.dropping = False  # values, in evaluation mode
        self.source: Output | None = None  # what it was given by a net in training mode
        self.joined = False  # with other outputs, to one tensor
        self.beside: list[Output] = []  # ... which have graphs, of an evaluation
        self.step, self.modes = step, net.modes
        # Held, so that nothing else takes its place: inference_mode tells a view's base in no other way.
        small = not self.grad and out.numel() <= SMALL and not out.is_sparse
        self.storage = out.untyped_storage() if small else None
        self.soft: Any = None  # ... and that of its sigmoid, of which inference_mode knows no views either
        self.let_go = False
        self.top: weakref.ref[torch.Tensor] | None = None  # the largest of each row, as max() gave them
        self.sure: torch.Tensor | None = None  # which of them were large enough
        self.best_rows: Any = None  # (indices of a max over the rows, dim, shape, class dim)
        self.hashes: np.ndarray | None = None  # of the rows that went in
        self.goal: tuple[float, float, float] | None = None  # least and largest target, loss
        self.goals: np.ndarray | None = (
            None  # of each row's targets, hashes: where they are fewer than its numbers
        )
        self.wholes: np.ndarray | None = None  # ... of these with the net's other inputs
        self.flat: np.ndarray | None = None
        self.flat_width = 0
        self.loader: Site | None = None  # the DataLoader that gave the rows
        self.reads: Any = None  # ... and what it drew
        self.names: tuple[Site, ...] = ()
        self.via: tuple[Site, ...] = ()  # the lines that led here
        self.given: tuple[int, ...] = ()  # the shape of what went in
        self.bad_rows = self.offset = 0
        self.labels: np.ndarray | None = None
        self.aims: np.ndarray | None = None  # the number that each row is to become
        self.mixed = False  # rows of two labels each
        self.predicted: np.ndarray | None = None

    def part_trains(self) -> bool:
        """Whether this net was in evaluation mode, but not the one that it follows and was trained with."""
        source = self.source
        if source is None or source.target or not self.net.fed:
            return False
        return source.modal and source.net.seen.trained >= 2

    def classifies(self) -> bool:
        """Whether this is [rows, classes], and they can't be taken for one another."""
        own = self.shape
        return self.net.class_dim == 1 and len(own) == 2 and own[0] != own[1] and min(own) > 1

    def single(self) -> bool:
        """Whether this is [1, classes], for one row."""
        return self.net.class_dim == 1 and len(self.shape) == 2 and self.shape[0] == 1 < self.shape[1]

    def maps(self, known: bool = True) -> bool:
        """Whether this is [rows, classes, height, width], for rows that were given as maps of that size.

        known: a loss says that the classes are there.
        """
        given, own = self.given, self.shape
        same = len(own) == len(given) >= 4 and given[:1] == own[:1] and given[2:] == own[2:]
        return same and min(own[:2]) > 1 and (not known or self.net.class_dim == 1)

    def rows_first(self) -> bool:
        """Whether this is [rows, something of each] without doubt: what is on its last axis wasn't given."""
        given, own = self.given, self.shape
        return len(own) == 2 and given[:1] == own[:1] and min(own) > 1 and own[1] not in given[1:]


class Net:
    """A module called from a person's own code."""

    def __init__(self, module: nn.Module, made_at: Site | None, number: int) -> None:
        self.number = number
        parts = list(module.modules())
        self.count = len(parts)
        self.modal: list[nn.Module] = [m for m in parts if _norms(m) or _drops(m)]
        above = {id(child): part for part in parts for child in part.children()}
        self.homes = [above.get(id(m), m) for m in self.modal]  # the modules that they are parts of
        kinds = tuple(sorted({_kind(m) for m in self.modal}))
        self.seen = NetSeen(_kind(module), made_at, bool(self.modal), kinds)
        self.calls: dict[Site | None, CallSeen] = {}
        self.evaluated_since_eval = False
        self.modes = 0  # how often its mode was set
        self.eval_at: Site | None = None
        self.left = False  # it was training when eval() was called
        self.class_dim: int | None = None
        self.soft_dims: set[int] = set()  # over which a softmax of its outputs ran
        self.best_dims: set[int] = set()  # along which the best entries of its maps were asked for
        self.supervised = False  # its outputs met plain targets in a loss
        self.some = some_of(module)
        self.calls_total = self.looks = 0
        self.dropped = False  # values, by functions, in its newest call: an argument may say so
        self.fed = True  # in training with what depends on parameters, always
        self.settled = False  # enough of its trainings were seen
        self.held: deque[weakref.ref[Any]] = deque(maxlen=64)
        self.given: set[tuple[int, ...]] = set()  # the first two sizes of what went in
        self.last_input: tuple[weakref.ref[torch.Tensor], int, int] | None = None

    def gathers(self) -> bool:
        """Whether batch norms gather their statistics anew, as for averaged weights: over all batches, which
        torch and Lightning ask for by a momentum of None; whatever else is made of these outputs.
        """
        return any(m.training and isinstance(m, _BatchNorm) and m.momentum is None for m in self.modal)

    def soft_classes(self) -> bool:
        """Whether softmax and one axis alone say where the classes are."""
        return self.class_dim is None and self.soft_dims == {1}

    def rows_vary(self, given: tuple[int, ...]) -> bool:
        """Whether the first axis of what goes in is that of the rows: of it alone the size varies."""
        return given[:2] in self.given and len(self.given) > 1 and len({g[1] for g in self.given}) == 1

    def answers(self) -> bool:
        """Whether its outputs are answers: labels trained it, or the net that it follows, or parts of it."""
        return self.supervised or self.seen.follows or self.seen.parts_apart

    def learns(self) -> bool:
        """Whether a layer with dropout or batch norm belongs to a part that isn't frozen."""
        return any(p.requires_grad for home in self.homes for p in home.parameters())


def some_of(module: nn.Module) -> list[weakref.ref[torch.Tensor]]:
    """A few of a net's parameters that learn."""
    own = [p for p in module.parameters() if p.requires_grad]
    return [weakref.ref(p) for p in (*own[:2], *own[-2:])]


def _kind(module: nn.Module) -> str:
    """The name of a layer's class; of one that TorchScript holds, that of the class it was made from."""
    return getattr(module, "original_name", None) or type(module).__name__


def _norms(module: nn.Module) -> bool:
    """Whether a layer is a batch norm."""
    return isinstance(module, _BatchNorm) or _kind(module).startswith("BatchNorm")


def _drops(module: nn.Module) -> bool:
    """Whether a layer drops values at random in training mode."""
    if isinstance(module, _DropoutNd) or (isinstance(module, ScriptModule) and "Dropout" in _kind(module)):
        return getattr(module, "p", 1) > 0
    return isinstance(module, (nn.RNNBase, nn.MultiheadAttention)) and module.dropout > 0


def opened(one: Any) -> Any:
    """The fields of an object that holds tensors, as a dataclass or a namespace does; all else as it is."""
    if isinstance(one, (torch.Tensor, list, tuple, dict, str, nn.Module, PackedSequence)):
        return one
    fields = getattr(one, "__dict__", None)
    holds = isinstance(fields, dict) and any(isinstance(t, torch.Tensor) for t in fields.values())
    return fields if holds else one


def first_tensor(result: Any) -> torch.Tensor | None:
    """The tensor that a net's result is or begins with."""
    if isinstance(result, torch.Tensor):
        return result
    result = opened(result)
    if isinstance(result, (list, tuple)):
        return next((r for r in result if isinstance(r, torch.Tensor)), None)
    if isinstance(result, dict):
        return next((r for r in result.values() if isinstance(r, torch.Tensor)), None)
    return None


def rows_given(args: Any, kwargs: Any) -> torch.Tensor | None:
    """The rows that a net is given: the first tensor among its arguments, or in one that holds several."""
    given = tuple(map(opened, (*args, *kwargs.values())))
    for one in given:
        if isinstance(one, torch.Tensor):
            return one
    for one in given:
        if isinstance(one, PackedSequence):
            return pad_packed_sequence(one, batch_first=True)[0]
        if isinstance(one, (list, tuple, dict)) and (inside := first_tensor(one)) is not None:
            return inside
    return None


def is_given(held: torch.Tensor, given: torch.Tensor, every: tuple[Any, ...]) -> bool:
    """Whether the rows that a loader gave are those that a net was given, packed or plain."""
    packed = (one.data for one in every if isinstance(one, PackedSequence))
    return any(held.data_ptr() == t.data_ptr() for t in (given, *packed))


def followed_tensor(result: Any) -> torch.Tensor | None:
    """The tensor by which a net's result is followed: the first that is more than a number, unless a loss
    beside it alone has a graph.
    """
    result = opened(result)
    parts = result.values() if isinstance(result, dict) else result
    plain = isinstance(result, torch.Tensor) or not isinstance(parts, (list, tuple, ValuesView))
    found = [] if plain else [r for r in parts if isinstance(r, torch.Tensor)]
    if not found or found[0].dim():
        return first_tensor(result)
    large = next((t for t in found if t.dim() and t.requires_grad == found[0].requires_grad), None)
    return found[0] if large is None else large


def beside(result: Any, out: torch.Tensor) -> list[torch.Tensor]:
    """The other tensors of a result that are as large: the same answers as shares, perhaps."""
    result = opened(result)
    parts = list(result.values()) if isinstance(result, dict) else result
    others = parts if isinstance(parts, (list, tuple)) and len(parts) < 9 else ()
    return [t for t in others if isinstance(t, torch.Tensor) and t is not out and t.shape == out.shape]


def own_loss(result: Any, given: tuple[Any, ...], labels: int) -> bool:
    """Whether a net that computed a loss of so many labels inside was given these, and gives a number."""
    result = opened(result)
    parts = result.values() if isinstance(result, dict) else result
    several = parts if isinstance(parts, (list, tuple, ValuesView)) else (result,)
    told = any(isinstance(t, torch.Tensor) and t.numel() == labels for t in given)
    return told and any(isinstance(r, torch.Tensor) and not r.dim() for r in several)


def class_axis(x: torch.Tensor, output: Output) -> int:
    """Which axis of a net's output the second axis of a loss's input is: followed through views by its
    stride, through copies by its size.
    """
    out = output.ref()
    shape, size = output.shape, x.shape[1]
    if out is None and x._base is not None and x._base.is_contiguous():
        out = x._base.view(shape) if x._base.numel() == math.prod(shape) else None  # nobody holds it any more
    if tuple(x.shape) == shape and (out is None or x.stride() == out.stride()):
        return 1
    if out is not None and x.untyped_storage().data_ptr() == out.untyped_storage().data_ptr():
        same = [d for d in range(len(shape)) if shape[d] == size and out.stride(d) == x.stride(1)]
        if same:
            return same[-1]
    same = [d for d in range(1, len(shape)) if shape[d] == size]
    return same[-1] if same and len(shape) != 2 else 1


def caller_net(module: nn.Module) -> tuple[nn.Module, Site] | None:
    """The net in whose method a layer is called though the net itself was not (``net.predict(x)``), and the
    line that called that method; only nets with dropout or batch norm beside that layer.
    """
    found: nn.Module | None = None
    frame: FrameType | None = sys._getframe(2)
    for _ in range(12):
        if frame is None:
            break
        code = frame.f_code
        own = is_own(code.co_filename)
        first = locals_of(frame).get(code.co_varnames[0]) if code.co_argcount else None
        if isinstance(first, nn.Module) and first is not module and hasattr(type(first), code.co_name):
            if any(m is module for m in first.modules()):
                found = first
        elif own:
            if found is None or not any(_norms(m) or _drops(m) for m in found.modules()):
                return None
            return found, Site(code.co_filename, frame.f_lineno, code.co_name)
        frame = frame.f_back
    return None
