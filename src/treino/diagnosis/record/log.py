"""The log of one examination: typed events in the order in which they happened.

Rules read nothing else: plain values, so that a log can be kept and decided again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here, stack
from treino.diagnosis.record.reach import reached

T = TypeVar("T", bound="Event")
BY_HAND = "update by hand"  # the kind of an optimizer that a program itself is


@dataclass(frozen=True)
class Operation:
    """One operation of torch in the making of a value.

    name: as in torch, without underscores: ``softmax``, ``sub``; ``parameter`` and ``leaf`` made nothing.
    parents: places in the graph. detail: plain arguments, by name or by place ("1"), and ``part`` of several
    results. forwards: the newest calls of nets (numbers) that it comes from. layer: the line that made the
    module of torch in which it ran.
    """

    name: str
    site: Site | None
    shape: tuple[int, ...]
    parents: tuple[int, ...]
    detail: dict[str, Any]
    grad: bool
    forwards: tuple[int, ...] = ()
    layer: Site | None = None

    @property
    def written(self) -> Site | None:
        """The line that a person wrote for it: of a layer of torch, where that was made."""
        return self.layer or self.site


@dataclass(frozen=True)
class Graph:
    """What a value was made of: ``operations[0]`` is the value, parents stand further on."""

    operations: tuple[Operation, ...] = ()

    @property
    def root(self) -> Operation | None:
        """The operation that made the value."""
        return self.operations[0] if self.operations else None

    def parents(self, operation: Operation) -> list[Operation]:
        """What went into an operation, as far as it was kept."""
        return [self.operations[p] for p in operation.parents]

    def walk(
        self, start: Operation | None = None, *, through: frozenset[str] | None = None
    ) -> Iterator[Operation]:
        """An operation and what led to it, nearest first; ``through``: names that are passed, or all."""
        first = start or self.root

        def before(one: Operation) -> list[Operation]:
            passed = through is None or one is first or one.name in through
            return self.parents(one) if passed else []

        yield from reached(first, before, len(self.operations))


@dataclass(frozen=True, kw_only=True)
class Event:
    """Anything that happened. step: steps of all optimizers until then. turn: backwards until then. site: the
    line that did it; stack: the own lines that led there, innermost first; of what has a place.
    """

    step: int = 0
    turn: int = 0
    site: Site | None = None
    stack: tuple[Site, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NetMade(Event):
    """A net as its first call found it.

    made_at: its constructor's line. modal: kinds of its layers that behave otherwise in training (dropout,
    batch norm). loaded: its state was, before, or it is a copy. parameters: numbers.
    """

    net: int
    kind: str
    made_at: Site | None = None
    modal: tuple[str, ...] = ()
    loaded: bool = False
    parameters: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ParameterSeen(Event):
    """A parameter that an optimizer holds or a net lists."""

    parameter: int
    name: str
    shape: tuple[int, ...]
    made_at: Site | None = None


@dataclass(frozen=True)
class Group:
    """One group of an optimizer's parameters."""

    lr: float
    weight_decay: float
    parameters: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class OptimizerMade(Event):
    """An optimizer, or a group that it was given later. adaptive: no step hangs on the gradient's size."""

    optimizer: int
    kind: str
    adaptive: bool
    groups: tuple[Group, ...]


@dataclass(frozen=True, kw_only=True)
class Forward(Event):
    """A net was called from a person's own code.

    rows: of the batch. training: its mode. grad: whether a graph was recorded. dropping: lines of dropout
    that dropped; norming: batch norms that took the batch's own figures. active, resting: layers of dropout
    or batch norm in training mode, and those that are not. loader: the line of the DataLoader
    whose rows these are. again: the newest call with these very rows since the last step, or 0.
    """

    forward: int
    net: int
    training: bool
    grad: bool
    rows: int
    shape: tuple[int, ...]
    dropping: tuple[Site | None, ...] = ()
    norming: int = 0
    active: int = 0
    resting: int = 0
    loader: Site | None = None
    again: int = 0


@dataclass(frozen=True, kw_only=True)
class LossCall(Event):
    """A loss function of torch was called.

    trained: its value has a graph. low, high: of the target. labels: class → rows, of class labels. right:
    class → rows for which the largest input was it. constant: the loss of the best constant answer for these
    targets, NaN where not known. graph: of its input. target_graph: of its target.
    """

    loss: int
    name: str
    made_at: Site | None = None
    forwards: tuple[int, ...] = ()
    trained: bool
    value: float
    reduction: str
    input_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    target_kind: str
    low: float
    high: float
    labels: dict[int, int] = field(default_factory=dict)
    right: dict[int, int] = field(default_factory=dict)
    weights: tuple[float, ...] = ()
    smoothing: float = 0.0
    constant: float = float("nan")
    logsumexp: float = 0.0  # the largest of nll_loss's input: of log-probabilities it is zero
    spoiled: bool = False  # its input isn't finite
    below: float = 0.0  # share of the target's entries that are below zero
    error: str = ""  # it raised this
    graph: Graph = field(default_factory=Graph)
    target_graph: Graph = field(default_factory=Graph)


