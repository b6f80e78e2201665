"""Events about gradients that are cut or clipped, graphs and states that are kept, batches of batch norms."""

from treino_doctor.finding import Site
from treino_doctor.record.log import Event

# Operations whose derivative is zero.
FLAT = ("round", "sign", "floor", "ceil", "trunc", "bernoulli", "poisson", "sgn", "fix", "heaviside")


class Cut(Event):
    """An operation (``detach``, ``no_grad``, ``round``, ...) cut off the gradients of these parameters."""

    how: str
    parameters: tuple[int, ...] = ()


class Unowned(Event):
    """At the end: a parameter that losses reached while no optimizer held it.

    losses: number of losses that reached it; optimizers: the optimizers whose parameters got gradients from
    the same losses. held: an optimizer holds it now. copied: it was loaded, or copied with its module.
    grad_input: it was an input of ``autograd.grad``. alone: none of these losses reached a parameter of an
    optimizer. upstream: no parameter of an optimizer comes before it. training: its module's mode. listed: it
    is among the parameters of a net that was called. apart: an optimizer holds exactly one other part of that
    net. late: it was made after one of the optimizers; opened: it was frozen when an optimizer was made.
    """

    optimizers: tuple[int, ...] = ()
    shape: tuple[int, ...]
    losses: int
    moved: bool
    held: bool = False
    copied: bool = False
    grad_input: bool = False
    alone: bool
    upstream: bool
    training: bool
    listed: bool = True
    apart: bool
    late: bool = False
    opened: bool
    made_at: Site | None = None


class Clip(Event):
    """Gradients were clipped, by torch or by hand. share: ‖g‖ after clipping over ‖g‖ before."""

    limit: float
    share: float


class GraphsHeld(Event):
    """At the end: the graphs of a line's past losses (or of nets' past outputs).

    alive: the largest number alive at once. marked: how many were tracked in all. summed_at: the line that
    sums values with graphs from step to step, or the line of the same function that passes them to it. grown:
    these are losses that the program keeps, of which it has let none go.
    """

    result: bool
    alive: int
    marked: int
    summed_at: Site | None = None
    grown: bool = False


class Normed(Event):
    """At the end: the recorded batches of a batch-norm layer.

    ones: training batches of one row; larger: of more rows; evaluated: batches in eval mode. crashed: torch
    refused one. shape, stack, loader: facts of the newest batch of one row.
    """

    made_at: Site | None = None
    ones: int
    larger: int
    evaluated: int
    crashed: bool
    shape: tuple[int, ...] = ()
    loader: Site | None = None


class StateUsed(Event):
    """A state of a net was loaded into it, or saved, whose tensors are the net's own, after more steps.

    how: "load_state_dict" or "save". taken_at: the line that called ``state_dict``. steps: optimizer steps
    since then. times: states that this line took, each after other steps.
    """

    how: str
    taken_at: Site | None = None
    steps: int
    times: int


class PartLoaded(Event):
    """A module loaded a state with ``strict=False``, or after a state of which it had found nothing.

    module: its number. given: entries of the state; own: of the module; found: in both. given_name, own_name:
    the first of each.
    """

    module: int
    given: int
    own: int
    found: int
    given_name: str
    own_name: str
