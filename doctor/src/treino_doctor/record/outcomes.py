"""Events about how a training learns and what it keeps: activations, gradients, states."""

from treino_doctor.finding import Site
from treino_doctor.record.log import Event

# Operations whose derivative is zero.
FLAT = ("round", "sign", "floor", "ceil", "trunc", "bernoulli", "poisson", "sgn", "fix", "heaviside")


class Cut(Event):
    """An operation (``detach``, ``no_grad``, ``round``, ...) cut the gradients off from these parameters."""

    how: str
    parameters: tuple[int, ...] = ()


class Unowned(Event):
    """Logged at the end: a parameter that losses reached while no optimizer held it.

    losses: number of losses that reached it; optimizers: the optimizers whose parameters got gradients from
    the same losses. held: an optimizer holds it by now. copied: it was loaded, or copied with its module.
    grad_input: it was an input of ``autograd.grad``. alone: none of these losses reached a parameter of an
    optimizer. upstream: no parameter of an optimizer comes before it. training: its module's mode. listed: it
    is among the parameters of a net that was called. apart: an optimizer holds exactly one other part of that
    net. late: it was made after one of the optimizers; opened: it was frozen when an optimizer was made.
    gone: it no longer existed at the end; then made_at is known if its layer was gone right after the loss.
    """

    parameter: int = 0
    optimizers: tuple[int, ...] = ()
    shape: tuple[int, ...]
    losses: int = 0
    moved: bool = False
    held: bool = False
    copied: bool = False
    grad_input: bool = False
    alone: bool = True
    upstream: bool = True
    training: bool = True
    listed: bool = True
    apart: bool = False
    late: bool = False
    opened: bool = False
    gone: bool = False
    made_at: Site | None = None


class Clip(Event):
    """Gradients were clipped, by torch or by hand. share: ‖g‖ after clipping over ‖g‖ before. spent: a step
    had used all of them, and no backward had added to them since."""

    limit: float
    share: float
    spent: bool = False


class GraphsHeld(Event):
    """Logged at the end: the graphs of a line's past losses (or of nets' past outputs).

    alive: the largest number alive at once. marked: how many were tracked in all. summed_at: the line that
    sums values with graphs from step to step, or the line of the same function that passes them to it. grown:
    these are losses that the program keeps. released: how many past ones it let go later, as after an epoch.
    """

    result: bool
    alive: int
    marked: int
    summed_at: Site | None = None
    grown: bool = False
    released: int = 0


class Normed(Event):
    """Logged at the end: the recorded batches of a batch-norm layer.

    ones: training batches of one row; larger: of more rows; evaluated: batches in eval mode, unfed: those
    with the averages that it began with, 0 and 1, after its weights had changed, at this line. crashed: torch
    refused a batch of one row. shape, stack, loader, called_at (the call of the net), graph (whether one was
    recorded): facts of the newest batch of one row.
    """

    made_at: Site | None = None
    ones: int = 0
    larger: int = 0
    evaluated: int = 0
    unfed: int = 0
    unfed_at: Site | None = None
    crashed: bool = False
    shape: tuple[int, ...] = ()
    loader: Site | None = None
    called_at: Site | None = None
    graph: bool = True


class StateUsed(Event):
    """A net's state was loaded or saved after more steps; its tensors are the net's own, so they had changed.

    how: "load_state_dict" or "save". taken_at: the line that called ``state_dict``. steps: optimizer steps
    since then. times: the number of states that this line took, each after different steps.
    """

    how: str
    taken_at: Site | None = None
    steps: int
    times: int


class StateTaken(Event):
    """Logged at the end: a line took a net's states, each after other steps; or something was saved by torch,
    so that weights may be used out of sight."""

    times: int


class NonFinite(Event):
    """The first non-finite value that a line ran backward. operation: its cause, if known ("log", "sqrt",
    "division", "exp"); at: the operation's line."""

    operation: str = ""
    at: Site | None = None


class Depth(Event):
    """The gradients of a net's first and last weight matrix. ratio: of their root mean squares. saturating:
    number of sigmoids and tanhs in the net's call. spread: standard deviation of the first matrix, relative
    to torch's default (1 / sqrt(3 · inputs)). written_at: the line that filled the first matrix. optimizer:
    the one that holds them."""

    layers: int
    ratio: float
    saturating: int
    made_at: Site | None = None
    spread: float = 1.0
    optimizer: int = -1
    written_at: Site | None = None


class Rectified(Event):
    """One ReLU in training calls. dead: for each recorded call, the number of units that were zero in all
    rows. constant: its output was the same for every row of the newest call. below: a line that filled biases
    with negative values."""

    made_at: Site | None = None
    units: int
    dead: tuple[int, ...] = ()
    constant: bool = False
    below: Site | None = None


class AlikeRows(Event):
    """A weight matrix whose slices along ``axis`` are all equal after several steps (0: all rows are equal).
    layer: the class that holds it. looks: steps after which it was checked. zero: all entries are zero.
    filled_at: the line that filled it."""

    layer: str
    shape: tuple[int, ...]
    axis: int = 0
    looks: int = 0
    zero: bool = False
    filled_at: Site | None = None


class LayerUnreached(Event):
    """Logged at the end: a layer of a net that was never called, though an optimizer holds its parameters.

    looks: recorded backwards of that optimizer, none of which gave it a gradient. made_at: its constructor's
    line. parameters: the number of its entries.
    """

    kind: str
    looks: int = 0
    parameters: int
    made_at: Site | None = None


class Unfilled(Event):
    """A loss was computed from a never filled tensor. made_at: the line of the ``empty`` that made it."""

    shape: tuple[int, ...]
    made_at: Site | None = None


class MaskWrong(Event):
    """Attention was given a wrong mask. how: "padding": what it leaves is the same in every row, and what it
    hides is not; "next": the loss's targets are the next words of the inputs, which no mask hides. at: the
    line of the attention, if it is another one."""

    how: str
    at: Site | None = None


class Reshaped(Event):
    """A view, of which a net's rows were made or in a net, has axes in another order than what it views."""

    how: str
    before: tuple[int, ...]
    after: tuple[int, ...]
