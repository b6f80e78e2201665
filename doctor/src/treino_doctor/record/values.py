"""A record of values: for each tensor, the operation that made it, its inputs, and the line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.distributions import Distribution

from treino_doctor.finding import Site
from treino_doctor.record.identity import Ref
from treino_doctor.record.log import Graph, Operation
from treino_doctor.record.reach import reached

MOST = 64  # maximum number of operations of a graph in the log
ROWS = 4  # inputs kept of a value without gradient there: a batch may be stacked of very many rows
PRUNED = 20_000  # known tensors above which dead ones are removed
OLD = 3  # steps after which a value forgets its parents

VIEWS = {"view", "reshape", "squeeze", "unsqueeze", "flatten", "to", "contiguous", "detach", "clone"}
Calls = frozenset[int] | range  # numbers of nets' calls
NOBODY: frozenset[int] = frozenset()
LONG = 64  # with more calls than this, evenly spaced ones are stored as a range
NEWEST = 128  # of twice as many uneven calls behind a value without gradient, so many newest ones are kept


@dataclass(eq=False, slots=True)
class Node:
    """One value: the operation that made it, and its input values.

    forwards: numbers of the nets' calls behind it. layer: the line that made the torch module in which it
    ran. step: optimizer steps before it.
    """

    op: str
    parents: tuple["Node", ...]
    site: Site | None
    shape: tuple[int, ...]
    detail: dict[str, Any]
    grad: bool
    step: int
    forwards: Calls = NOBODY
    layer: Site | None = None

    def __post_init__(self) -> None:
        calls = [p.forwards for p in self.parents]
        self.forwards = calls[0] if len(calls) == 1 else together(calls, self.grad)


class Values:
    """The nodes of all recorded tensors, by identity."""

    def __init__(self) -> None:
        self.step = 0
        self.users: list[Callable[[str, torch.Tensor, Node, Node, torch.Tensor], None]] = []
        """Called with (operation, input, its node, the result's, the result) if the input may be unfilled."""
        self._known: dict[int, tuple[Ref[torch.Tensor], Node]] = {}
        self._young: list[list[Node]] = [[]]
        self._crowd = PRUNED

    def find(self, tensor: torch.Tensor) -> Node | None:
        """Return the node of a tensor; None if it has none."""
        known = self._known.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None

    def given(self) -> list[torch.Tensor]:
        """The tensors that the program holds and no net made, and what they are views of."""
        held = [ref() for ref, n in [*self._known.values()] if not (n.grad or n.forwards)]
        held += [t._base for t in held if t is not None and not t.is_inference()]
        return [t for t in held if t is not None and t.layout == torch.strided and not t.requires_grad]

    def of(self, tensor: torch.Tensor) -> Node:
        """Return the node of a tensor; a tensor whose making was not recorded becomes a leaf."""
        node = self.find(tensor)
        if node is None:
            op = "parameter" if isinstance(tensor, torch.nn.Parameter) else "leaf"
            base, grad = tensor._base, tensor.requires_grad
            whole = self.find(base) if base is not None and not tensor.is_inference() else None
            op, parents = ("view", (whole,)) if whole is not None else (op, ())
            node = Node(op, parents, None, shape_of(tensor), {}, grad, self.step)
            self.know(tensor, node)
        return node

    def know(self, tensor: torch.Tensor, node: Node) -> None:
        """Set the node of a tensor."""
        if len(self._known) > self._crowd:
            self._known = {k: v for k, v in self._known.items() if v[0]() is not None}
            self._crowd = max(PRUNED, 2 * len(self._known))
        self._known[id(tensor)] = Ref(tensor), node
        if node.parents:
            self._young[-1].append(node)
            if len(self._young[-1]) > PRUNED:  # one evaluation may have more values than many steps
                self._age()

    def swapped(self, result: Any, args: Any, kwargs: Any) -> None:
        """Two tensors took each other's values: neither's history is known any longer."""
        for tensor in (*args, *kwargs.values()):
            self._known.pop(id(tensor), None)

    def made(
        self, result: Any, op: str, inputs: Sequence[torch.Tensor], site: Site | None, detail: dict[str, Any]
    ) -> Node | None:
        """Record the result of an operation; return the node of its first tensor."""
        if type(result) is not torch.Tensor and isinstance(result, torch.nn.Parameter):
            return self.of(result)  # its initialisation is not part of its history
        parents = tuple(self.of(t) for t in inputs)
        first: Node | None = None
        several = isinstance(result, (tuple, list))
        for at, one in enumerate(result[:16] if several else (result,)):
            if isinstance(one, torch.Tensor):
                own = detail | {"part": at} if several else detail
                node = Node(op, parents, site, shape_of(one), own, one.requires_grad, self.step)
                self.know(one, node)
                first = first or node
                for tensor, parent in zip(inputs, parents, strict=True):
                    if parent.op == "empty" or (parent.op in VIEWS and parent.parents):
                        for observe in self.users:
                            observe(op, tensor, parent, node, one)
        return first

    def tick(self, step: int) -> None:
        """Count a step. To bound memory, values made some steps ago forget their parents."""
        self.step = step
        self._age()

    def _age(self) -> None:
        self._young.append([])
        if len(self._young) > OLD:
            for node in self._young.pop(0):
                node.parents = ()


def together(several: list[Calls], grad: bool) -> Calls:
    """The union of sets of calls. Many calls at equal distances, as in a sum over batches, become a range,
    which a further call extends without a copy. Of others only the newest are kept if no gradient can follow:
    a rollout's state has all earlier calls behind it."""
    some = [*{id(calls): calls for calls in several if calls}.values()]
    if len(some) < 2:
        return some[0] if some else NOBODY
    longest = max(some, key=len)
    if isinstance(longest, range):
        more = [calls for calls in some if calls is not longest and not _within(calls, longest)]
        if all(len(calls) < LONG for calls in more):
            for one in sorted({one for calls in more for one in calls if one not in longest}):
                if one != longest[-1] + longest.step:
                    break
                longest = range(longest.start, one + 1, longest.step)
            else:
                return longest
    union = NOBODY.union(*some)
    if len(union) < LONG:
        return union
    low, high = min(union), max(union)
    step = max(1, (high - low) // (len(union) - 1))
    even = range(low, high + 1, step)
    if len(even) == len(union) and union.issuperset(even):
        return even
    return union if grad or len(union) < 2 * NEWEST else frozenset(sorted(union)[-NEWEST:])


def _within(calls: Calls, longer: range) -> bool:
    """Whether all calls are certainly in a range; only checks that are fast."""
    if not isinstance(calls, range):
        return False
    return calls.step % longer.step == 0 and calls[0] in longer and calls[-1] in longer


def newest_calls(calls: Calls, most: int) -> tuple[int, ...]:
    """The last calls, in order."""
    return tuple(calls[-most:] if isinstance(calls, range) else sorted(calls)[-most:])


def shape_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """The shape of a tensor; () for a nested one, and for an uninitialised parameter of a lazy layer."""
    try:
        return tuple(tensor.shape)
    except RuntimeError:
        return ()


def made_of(node: Node | None, most: int) -> list[Node]:
    """A value and its ancestors, nearest first; at most ``most``."""
    return reached(node, lambda one: one.parents, most)


def snapshot(node: Node, most: int = MOST) -> Graph:
    """The graph of the operations that led to a value, breadth first; at most ``most``."""
    order = reached(node, lambda one: one.parents if one.grad else one.parents[:ROWS], most)
    numbers = {id(one): place for place, one in enumerate(order)}
    operations = []
    for n in order:
        parents, calls = [numbers[id(p)] for p in n.parents if id(p) in numbers], newest_calls(n.forwards, 4)
        made = Operation(n.op, n.site, n.shape, (*parents,), n.detail, n.grad, calls, n.layer)
        operations.append(made)
    return Graph((*operations,))


def first_tensors(values: Any) -> list[torch.Tensor]:
    """The tensors among arguments or results, nested at most twice."""
    tensors: list[torch.Tensor] = []
    if isinstance(values, tuple) and len(values) == 1 and isinstance(values[0], torch.Tensor):
        return [*values]  # the usual case, and a fast one
    todo = [(values, 0)]
    while todo:
        one, deep = todo.pop(0)
        if isinstance(one, torch.Tensor):
            tensors.append(one)
        elif isinstance(one, (list, tuple)) and deep < 3:
            todo += [(v, deep + 1) for v in one[:16]]
        elif isinstance(one, dict) and deep < 3:
            todo += [(v, deep + 1) for v in list(one.values())[:16]]
        elif (isinstance(one, Distribution) or hasattr(one, "__dataclass_fields__")) and deep < 3:
            names = getattr(one, "__dict__", ()) or one.__dataclass_fields__  # a class may have slots
            todo += [(getattr(one, name, None), deep + 1) for name in list(names)[:16]]
    return tensors
