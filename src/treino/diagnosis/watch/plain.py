"""Nets of plain tensors, which no module calls: known by the weights that rows of data meet first."""

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.output import Net, Output
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import CallSeen
from treino.diagnosis.watch.where import stack

LOOKS = 4  # graphs in which such weights are looked for
SMALL, HELD = 200_000, 32  # numbers of a weight that is held; such weights
MANY = 256  # nets, each made anew: their weights are others at each step
OPEN = 8  # products that may still be trained by
DEEP = 8  # lines that led to a product
_Of = TypeVar("_Of")
Weight = tuple[int, int, tuple[int, ...]]  # a leaf's id, and which part of it

FUNCTIONS: tuple[tuple[Any, str], ...] = (
    *((torch.Tensor, name) for name in ("__matmul__", "matmul", "mm", "mv")),
    *((torch, name) for name in ("matmul", "mm", "mv", "addmm", "einsum", "conv1d", "conv2d")),
    *((nn.functional, name) for name in ("linear", "conv1d", "conv2d")),
)


class Plain:
    """Puts its wraps on once a graph shows rows that are multiplied with leaves of no module.

    inner: the lines of such a net itself, which say nothing of where it is called from.
    """

    def __init__(self, patches: Patches, nets: Nets) -> None:
        self.patches, self.nets = patches, nets
        self.inner: set[Site] = set()
        self.done: Callable[[int], bool] = lambda number: False  # whether enough of its training was seen
        self._looks = self._made = 0
        self.late = False  # whether training had begun before the first of them was known
        self._turns = 0  # products that may be trained by: steps, where no optimizer takes them
        self._trainer: Site | None = None  # a line that calls backward
        self._known: dict[Weight, tuple[weakref.ref[torch.Tensor], Net]] = {}
        self._memory: dict[int, tuple[torch.Tensor, Net]] = {}  # where a weight's numbers lie
        self._copies: dict[int, tuple[weakref.ref[torch.Tensor], Net]] = {}  # ... and those of its copies
        self._open: list[Output] = []
        self.found_listeners: list[Callable[[], None]] = []  # called once it is known that there are any
        self.product_listeners: list[Callable[[Output, torch.Tensor, torch.Tensor], None]] = []
        self._unrolled: set[int] = set()  # weights that meet parts of rows again and again
        nets.backward.graph_listeners.append(self._graph)

    def _graph(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        if self._looks >= LOOKS:
            return
        self._looks += 1
        own = {id(p) for net in list(self.nets.nets) for p in net.parameters()}
        if any(p.dim() and id(p) not in own for p in leaves) and any(map(meets_rows, nodes)):
            self._looks, self._trainer = LOOKS, site
            facts = self.nets.backward.seen.backwards.get(site)
            self.late = facts is not None and facts.calls > 2
            for owner, name in FUNCTIONS:
                self.patches.after(owner, name, self._multiplied)
            self.patches.after(torch.Tensor, "clone", self._copied)
            for listener in self.found_listeners:
                listener()

    def _multiplied(self, result: Any, args: Any, kwargs: Any) -> None:
        given = args[1:] if args and isinstance(args[0], str) else args
        if len(given) == 3 and given[0] is not None and given[0].dim() == 1 and given[1].dim() == 2:
            given = given[1:] if given[2].dim() == 2 else given  # addmm(bias, rows, weight)
        if self.nets.stack or len(given) < 2:
            return
        x, w = given[:2]
        if not isinstance(x, torch.Tensor) or not isinstance(w, torch.Tensor) or x.requires_grad:
            return
        if x.dim() < 2:
            return
        leaf = w if w.grad_fn is None and w.requires_grad else w._base
        trains = result.grad_fn is not None
        net = self._detached(w) if not trains and not w.requires_grad and leaf is None else None
        if net is None:
            if leaf is None or leaf.grad_fn is not None or not leaf.requires_grad:
                return
            net = self._net((id(leaf), int(w.storage_offset()), tuple(w.shape)), leaf, trains)
        self._turns += trains
        enough = trains and not (self.patches.full or self.patches.curious)
        if net is None or (enough and self.done(net.number)):
            return
        self._settle()
        if net.number in self._unrolled:
            return
        own = stack(DEEP)
        if trains:
            self._note_inner(own)
        site = next((s for s in own if s not in self.inner), None)
        output = Output(CallSeen(net.seen, site), result, net, trains, False, self.nets.steps or self._turns)
        for listener in self.nets.row_listeners:
            listener(output, net, x)
        if leaf is not None:
            for told in self.product_listeners:
                told(output, x, leaf)
        if trains:
            result.grad_fn.register_prehook(_Reached(output))
            self._open.append(output)
            del self._open[:-OPEN]
        else:
            self._tell(output)

    def _net(self, key: Weight, leaf: torch.Tensor, trains: bool) -> Net | None:
        known = self._known.get(key)
        if known is not None and known[0]() is leaf:
            return known[1]
        if not trains or self._made >= MANY:
            return None  # a later layer's, or not trained yet
        self._made += 1
        net = Net(nn.Module(), None, -self._made)
        self._known[key] = weakref.ref(leaf), net
        alias = leaf.detach()
        if alias.layout is torch.strided and alias.numel() <= SMALL:
            self._memory[alias.data_ptr()] = alias, net
            if len(self._memory) > HELD:
                del self._memory[next(iter(self._memory))]
        return net

    def _detached(self, w: torch.Tensor) -> Net | None:
        """The net of a weight that a function gave back as ``w.detach()``: it has the same memory, which is
        held, so that nothing else takes its place.
        """
        if w.layout is not torch.strided:
            return None
        copy = self._copies.get(w.data_ptr())
        if copy is not None and copy[0]() is not None:
            return copy[1]
        known = self._memory.get(w.data_ptr())
        return known[1] if known is not None and known[0].shape == w.shape else None

    def _copied(self, result: Any, args: Any, kwargs: Any) -> None:
        """``w.detach().clone()``: weights that are kept, of the best epoch perhaps, are that net's, too."""
        net = self._detached(args[0]) if not result.requires_grad else None
        if net is not None and result.data_ptr() != args[0].data_ptr():
            self._copies[result.data_ptr()] = weakref.ref(result), net
            if len(self._copies) > HELD:
                del self._copies[next(iter(self._copies))]

    def _note_inner(self, own: tuple[Site, ...]) -> None:
        """The lines between a product and the function that calls backward."""
        trainer = self._trainer
        if trainer is not None and own[0] not in self.inner:
            at = (i for i, s in enumerate(own) if (s.file, s.function) == (trainer.file, trainer.function))
            self.inner.update(own[: next(at, 0)])

    def outside(self, of_frames: Callable[[int], tuple[_Of, ...]]) -> tuple[_Of, ...]:
        """``stack`` or ``spots`` without the net's own lines; empty where there are no such nets."""
        if not self.inner:
            return ()
        both = zip(stack(DEEP), of_frames(DEEP), strict=True)
        return tuple(one for site, one in both if site not in self.inner)[:4]

    def _settle(self) -> None:
        """What a backward went through by now has trained; twice through one weight is an unrolled net."""
        reached = [o for o in self._open if o.reached]
        self._open = [o for o in self._open if not o.reached]
        nets = [o.net.number for o in reached]
        self._unrolled |= {number for number in nets if nets.count(number) > 1}
        for output in reached:
            if output.net.number not in self._unrolled:
                self._tell(output)

    def _tell(self, output: Output) -> None:
        for listener in self.nets.finished_listeners:
            listener(output, output.net)

    def finish(self) -> None:
        """Settle what is left."""
        self._settle()


def meets_rows(node: Any) -> bool:
    """Whether something that no gradient goes to is multiplied with a leaf, or with a view of one."""
    if node.name() not in graph.PRODUCTS:
        return False
    before = [f for f, _ in node.next_functions]
    at = graph.PRODUCTS[node.name()][1]
    return len(before) > at + 1 and before[at] is None and before[at + 1] is not None


class _Reached:
    """A prehook on a product's node."""

    __slots__ = ("output",)

    def __init__(self, output: Output) -> None:
        self.output = output

    def __call__(self, grads: Any) -> None:
        self.output.reached = self.output.fresh = True
