"""The log of one examination: typed events in the order in which they happened.

Rules read only the log. It holds plain values, so that it can be kept and the rules run on it again.
"""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar, dataclass_transform

from treino_doctor.finding import Site
from treino_doctor.record.reach import reached

T = TypeVar("T", bound="Event")
BY_HAND = "update by hand"  # ``kind`` of an optimizer that is the program's own code


@dataclass(frozen=True)
class Operation:
    """One torch operation in the graph of a value.

    name: as in torch, without underscores: ``softmax``, ``sub``; ``parameter`` and ``leaf`` for values
    without history. parents: indices in the graph. detail: plain arguments, by name or by position ("1"), and
    ``part`` for an operation with several results. forwards: the newest calls of nets behind it, by number.
    layer: the line that made the torch module in which it ran."""

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
        """The line of the user's code: the operation's, or the line that made the torch layer around it."""
        return self.layer or self.site


@dataclass(frozen=True)
class Graph:
    """The operations that made a value: ``operations[0]`` is the value, parents come later."""

    operations: tuple[Operation, ...] = ()

    @property
    def root(self) -> Operation | None:
        """The operation that made the value."""
        return self.operations[0] if self.operations else None

    def parents(self, operation: Operation) -> list[Operation]:
        """The inputs of an operation, as far as they were kept."""
        return [self.operations[p] for p in operation.parents]

    def walk(self, start: Operation | None = None, *, through: Set[str] | None = None) -> Iterator[Operation]:
        """Yield an operation and its ancestors, nearest first. through: names to walk through; None: all."""
        first = start or self.root

        def before(one: Operation) -> list[Operation]:
            passed = through is None or one is first or one.name in through
            return self.parents(one) if passed else []

        yield from reached(first, before, len(self.operations))


@dataclass(kw_only=True)
@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Event:
    """Anything that happened. step, turn: optimizer steps and backward passes before it. since: the turn from
    which on everything is recorded. site: the line that did it. stack: the lines of the user's code that led
    there, innermost first; empty if unknown. Each kind is a dataclass with further fields; only the record
    changes one, while it counts."""

    def __init_subclass__(cls) -> None:
        dataclass(kw_only=True)(cls)

    step: int = 0
    turn: int = 0
    since: int = 0
    site: Site | None = None
    stack: tuple[Site, ...] = ()


class NetMade(Event):
    """A net at its first call.

    made_at: its constructor's line. modal: kinds of its layers that behave differently in training (dropout,
    batch norm). loaded: whether it loaded a state, or is a copy. parameters: its parameters' numbers."""

    net: int
    kind: str
    made_at: Site | None = None
    modal: tuple[str, ...] = ()
    loaded: bool = False
    parameters: tuple[int, ...] = ()


class ParameterSeen(Event):
    """A parameter that an optimizer holds or a net lists."""

    parameter: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """One of an optimizer's parameter groups."""

    lr: float
    weight_decay: float
    parameters: tuple[int, ...]


class OptimizerMade(Event):
    """A new optimizer, or one with a new group. adaptive: its steps don't depend on the gradient's scale."""

    optimizer: int
    kind: str
    adaptive: bool
    groups: tuple[Group, ...]

    @property
    def parameters(self) -> set[int]:
        """The numbers of its parameters."""
        return {p for group in self.groups for p in group.parameters}


class Forward(Event):
    """A net was called from the user's code. rows: the batch's number of rows. training: the net's mode.
    grad: whether a graph was recorded. dropping: lines of dropouts that dropped. norming: number of batch
    norms that used batch statistics. active, resting: numbers of dropout and batch norm layers in training
    mode and in eval mode. again: the newest call with the same rows since the last step, or 0. inside: lines
    of the user's code by which layers were called in it, as far as no earlier call went through them."""

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
    again: int = 0
    inside: tuple[Site, ...] = ()


class LossCall(Event):
    """A torch loss function was called.

    trained: its value has a graph. low, high: the target's range. labels: class -> rows. right: class -> rows
    that the input predicts correctly. constant: for a numeric target, the loss of the best constant
    prediction, NaN if unknown. means, spread: the means of some of its columns and their mean variance.
    bootstrapped: a net's answers went into its target. graph, target_graph: the graphs of its input and its
    target."""

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
    means: tuple[float, ...] = ()
    spread: float = float("nan")
    logsumexp: float = 0.0  # for inputs of nll_loss and kl_div, the farthest from 0; 0 for log-probabilities
    of_logs: bool = False  # kl_div's log_target
    spoiled: bool = False  # whether its input isn't finite
    swapped: bool = False  # its input is labels and its target what learns
    outside: tuple[float, float, float] = (0.0, 0.0, 0.0)  # shares of the target below −1, below 0, above 1
    several: bool = False  # its target has 0 and 1 for each of several labels, and rows with none or many
    bootstrapped: bool = False
    error: str = ""  # the exception that it raised
    graph: Graph = field(default_factory=Graph)
    target_graph: Graph = field(default_factory=Graph)


