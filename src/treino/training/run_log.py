"""The doctor's log of a run of treino: events built from its settings, its rows and its recorded losses.

They are the events that a script would cause in a few of its steps, but without line numbers.

If measurements are needed, the course's first steps are trained again apart from the run, with equal bits.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.engine import OPTIMIZERS, TrainingLoop
from treino.engine.activations import modules_of
from treino.engine.arguments import looks_up
from treino.engine.losses import Loss
from treino.folders.documents.run_spec import ResolvedSettings, RunSpec
from treino.folders.store import RunFolder
from treino.folders.timeline import Timeline, newest
from treino.training.resolution import Resolution
from treino_doctor.record.log import (
    Backward,
    Course,
    Event,
    Graph,
    Group,
    Log,
    LossCall,
    Operation,
    OptimizerEnded,
    OptimizerMade,
    ParameterSeen,
    Stepped,
)
from treino_doctor.record.loss_figures import counts, span
from treino_doctor.record.outcomes import AlikeRows, Clip, Depth, NonFinite, Rectified
from treino_doctor.record.row_log import RowsEvaluated, RowsTrained
from treino_doctor.record.tables import WIDE, chance, hash_rows

# ---- the doctor's log of a run of treino

LEAST = 12  # minimum number of steps that a rule can judge
WATCHED = 48  # first steps that are in the log
NEWEST = 24  # newest batches whose predictions are counted
IN_ORDER = 1024  # batches in row order whose labels are counted
AFTER = 64  # steps with NaN after divergence: a run ends there, a script would go on
MOST_ROWS = 2000
SAMPLE = 512  # rows used to estimate how many rows are equal by chance
HASHED = 10_000_000  # maximum number of values to search for equal rows; more would take seconds
LIKE = {True: "cross_entropy", False: "binary_cross_entropy_with_logits"}  # True: an output per class


@dataclass(frozen=True, eq=False)
class TrainingCourse:
    """The newest part of a training, since its settings last changed, up to a given step.

    segment: the segment that set them; commands may have changed some since. first: the updates before the
    course. loss_S: the path's losses, from the run's first step on. resolution: the resolution with the
    settings in force. faulty_from: the first step with the present faults. end: the network at this step; for
    an ensemble, one member. kept_net: the predicting network. rows: facts of the data, which don't change.
    """

    data: Data
    resolution: Resolution
    segment: int
    first: int
    faulty_from: int
    loss_S: NDArray[np.float32]
    end: nn.Module
    kept_net: nn.Module
    diverged: bool
    rows: RowsTrained
    member: int = 0

    @property
    def steps(self) -> int:
        """The number of steps of this course."""
        return len(self.loss_S) - self.first

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses of these steps."""
        return self.loss_S[self.first :].astype(np.float64)

    @property
    def constant(self) -> float:
        """The loss of the best constant prediction."""
        rows = self.data.train
        return self.resolution.training.loss_function.best_constant(rows.y, rows.weight)


@dataclass
class Measures:
    """Measurements of a course's steps. ratios: norms of updates relative to norms of weights. norms: norms
    of weights. decays: size of the weight decay relative to the gradient. events: about gradients, weights
    and units.
    """

    ratios: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    decays: list[float] = field(default_factory=list)
    movement: float = math.nan
    events: list[Event] = field(default_factory=list)


UNMEASURED = Measures()


def course_of(
    folder: RunFolder,
    spec: RunSpec,
    data: Data,
    resolution: Resolution,
    rows: RowsTrained,
    loss_S: NDArray[np.float32],
    nets: tuple[nn.Module, nn.Module],
    diverged: bool,
    member: int,
) -> TrainingCourse:
    """The run's newest course.

    resolution: the resolution of the run's newest segment. nets: the present network (for an ensemble, this
    member), and the predicting network. Changes of settings within a few steps count as one change.
    """
    timeline = Timeline(folder, spec)
    segment = newest(spec)
    begins = [change.step for change in timeline.held() if change.segment == segment.number]
    first = max([segment.start, *(step for step in begins if len(loss_S) - step >= LEAST)])
    settings = ResolvedSettings.model_validate(timeline.settings_at(len(loss_S)))
    now = replace(resolution, settings=settings)
    faulty = timeline.changed_at(len(loss_S), {"fault"})
    return TrainingCourse(data, now, segment.number, first, faulty, loss_S, *nets, diverged, rows, member)


# --- the log ------------------------------------------------------------------------------------------
def initial_log(resolution: Resolution) -> Log:
    """The log known before the first step: the optimizer, and the faults that the settings request."""
    steps = resolution.training.steps
    training = resolution.training
    none = torch.zeros(0, training.outputs)
    call = loss_call(training.loss_function.single, 0.0, torch.zeros(0), none, answered=False)
    calls = [call] * min(NEWEST, steps)
    return Log([optimizer(resolution), *stepped(resolution, steps), *calls])


