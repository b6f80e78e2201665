"""What was seen: plain tables that the sensors fill and the rules read."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.targets import Targets


@dataclass
class OptimizerSeen:
    """One optimizer and how its gradients fared."""

    kind: str
    site: Site | None
    lr: float = 0.0
    first_lr: float = 0.0
    made_lr: float = 0.0  # as it was made with
    top_lr: float = 0.0  # the highest of the watched steps
    weight_decay: float = 0.0
    steps: int = 0
    anew: bool = False  # by hand, with leaves that are made anew each time
    began: int = 0  # steps of all optimizers before its first
    tried: tuple[float, float] = (0.0, 0.0)  # its rate and its decay at the first
    judged: int = 0  # steps whose gradients were looked at, those of the windows
    adaptive: bool = False
    tainted_steps: int = 0  # steps that used a gradient on which a used one was summed
    tainted_at: Site | None = None  # the backward that summed
    left_over: list[float] = field(default_factory=list)  # cosines of own and other gradients that it summed
    left_over_at: Site | None = None  # the backward of its own that summed
    cleared_between: Site | None = None  # where others were cleared between a step and that backward
    stepped_at: Site | None = None
    cleared_steps: int = 0  # steps whose gradients had been cleared after the backward
    cleared_at: Site | None = None
    idle_steps: int = 0  # steps without any gradient at all
    filled: int = 0  # backwards that wrote gradients of this optimizer
    filled_at: Site | None = None
    never_moved: bool = True  # parameters have the values that they had at the first backward
    used: Counter[Site | None] = field(
        default_factory=Counter
    )  # backward site -> its gradients reached a step
    discarded: Counter[Site | None] = field(default_factory=Counter)  # ... were cleared without a step
    discarded_at: Site | None = None
    shares_with: list["OptimizerSeen"] = field(default_factory=list)  # optimizers of the same parameters
    turns: set[tuple[int, int]] = field(default_factory=set)  # (clearings, backwards) before its steps
    order: int = 0  # of its making, among modules
    holds: int = 0  # parameters
    without_gradient: set[int] = field(default_factory=set)  # ids of parameters never given a gradient
    loss: list[float] = field(default_factory=list)  # of the backward before each step
    loss_at: Site | None = None
    update_ratio: list[float] = field(default_factory=list)  # ‖Δp‖ / ‖p‖ of watched steps
    norm: list[float] = field(default_factory=list)  # ‖p‖ of watched steps
    decay_share: list[float] = field(default_factory=list)  # weight_decay · ‖p‖ / ‖grad‖
    movement: float | None = None  # ‖p_end − p_start‖ / ‖p_start‖ of sampled entries
    least: float = 1.0  # the smallest ‖p_end‖ / ‖p_start‖ of a matrix, by sampled entries


@dataclass
class LeftOutSeen:
    """A leaf that gets gradients and never moves, while others that are used alike are moved by hand."""

    shape: tuple[int, ...]
    site: Site | None  # the backward
    updates: int  # of the others, that were seen


@dataclass
class ManualSeen:
    """Leaf tensors that are trained without an optimizer."""

    updates: int = 0
    tainted_updates: int = 0
    tainted_at: Site | None = None
    movement: float | None = None  # as of an optimizer
    update_ratio: list[float] = field(default_factory=list)  # ... of steps that were seen
    idle: int = 0  # leaves that got gradients at every backward that was looked at, and never moved
    left_out: list[LeftOutSeen] = field(default_factory=list)

    def stays(self) -> bool:
        """Whether some got gradients, and none was ever moved."""
        return bool(self.idle and not self.updates and not self.movement)


@dataclass
class BackwardSeen:
    """One line that calls backward."""

    site: Site | None
    calls: int = 0
    loss: list[float] = field(default_factory=list)
    first_bad: int | None = None  # the call with the first loss that is not finite
    bad_since: int = 0  # all optimizer steps before it
    bad_steps: int = 0  # optimizer steps taken with such a loss
    bad_operation: str = ""  # the operation in its graph that made it, where one is known
    bad_at: Site | None = None  # its line
    leaf_roots: int = 0  # backwards from a tensor without history
    cut_roots: int = 0  # backwards whose graph reaches no parameter at all
    made_at: Site | None = None  # where that tensor was made
    sizes: dict[int, int] = field(default_factory=dict)  # nodes made since the last backward -> how often
    kept: int = 0  # graphs of earlier calls still alive
    broadcast: tuple[tuple[int, ...], tuple[int, ...]] | None = (
        None  # prediction's shape, shape of the difference
    )
    broadcasts: int = 0
    attention: Counter[Site | None] = field(
        default_factory=Counter
    )  # softmax over an axis that is not contracted
    attention_dims: tuple[int, int] | None = None
    broadcast_at: Site | None = None
    axis_at: Site | None = None  # where the prediction lost, or got, its axis
    summed_rows: int = 0  # the loss is a plain sum over so many rows
    summed_at: Site | None = None
    stack: tuple[Site, ...] = ()  # the own lines that led to its first call
    wrong_dim: int = 0  # a loss by hand whose softmax runs over another axis than that of the classes
    wrong_dim_at: Site | None = None
    wrong_dims: tuple[int, int] | None = None
    softmax: int = 0  # ... whose softmax or sigmoid is applied twice
    softmax_at: Site | None = None
    sigmoid: int = 0
    sigmoid_at: Site | None = None
    picks: LossSeen | None = None  # a loss by hand that picks log-probabilities by labels: these, by batch
    paired: str = ""  # the name in torch of a loss by hand that is a mean of differences ...
    targets: Targets = field(default_factory=Targets)  # ... from these

    def baseline(self) -> float:
        """What the best constant answer gets of a loss by hand; NaN where that isn't known."""
        return self.targets.constant(self.paired, 1.0) if self.paired else math.nan


