"""Events of how a training learns: schedules, seeds, activations, weights and what dies out of gradients."""

from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Event


@dataclass(frozen=True, kw_only=True)
class NonFinite(Event):
    """The first backward of a line whose value was not finite. operation: what made it, as far as that is
    known ("log", "sqrt", "division", "exp"); at: its line.
    """

    operation: str = ""
    at: Site | None = None


@dataclass(frozen=True, kw_only=True)
class Depth(Event):
    """How much of a gradient came to the first of a net's weights: its root mean square by that of the last
    one's. saturating: sigmoids and tanhs in the net's call. spread: standard deviation of the first weight by
    that of its default (1 / sqrt(3 · inputs)); written_at: where the first weight was filled.
    """

    layers: int
    ratio: float
    saturating: int
    made_at: Site | None = None
    spread: float = 1.0
    written_at: Site | None = None


@dataclass(frozen=True, kw_only=True)
class Rectified(Event):
    """One ReLU in the calls that train. dead: units that were zero for all
    rows, in each of the calls looked at. constant: it gave the same for every row in the newest ones.
    below: the line that filled biases with what is below zero.
    """

    made_at: Site | None = None
    units: int
    dead: tuple[int, ...]
    constant: bool
    below: Site | None = None


@dataclass(frozen=True, kw_only=True)
class AlikeRows(Event):
    """A matrix that is the same all along an axis (0: one row, again and again), after several steps. layer:
    the kind of what holds it. looks: steps after which it was looked at.
    zero: all of it is zero. filled_at: the line that filled it.
    """

    layer: str
    shape: tuple[int, ...]
    axis: int
    looks: int
    zero: bool
    filled_at: Site | None = None


@dataclass(frozen=True, kw_only=True)
class ScheduleEnded(Event):
    """A scheduler at the end. Updates are steps of its optimizer since it was made.

    horizon: calls that it was made for, 0 if none are told. mode: as it was given. calls: of its step, mostly
    on the line ``step_at``; before: the first was before any step of the optimizer. left: newest calls in a
    row without an update between them; heir: another optimizer that steps on the same parameters. lent:
    another one steps on its very groups. starved: updates at less than 1 % of the rate that it starts from or
    rises to, once it has been a tenth of that. cuts: calls that lowered the rate. metrics: what a plateau was
    told.
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


@dataclass(frozen=True, kw_only=True)
class Drawn(Event):
    """A seed was set, a generator made with a seed, or an order of rows drawn. key: the seed, or what tells
    an order from another one. training: the next call of a net had gradients.
    """

    kind: str
    key: str
    training: bool