@dataclass(frozen=True, kw_only=True)
class Softmaxed(Event):
    """A softmax or log_softmax was taken of what a net gave. dim: counted from the front."""

    name: str
    forward: int
    dim: int
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class WeightsApplied(Event):
    """Weights of an attention, a softmax of products, met the values. dim: of the softmax, at its own line.
    summed: the axis that the product sums over.
    """

    softmax: Site | None = None
    dim: int
    summed: int


@dataclass(frozen=True, kw_only=True)
class Backward(Event):
    """backward ran.

    root: "graph", "leaf" (the value has no history) or "detached" (no parameter that an optimizer holds got a
    gradient). filled: optimizers whose parameters got gradients. summed: those whose gradients had been used
    by a step and were not cleared since. unowned: parameters in the graph that no optimizer holds.
    """

    value: float
    root: str
    forwards: tuple[int, ...] = ()
    losses: tuple[int, ...] = ()
    filled: tuple[int, ...] = ()
    summed: tuple[int, ...] = ()
    unowned: tuple[int, ...] = ()
    graph: Graph = field(default_factory=Graph)


@dataclass(frozen=True, kw_only=True)
class Cleared(Event):
    """Gradients of an optimizer's parameters were there and now are none or zero."""

    optimizers: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stepped(Event):
    """An optimizer took a step.

    gradients: how many of its parameters had one; zeros: how many of these were all zeros (still);
    missing: those without. summed: some held what an earlier step had used; assigned: some are other tensors
    than a backward had left. ratio: ‖Δp‖ / ‖p‖; norm: ‖p‖;
    decay: weight_decay · ‖p‖ / ‖g‖.
    """

    optimizer: int
    lr: float
    weight_decay: float
    gradients: int
    zeros: int
    missing: tuple[int, ...] = ()
    still: tuple[int, ...] = ()
    summed: bool = False
    assigned: bool = False
    ratio: float = float("nan")
    norm: float = float("nan")
    decay: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class Read(Event):
    """A value that comes from nets left torch: a number, a list, an array, or was compared with another.

    how: the operation (``item``, ``numpy``, ``compared``, ...); ``grad``: its derivatives were asked for.
    """

    how: str
    forwards: tuple[int, ...] = ()
    value: float
    grad: bool
    graph: Graph = field(default_factory=Graph)


@dataclass(frozen=True, kw_only=True)
class EvalSet(Event):
    """A net was set to eval, by ``eval()`` or ``train(False)``."""

    net: int


@dataclass(frozen=True, kw_only=True)
class OptimizerEnded(Event):
    """What an optimizer had done when the program ended.

    filled: backwards that gave it gradients, of those looked at. moved: parameters have other values than at
    their first backward. movement: ‖p_end − p_start‖ / ‖p_start‖ of sampled entries; least: the smallest
    ‖p_end‖ / ‖p_start‖ of a matrix.
    """

    optimizer: int
    steps: int
    filled: int
    moved: bool
    movement: float
    least: float


@dataclass(frozen=True, kw_only=True)
class Course(Event):
    """The values of a line's backwards, all of them: the loss that a training minimises. constant: what the
    best constant answer gets, where who writes the log knows it for all rows, and no call has to tell.
    """

    values: tuple[float, ...]
    constant: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    """The end: what was looked at, of how much. finished: the program came to its own end."""

    finished: bool
    watched: int
    error: str = ""


@dataclass
class Log:
    """Events, in order. moment: gives the step and the turn that it is now."""

    events: list[Event] = field(default_factory=list)
    moment: Callable[[], dict[str, Any]] = field(default=dict, repr=False, compare=False)

    def add(self, event: Event) -> None:
        """One more."""
        self.events.append(event)

    def tell(self, kind: type[Event], /, **fields: Any) -> None:
        """One more, at this moment."""
        self.events.append(kind(**self.moment() | fields))

    def tell_here(self, kind: type[Event], /, **fields: Any) -> None:
        """One more, at this moment, on the line that runs."""
        self.tell(kind, **{"site": here(), "stack": stack()} | fields)

    def of(self, kind: type[T]) -> list[T]:
        """All events of a kind."""
        return [e for e in self.events if isinstance(e, kind)]


def taken(kind: type[Event], counted: Any) -> dict[str, Any]:
    """The fields of an event that what was counted has by the same names."""
    own = vars(counted)
    return {f.name: own[f.name] for f in fields(kind) if f.name in own}