@dataclass
class UnownedSeen:
    """A parameter that gets gradients and belongs to no optimizer."""

    name: str
    shape: tuple[int, ...]
    graphs: int
    made_at: Site | None
    made_after: bool  # after the optimizer
    registered: bool  # some watched root module lists it among its parameters
    training: bool  # its module was in training mode
    known: bool  # made under our eyes, not loaded, not copied
    alone: bool  # no owned parameter in the same graph
    on_purpose: bool  # the first part of a net of which one later part alone was given to the optimizer
    optimizer: OptimizerSeen | None
    fresh_each_time: bool = False
    opened: bool = False  # frozen when that optimizer was made, and learning since


@dataclass
class CutSeen:
    """A line that takes a value out of the graph, and what thereby never learned."""

    sites: tuple[Site, ...]  # the line, and those that led to it where they are known
    how: str
    calls: int
    parameters: int  # parameters behind it that no backward ever reached
    behind: int  # all parameters behind it
    led: int  # watched steps of their optimizer that it came just before
    optimizer: OptimizerSeen | None


@dataclass
class NetSeen:
    """A module that is called by a person's own code."""

    name: str
    made_at: Site | None
    modal: bool  # holds dropout or batch norm
    modal_kinds: tuple[str, ...] = ()
    follows: bool = False  # its weights are, or follow, those of a net that was trained
    trained: int = 0  # calls whose backward led to a step
    by_hand: bool = False  # its parameters were moved against their gradients without an optimizer
    trained_in_eval: int = 0  # ... in eval mode after an evaluation
    eval_at: Site | None = None  # the .eval() that was never taken back
    trained_at: Site | None = None
    eval_kinds: str = ""
    batch_of_one: int = 0
    batches: int = 0
    drops_at: Site | None = None  # dropout by a function that isn't told of the mode
    drops_on_purpose: bool = False  # ... for several answers to the same rows
    parts_apart: bool = False  # ... in a layer that it doesn't know of, and that it can't tell its mode
    train_at: set[Site] = field(default_factory=set)  # lines that set it to training


