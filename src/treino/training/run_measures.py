"""Measurements of a run of treino with a bad loss: its steps, gradients and units.

The first steps of its course are trained once more beside the run, with the same bits as the run's own.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from treino.diagnosis.record.learning import AlikeRows, Depth, Rectified
from treino.diagnosis.record.log import Event, ParameterSeen
from treino.diagnosis.record.outcomes import Clip
from treino.engine import TrainingLoop
from treino.engine.activations import modules_of
from treino.training.run_log import MOST_ROWS, UNMEASURED, WATCHED, Measures, TrainingCourse, items

BATCHES = 5  # whose gradients are measured, at the start and at the end
CALLS = 3  # events per layer: all rows at once count as so many batches of a script
EVEN = 1e-3  # of the largest weight: units that differ by less count as equal


class FirstSteps:
    """The first steps of a course, trained once more.

    training: at the beginning of the course. member: the network to measure.
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
    """Whether measurements are needed: the loss ends near or above that of the best constant, or where it
    began, or units are equal.
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
    measures = Measures(events=list(rectified(course)))
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
    batch = min(MOST_ROWS, len(data.train) if s["batch_size"] == "full" else s["batch_size"])
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
        measures.decays.append(s["weight_decay"] * size / norm)
        if s["clip"]:
            share = min(1.0, s["clip"] / norm)
            measures.events.append(Clip(limit=s["clip"], share=share))
        ends = [float(p.grad.pow(2).mean().sqrt()) for p in (weights[0], weights[-1]) if p.grad is not None]
        if ends[1] > 0:
            depth = Depth(layers=len(weights), ratio=ends[0] / ends[1], saturating=saturating)
            measures.events.append(depth)


def rectified(course: TrainingCourse) -> Iterator[Event]:
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
        yield ParameterSeen(parameter=number, name="", shape=shape)
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
