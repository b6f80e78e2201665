"""Events of what a training does to gradients, graphs and batches, beside those of the log."""

from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Event

# Operations without a slope.
FLAT = ("round", "sign", "floor", "ceil", "trunc", "bernoulli", "poisson", "sgn", "fix", "heaviside")


@dataclass(frozen=True, kw_only=True)
class Cut(Event):
    """An operation (``detach``, ``no_grad``, ``round``, ...) let go of the history of these parameters."""

    how: str
    parameters: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unowned(Event):
    """At the end: a parameter that losses reached while no optimizer held it.

    losses: that were looked at; optimizers: whose parameters got gradients from these. held: one does now.
    copied: loaded, or copied with its module. grad_input: it was an input of ``autograd.grad``. alone:
    no loss with it reached what an optimizer holds. upstream: nothing that an optimizer holds comes before
    it. training: its module's mode. listed: among the parameters of a net that was called; apart: of which an
    optimizer holds exactly one other part. late: made after such an optimizer; opened: it was frozen then.
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


@dataclass(frozen=True, kw_only=True)
class Clip(Event):
    """Gradients were clipped, by torch or by hand. share: ‖g‖ after it over ‖g‖ before."""

    limit: float
    share: float


@dataclass(frozen=True, kw_only=True)
class GraphsHeld(Event):
    """At the end: so many graphs of past losses of this line (or of results of nets) were alive at once, of
    those that were marked. summed_at: a line that sums values with graphs from step to step, or hands
    them on to what does, from the function of this line.
    """

    result: bool
    alive: int
    marked: int
    summed_at: Site | None = None


@dataclass(frozen=True, kw_only=True)
class Normed(Event):
    """At the end: the batches that a batch-norm layer got, as far as they were looked at.

    ones: in training, of one row; larger: in training, of more; evaluated: with its averages. crashed: torch
    refused one. shape, stack, loader: of the newest of one row.
    """

    made_at: Site | None = None
    ones: int
    larger: int
    evaluated: int
    crashed: bool
    shape: tuple[int, ...] = ()
    loader: Site | None = None