@dataclass
class CallSeen:
    """A net called on one line: whether for training or for looking."""

    net: NetSeen
    site: Site | None
    taught: bool = False  # what it gave became the targets of a loss
    phases: int = 0  # of a net that follows: numbers of steps at which it was called
    phase: int = -1  # the newest of these
    calls: int = 0
    trained: int = 0
    judged_in_train_mode: int = 0  # outputs that became a metric, with dropout or batch norm in training mode
    judged: int = 0
    judged_dropping: int = 0  # ... in evaluation mode, in which values were dropped all the same
    graph_unused: int = 0  # graphs built, judged, never run backward
    graph_rows: int = 0
    longest_unused: int = 0  # in a row, without a backward between
    unused_in_eval: int = 0  # of those, in eval mode
    unused_at: set[int] = field(default_factory=set)  # ... after so many steps
    kept: int = 0  # outputs of past steps whose graph is still alive
    exempt: int = 0  # outputs used as a target, repeated on the same rows, ...
    trained_by: tuple[Site, ...] = ()  # the lines that led to a training call
    judged_by: tuple[Site, ...] = ()  # ... and to one that was judged in training mode
    unused_by: tuple[Site, ...] = ()  # ... and to one in eval mode whose graph nobody used
    eval_site: Site | None = None  # where its mode was set, but not that of the net before it


@dataclass
class BatchNormSeen:
    """A batch-norm layer's batches in training mode."""

    site: Site | None
    ones: int = 0
    larger: int = 0
    evaluated: int = 0
    crashed: bool = False
    shape: tuple[int, ...] = ()
    called: tuple[Site, ...] = ()  # the lines that led to a batch of one
    loader: Site | None = None  # the DataLoader that was last read then


@dataclass
class AxisSeen:
    """An argmax over a net's output along another axis than that of the classes; or answers in a column that
    are compared with labels in a row.
    """

    site: Site | None
    calls: int
    dim: int | None
    shape: tuple[int, ...]
    class_dim: int
    labels: tuple[int, ...] | None = None  # their shape
    function: str = "argmax"
    named: int = 0  # outputs after which figures are named


@dataclass
class StretchedSeen:
    """A difference of answers [N, 1] and targets [N], outside of training."""

    site: Site
    rows: int
    callers: tuple[Site, ...]
    calls: int = 0


@dataclass
class LayerSeen:
    """A weight whose output units are all alike after training steps."""

    name: str
    site: Site | None
    units: int
    checks: int
    alike: bool
    parameter: str = ""
    even: OptimizerSeen | None = None  # this one's weights of several layers began as one number each


@dataclass
class DepthSeen:
    """Gradients from the last to the first weight, over watched steps."""

    ratio: list[float] = field(default_factory=list)
    saturating: int = 0
    layers: int = 0
    first: str = ""
    site: Site | None = None  # the line that most of the saturating activations were made on
    movement: float = 0.0


@dataclass
class ReluSeen:
    """A ReLU in a training graph, by its place in it."""

    place: int
    units: int
    dead: int
    batches: int
    site: Site | None
    made_at: Site | None = None
    constant: bool = False  # in the newest graphs the last layers were given the same for every row


@dataclass
class ClipSeen:
    """One line that clips gradients."""

    site: Site | None
    limit: float
    calls: int = 0
    share: list[float] = field(default_factory=list)  # of the norm, that is left


@dataclass
class SchedulerSeen:
    """One learning-rate scheduler."""

    kind: str
    site: Site | None
    horizon: int | None
    milestones: tuple[int, ...] = ()
    passes: int = 0  # through the loader that was read at its first call
    read: int = 0  # how often until then
    calls: int = 0
    step_at: Site | None = None
    before_first_update: bool = False
    inner: bool = False
    mode: str = ""
    metrics: list[float] = field(default_factory=list)
    updates: int = 0  # of its optimizer
    backwards: int = 0  # for these
    updates_then: int = -1  # at the newest call
    left: int = 0  # the newest calls in a row between which another optimizer moved these parameters instead
    heir: "OptimizerSeen | None" = None  # that one
    heir_steps: int = 0
    heir_lr: float = 0.0
    lent: bool = False  # its optimizer's groups are those of another one too
    peaked: bool = False  # the rate was more than a tenth of the first one
    starved: int = 0  # updates at < 1 % of the first rate, after that
    top: float = 0.0  # the highest rate of an update
    first: float = 0.0  # the rate of the first
    rate: float = 0.0  # ... of the newest
    low: bool = False  # under a seventh of the first one, and since then not above half of it
    rises: int = 0  # from there to more than half
    base: float = 0.0
    peak: float = 0.0  # the rate that it is to reach
    gamma: float = 0.0
    apart: bool = False  # another group had a rate when that of the first was next to nothing
    numbers: tuple[int, ...] = ()  # that it was made with
    last: float = 0.0
    cuts: int = 0
    of: "OptimizerSeen | None" = None