def run_log(course: TrainingCourse, measured: Measures = UNMEASURED) -> Log:
    """The log of a run: its first steps, batches, losses, rows, measurements, and end."""
    resolution, losses = course.resolution, course.losses
    steps = course.steps + (AFTER if course.diverged else 0)
    watched = len(course.loss_S) - course.faulty_from if resolution.settings.fault else course.steps
    moved: dict[str, Any] = {"moved": True, "movement": measured.movement}
    return Log(
        [
            optimizer(resolution),
            *stepped(resolution, watched, measured),
            *loss_calls(course, watched),
            *(NonFinite(step=at) for at in np.flatnonzero(~np.isfinite(losses))[:1].tolist()),
            Course(values=tuple(losses.tolist()), constant=course.constant),
            replace(course.rows, calls=steps),
            *measured.events,
            OptimizerEnded(optimizer=0, steps=steps, filled=steps, **moved),
        ]
    )


def optimizer(resolution: Resolution) -> OptimizerMade:
    """The event of an optimizer made with the settings in force."""
    s = resolution.settings
    group = Group(s.lr, s.weight_decay, ())
    adaptive = OPTIMIZERS[s.optimizer].adaptive
    return OptimizerMade(optimizer=0, kind=s.optimizer, adaptive=adaptive, groups=(group,))


def stepped(resolution: Resolution, steps: int, measured: Measures = UNMEASURED) -> Iterator[Event]:
    """Events of a backward pass, and of the first WATCHED of ``steps`` steps."""
    summed = "missing_zero_grad" in resolution.settings.fault
    yield Backward(value=math.nan, root="graph", filled=(0,), summed=(0,) * summed)
    measures = measured.ratios, measured.norms, measured.decays, range(steps)
    figures = islice(zip_longest(*measures, fillvalue=math.nan), min(steps, WATCHED))
    for number, (ratio, norm, decay, _step) in enumerate(figures):
        facts: dict[str, Any] = {"ratio": ratio, "norm": norm, "decay": decay}
        yield Stepped(optimizer=0, gradients=1, zeros=0, summed=summed and number > 0, **facts)


# --- batches ------------------------------------------------------------------------------------------
def loss_calls(course: TrainingCourse, watched: int) -> Iterator[LossCall]:
    """Events of loss calls: batches, with the kept network's predictions for the newest ones. If rows are not
    shuffled, batches are in row order; else they hold a sample of rows, with classes evenly divided among
    batches.
    """
    rows, resolution, steps = course.data.train, course.resolution, min(course.steps, IN_ORDER)
    size = resolution.settings.batch_size
    batch = len(rows) if size == "full" else size
    if not course.data.classes or not watched:
        return
    if resolution.settings.shuffle == "off" and batch < len(rows) and steps >= LEAST:
        every = torch.arange(len(rows)).split(batch)
        parts, values = [every[step % len(every)] for step in range(steps)], course.losses[:steps].tolist()
    else:
        some = torch.linspace(0, len(rows) - 1, min(MOST_ROWS, len(rows))).long()
        row_K = rows.y.reshape(len(rows), -1)[:, 0].argsort(stable=True)[some]
        number = min(NEWEST, watched, len(row_K))
        parts, values = [row_K[k::number] for k in range(number)], [float(course.loss_S[-1])] * number
    with torch.no_grad():
        answer_NC = course.kept_net(items(rows.x[torch.cat(parts[-NEWEST:])], resolution)).flatten(1)
    answers = list(answer_NC.split([len(part) for part in parts[-NEWEST:]]))
    untold = len(parts) - len(answers)
    calls = zip(parts, values, [None] * untold + answers, strict=True)
    loss = resolution.training.loss_function
    outputs = resolution.training.outputs * math.prod(loss.axes)
    for turn, (part, value, answer_BC) in enumerate(calls):
        both = torch.zeros(len(part), outputs) if answer_BC is None else answer_BC, rows.y[part]
        for number, (own_BC, y_B) in enumerate(loss.by_target(*both)):
            call = loss_call(loss.single, value, y_B, own_BC, answered=answer_BC is not None)
            yield replace(call, turn=turn, loss=number)