class Backward(Event):
    """A backward ran.

    root: "graph", "leaf" (the value has no history) or "detached" (no parameter that an optimizer holds got a
    gradient). forwards: calls of nets behind the value, with graph or without. filled: optimizers whose
    parameters got gradients. summed: optimizers whose gradients had been used by a step and not cleared since
    then. unowned: parameters in the graph that no optimizer holds.
    """

    value: float
    root: str
    forwards: tuple[int, ...] = ()
    losses: tuple[int, ...] = ()
    filled: tuple[int, ...] = ()
    summed: tuple[int, ...] = ()
    unowned: tuple[int, ...] = ()
    graph: Graph = field(default_factory=Graph)


class Reached(Event):
    """A gradient came back to the answers of these calls while no backward was recorded."""

    forwards: tuple[int, ...]


class Cleared(Event):
    """The gradients of optimizers' parameters were set to None or zero."""

    optimizers: tuple[int, ...] = ()


class Stepped(Event):
    """An optimizer took a step.

    gradients: number of its parameters with gradients; zeros: how many gradients are all zero; still: the
    parameters with such gradients; missing: parameters without gradients. summed: an earlier step had already
    used some gradients. twice: its previous step had, and no backward ran in between. assigned: some
    gradients aren't the tensors that backward left. anew: the first step of an optimizer that keeps past
    gradients, on weights exactly as another one, made on the same line, had left them. frozen: parameters
    that it moved, and that need no gradient or have one of zeros. ratio: ‖Δp‖ / ‖p‖; norm: ‖p‖; decay:
    weight_decay · ‖p‖ / ‖g‖; force: ‖g‖.
    """

    optimizer: int
    gradients: int
    zeros: int
    missing: tuple[int, ...] = ()
    still: tuple[int, ...] = ()
    summed: bool = False
    assigned: bool = False
    anew: bool = False
    twice: bool = False
    frozen: tuple[int, ...] = ()
    ratio: float = float("nan")
    norm: float = float("nan")
    decay: float = float("nan")
    force: float = float("nan")


class Read(Event):
    """A value that comes from nets left torch as a number, list or array, or was compared with another value.

    how: the operation (``item``, ``numpy``, ``compared``, ...), or ``grad``: its derivatives were requested.
    """

    how: str
    forwards: tuple[int, ...] = ()
    graph: Graph = field(default_factory=Graph)


class Printed(Event):
    """Figures that a line printed or logged: each as it was written, so that its last digit is known."""

    figures: tuple[str, ...]


class EvalSet(Event):
    """A net was set to eval mode, by ``eval()`` or ``train(False)``."""

    net: int


class OptimizerEnded(Event):
    """Totals of an optimizer when the program ended.

    filled: recorded backwards that gave it gradients. moved: parameters have other values than at their first
    backward. movement: ‖p_end − p_start‖ / ‖p_start‖ of sampled entries.
    """

    optimizer: int
    steps: int
    filled: int
    moved: bool
    movement: float


class Course(Event):
    """All values that a line ran backward in one training: the loss that it minimises. turn: of the first
    value. constant: the loss of the best constant prediction, if the recorder knows it for all rows; then
    no LossCall is needed."""

    values: tuple[float, ...]
    constant: float = float("nan")


class Ended(Event):
    """The end of the program. finished: it ended by itself, without an error. watched: recorded backwards."""

    finished: bool
    watched: int
    error: str = ""


@dataclass
class Log:
    """Events in order. moment: returns the current step and turn, as keywords; place: the running lines."""

    events: list[Event] = field(default_factory=list)
    moment: Callable[[], dict[str, Any]] = field(default=dict, repr=False, compare=False)
    place: Callable[[], dict[str, Any]] = field(default=dict, repr=False, compare=False)

    def tell(self, kind: type[T], /, **fields: Any) -> T:
        """Append an event at the current step and turn, and return it."""
        event = kind(**self.moment() | fields)
        self.events.append(event)
        return event

    def add(self, event: Event, **fields: Any) -> None:
        """Append an event that was counted up to now, at the current step and turn."""
        self.events.append(replace(event, **self.moment() | fields))

    def tell_here(self, kind: type[Event], /, **fields: Any) -> None:
        """Append an event at the current step and turn, on the running line."""
        self.tell(kind, **self.place() | fields)

    def of(self, kind: type[T]) -> list[T]:
        """All events of a kind."""
        return [e for e in self.events if isinstance(e, kind)]


def taken(kind: type[Event], counted: Any) -> dict[str, Any]:
    """The values that the object ``counted`` has for the fields of an event, by the same names."""
    own = vars(counted)
    return {f.name: own[f.name] for f in fields(kind) if f.name in own}