@dataclass
class SeedSeen:
    """One line that seeds a generator."""

    site: Site | None
    calls: int = 0
    same: int = (
        0  # resets to the same seed, with updates of the same optimizer since, after numbers were drawn
    )
    seed: int = 0
    callers: tuple[Site, ...] = ()  # the lines that led to a draw


@dataclass
class Seen:
    """Everything that was seen."""

    finished: bool = False
    steps: int = 0
    loaded: bool = False  # a net was given weights before any step
    backwards: dict[Site | None, BackwardSeen] = field(default_factory=dict)
    idle: list[BackwardSeen] = field(default_factory=list)  # gradients asked for of leaves that never move
    guarded: BackwardSeen | None = None  # a loss that a check found not to be finite
    functional: list[BackwardSeen] = field(default_factory=list)  # ... or that torch.func gave gradients of
    optimizers: list[OptimizerSeen] = field(default_factory=list)
    manual: ManualSeen = field(default_factory=ManualSeen)
    by_hand: list[OptimizerSeen] = field(default_factory=list)  # lines whose gradients are subtracted by hand
    unowned: list[UnownedSeen] = field(default_factory=list)
    cuts: list[CutSeen] = field(default_factory=list)
    losses: dict[tuple[str, Site | None], LossSeen] = field(default_factory=dict)
    nets: list[NetSeen] = field(default_factory=list)
    calls: list[CallSeen] = field(default_factory=list)
    batch_norms: list[BatchNormSeen] = field(default_factory=list)
    axes: list[AxisSeen] = field(default_factory=list)
    stretched: dict[Site, StretchedSeen] = field(default_factory=dict)
    layers: list[LayerSeen] = field(default_factory=list)
    depth: DepthSeen = field(default_factory=DepthSeen)
    relus: list[ReluSeen] = field(default_factory=list)
    clips: dict[Site | None, ClipSeen] = field(default_factory=dict)
    schedulers: list[SchedulerSeen] = field(default_factory=list)
    seeds: dict[Site | None, SeedSeen] = field(default_factory=dict)
    seeded: set[int] = field(default_factory=set)  # steps taken when anything was seeded
    orders: dict[Site | None, SeedSeen] = field(default_factory=dict)  # drawn for training, the same again
    inits: list[tuple[str, Site | None, float]] = field(default_factory=list)  # (function, line, its value)
    data: Any = None  # rows.DataSeen

    def busiest(self) -> BackwardSeen | None:
        """The line that called backward most often."""
        return max(self.backwards.values(), key=lambda b: len(b.loss), default=None)

    def loss_values(self) -> list[float]:
        """The loss of that line."""
        busiest = self.busiest()
        return busiest.loss if busiest is not None else []

    def main_loss(self) -> LossSeen | None:
        """The loss that was trained most often."""
        return max(self.losses.values(), key=lambda loss: loss.trained, default=None)

    def stuck(self, share: float) -> bool:
        """Whether the loss ends no better than this share of the best constant answer's; for a loss by hand,
        of what it was at first.
        """
        main = self.main_loss()
        if main is not None and main.values and main.baseline() > 0:
            return main.stuck(share)
        values = self.loss_values()
        n = len(values) // 4
        busiest = self.busiest()
        known = busiest.baseline() if busiest is not None else math.nan
        begun = min(sum(values[:3]) / 3, known if known > 0 else math.inf)
        return n >= 3 and not sum(values[-n:]) / n < share * begun and values[0] > 0