def loss_call(loss: Loss, value: float, y: Tensor, said_BC: Tensor, *, answered: bool) -> LossCall:
    """The event of one call of a classification loss. y: the labels. said_BC: the network's outputs, or
    zeros of their shape if it was not ``answered``."""
    shape = tuple(said_BC.shape)
    name, target = LIKE[loss.of_classes], loss.target(y, torch.float32)
    labels, right = counts(name, said_BC, target, {}, *span(target))
    graph = Graph((Operation("softmax", None, shape, (), {}, True),) if loss.softmax_first else ())
    return LossCall(
        loss=0,
        name=name,
        trained=True,
        value=value,
        reduction="mean",
        input_shape=shape,
        target_shape=tuple(target.shape),
        target_kind="int" if loss.of_classes else "float",
        low=0.0,
        high=1.0,
        labels=labels,
        right=right if answered else {},
        weights=loss.class_weights or (),
        graph=graph,
    )


# --- rows ---------------------------------------------------------------------------------------------
def rows_trained(data: Data, net: nn.Module | None = None) -> RowsTrained:
    """The event of the training rows, with the scales of their columns. net: a network of the user's own."""
    amount_D = torch.from_numpy(data.preparation.amounts(net is not None and looks_up(net)))
    x = data.train.x if bool(amount_D.all()) else data.train.x[:, amount_D]
    some = x[:MOST_ROWS].double()
    spread = some.std(dim=0, correction=0).numpy() if x.shape[1] else np.zeros(0)
    moving = spread[spread > 0] if (spread > 0).any() else np.ones(1)
    return RowsTrained(
        net=0,
        rows=len(x),
        seen=len(x),
        largest=float(max(abs(v) for v in torch.aminmax(x))) if x.numel() else 0.0,
        spread=float(moving.max() / moving.min()),
        middle=float(np.median(moving)),
        chance=chance(looked_at(x[:SAMPLE])) * len(x) if x.shape[1] else 0.0,
    )


def rows_evaluated(data: Data) -> Iterator[RowsEvaluated]:
    """Events of the test rows and of test rows equal to training rows. Treino keeps equal rows in one split,
    but a source's own test rows may repeat training rows.
    """
    if not len(data.test) or (len(data.train) + len(data.test)) * data.inputs > HASHED:
        return
    trained, tested = (
        hash_rows(np.column_stack([looked_at(rows.x), rows.y.reshape(len(rows), -1).float().numpy()]))
        for rows in (data.train, data.test)
    )
    again, rows = int(np.isin(tested, trained).sum()), len(tested)
    part: dict[str, Any] = {"part": 1, "how": "rows", "leaked": again, "shared": again / rows}
    yield RowsEvaluated(net=0, learner=0, rows=rows, trained=again, **part)


