"""Events of how a training learns: schedules, seeds, activations, weights and vanishing gradients."""

from treino_doctor.finding import Site
from treino_doctor.record.log import Event


class NonFinite(Event):
    """The first non-finite value that a line ran backward. operation: its cause, if known ("log", "sqrt",
    "division", "exp"); at: the operation's line.
    """

    operation: str = ""
    at: Site | None = None


class Depth(Event):
    """The gradients of a net's first and last weight matrix. ratio: of their root mean squares. saturating:
    number of sigmoids and tanhs in the net's call. spread: standard deviation of the first matrix, relative
    to torch's default (1 / sqrt(3 · inputs)). written_at: the line that filled the first matrix. optimizer:
    the one that holds them.
    """

    layers: int
    ratio: float
    saturating: int
    made_at: Site | None = None
    spread: float = 1.0
    optimizer: int = -1
    written_at: Site | None = None


class Rectified(Event):
    """One ReLU in training calls. dead: for each recorded call, the number of units that were zero for all
    rows. constant: its output was the same for every row of the newest call. below: a line that filled biases
    with negative values.
    """

    made_at: Site | None = None
    units: int
    dead: tuple[int, ...]
    constant: bool
    below: Site | None = None


class AlikeRows(Event):
    """A weight matrix whose slices along ``axis`` are all equal after several steps (0: all rows are equal).
    layer: the class that holds it. looks: steps after which it was checked. zero: all entries are zero.
    filled_at: the line that filled it.
    """

    layer: str
    shape: tuple[int, ...]
    axis: int
    looks: int
    zero: bool
    filled_at: Site | None = None


class ScheduleEnded(Event):
    """A scheduler at the end. updates: steps of its optimizer since the scheduler was made.

    horizon: the number of calls it was made for, 0 if unknown. calls: the number of calls of its ``step``;
    step_at: the line with most of them. before: the first call came before any step of the optimizer. left:
    newest calls in a row without an update between them; heir: the line of another optimizer that took over
    the parameters. lent: another optimizer shares its groups. starved: updates at less than 1 % of its first
    or highest rate, after the rate had reached a tenth of it. cuts: calls that lowered the rate. metrics:
    values passed to ReduceLROnPlateau.
    """

    kind: str
    step_at: Site | None = None
    horizon: int
    mode: str
    calls: int
    updates: int
    backwards: int
    before: bool
    left: int
    heir: Site | None = None
    lent: bool
    starved: int
    cuts: int
    metrics: tuple[float, ...]


class Drawn(Event):
    """A seed was set, a generator made with a seed, or an order of rows drawn. key: the seed, or the order's
    hash. training: the next call of a net had gradients.
    """

    kind: str
    key: str
    training: bool


class LayerUnreached(Event):
    """At the end: a layer of a net, whose parameters an optimizer holds, that was never called.

    looks: recorded backwards of that optimizer, none of which gave it a gradient. made_at: its constructor's
    line. parameters: the number of its entries.
    """

    kind: str
    looks: int
    parameters: int
    made_at: Site | None = None


class Unfilled(Event):
    """A loss was made of a tensor that was never filled. kind: ``parameter``, or the operation that used it.
    made_at: the line of the ``empty`` that made it.
    """

    kind: str
    shape: tuple[int, ...]
    made_at: Site | None = None