def looked_at(x: Tensor) -> NDArray[np.float32]:
    """``[N, D]``: the columns to examine: all, or some of a wide table."""
    few: NDArray[np.float32] = x[:, :: -(-x.shape[1] // WIDE)].numpy()
    return few


def items(x: Tensor, resolution: Resolution) -> Tensor:
    """Rows in the shape in which the network takes them."""
    shape = resolution.training.model.item_shape
    return x if shape is None else x.reshape(len(x), *shape)


# ---- measurements of a run of treino with a bad loss

BATCHES = 5  # batches whose gradients are measured, at the start and at the end
CALLS = 3  # events per layer: a measurement on all rows is logged as this many batches of a script
EVEN = 1e-3  # times the largest weight: units that differ by less count as equal


class FirstSteps:
    """The first steps of a course, trained once more.

    training: the training at the beginning of the course. member: the network to measure.
    """

    def __init__(self, training: TrainingLoop, member: int) -> None:
        self.training, self.member = training, member
        self.net = training.net(member, "last")
        self.first = self._newest = wide(self.net)
        self.begin = training.step
        self.ratios: list[float] = []  # norm of each update relative to the weights
        self.norms: list[float] = []

    def advance(self, steps: int) -> None:
        """Train and measure up to this number of steps."""
        while self.training.step < self.begin + steps and not self.training.done:
            self.training.advance(until=self.training.step + 1)
            before, self._newest = self._newest, wide(self.training.net(self.member, "last"))
            size = float(before.norm())
            if size > 0 and bool(self._newest.isfinite().all()):
                self.ratios.append(float((self._newest - before).norm()) / size)
                self.norms.append(size)


def worth_measuring(course: TrainingCourse) -> bool:
    """Whether measurements are needed: the loss ends near or above that of the best constant prediction, or
    near its start, or units are equal.
    """
    losses = course.losses
    if not len(losses):
        return False
    quarter = max(1, len(losses) // 4)
    first, last = losses[:quarter].mean(), losses[-min(64, quarter) :].mean()
    learned = last < 0.7 * course.constant and last <= 0.9 * first
    return not learned or any(alike(m.weight) for m in layers(course.end))


def measured(course: TrainingCourse, begun: Callable[[TrainingCourse], FirstSteps | None]) -> Measures:
    """Measure steps, gradients and units, if needed: at the beginning of the course, if its state is known,
    and at its end.
    """
    if not worth_measuring(course):
        return UNMEASURED
    start = begun(course)
    measures = Measures(events=list(dead_units(course)))
    if start is None:
        return measures
    start.advance(min(WATCHED, max(8, course.steps // 20), course.steps))
    measures.ratios, measures.norms = list(start.ratios), list(start.norms)
    last = wide(course.end)
    if bool(last.isfinite().all()) and float(start.first.norm()) > 0:
        measures.movement = float((last - start.first).norm() / start.first.norm())
        measures.norms = [*measures.norms[: min(course.steps, WATCHED) - 1], float(last.norm())]
    measures.events += units_alike(start, course.end)
    gradients(course, start.net, measures)
    return measures


def gradients(course: TrainingCourse, start: nn.Module, measures: Measures) -> None:
    """Add sizes of gradients at the start and at the end, relative to clipping and weight decay, and by
    layer."""
    data, resolution, end, s = course.data, course.resolution, course.end, course.resolution.settings
    loss, kinds = resolution.training.loss_function, modules_of(lambda activation: activation.saturates)
    batch = min(MOST_ROWS, len(data.train) if s.batch_size == "full" else s.batch_size)
    saturating = sum(isinstance(m, kinds) for m in end.modules())
    for net, part in itertools.product((start, end), range(BATCHES)):
        row_B = torch.arange(part * batch, (part + 1) * batch) % len(data.train)
        net.zero_grad()
        target = loss.target(data.train.y[row_B], torch.float32)
        loss(net(items(data.train.x[row_B], resolution)), target).backward()
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        norm = math.sqrt(sum(float(g.double().pow(2).sum()) for g in grads))
        weights = [p for p in net.parameters() if p.dim() in (2, 4) and p.grad is not None]
        if not math.isfinite(norm) or not weights or norm == 0:
            continue
        size = math.sqrt(sum(float(p.detach().double().pow(2).sum()) for p in weights))
        measures.decays.append(s.weight_decay * size / norm)
        if s.clip:
            share = min(1.0, s.clip / norm)
            measures.events.append(Clip(limit=s.clip, share=share))
        ends = [float(p.grad.pow(2).mean().sqrt()) for p in (weights[0], weights[-1]) if p.grad is not None]
        if ends[1] > 0:
            depth = Depth(optimizer=0, layers=len(weights), ratio=ends[0] / ends[1], saturating=saturating)
            measures.events.append(depth)


def dead_units(course: TrainingCourse) -> Iterator[Event]:
    """Events about units of ReLU layers that are zero for all rows of a sample of the training rows."""
    net, kinds = course.end, modules_of(lambda activation: activation.can_die)
    layers: list[Rectified] = []

    def look(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        axis = 1 if output.dim() in (4, 5) else output.dim() - 1
        alive = (output > 0).transpose(0, axis).flatten(1).any(1)
        dead, constant = int((~alive).sum()), bool((output == output[:1]).all())
        layers.append(Rectified(units=len(alive), dead=(dead,) * CALLS, constant=constant))

    hooks = [m.register_forward_hook(look) for m in net.modules() if isinstance(m, kinds)]
    with torch.no_grad():
        net(items(course.data.train.x[:MOST_ROWS], course.resolution))
    for hook in hooks:
        hook.remove()
    yield from reversed(layers)


def units_alike(start: FirstSteps, end: nn.Module) -> Iterator[Event]:
    """Events about layers whose units have equal weights, both after the first steps and at the end."""
    pairs = zip(layers(start.net), layers(end), strict=True)
    for number, (before, now) in enumerate(pairs):
        shape = tuple(now.weight.shape)
        yield ParameterSeen(parameter=number, shape=shape)
        if alike(before.weight) and alike(now.weight):
            yield AlikeRows(
                layer="Linear" if len(shape) == 2 else "Conv",
                shape=shape,
                axis=0,
                looks=start.training.step - start.begin,
                zero=not bool(now.weight.any()),
            )


def wide(net: nn.Module) -> Tensor:
    """``[n]`` float64: all trained weights without biases, which may start at zero."""
    weights = [p.detach().double().flatten() for p in net.parameters() if p.requires_grad and p.dim() > 1]
    return torch.cat(weights) if weights else torch.zeros(0, dtype=torch.float64)


def layers(net: nn.Module) -> list[nn.Linear | nn.Conv1d | nn.Conv2d]:
    """Trained layers with several units."""
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    every = [m for m in net.modules() if isinstance(m, kinds)]
    return [m for m in every if m.weight.requires_grad and len(m.weight) > 1]


def alike(weight: Tensor) -> bool:
    """Whether all units of a layer have equal weights."""
    weight = weight.detach().flatten(1)
    return bool(((weight - weight[:1]).abs() <= EVEN * weight.abs().max().clamp_min(1e-30)).all())
