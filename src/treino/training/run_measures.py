"""What is measured of a run of treino's own whose loss is bad: its steps, gradients and units.

The first steps of its course are trained once more, beside the run; they give the same bits as the run's own.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import ClipSeen, DepthSeen, LayerSeen, ReluSeen, Seen
from treino.engine import Training
from treino.engine.activations import modules_of
from treino.training.run_seen import MOST_ROWS, SETTINGS, TrainingCourse, items

FIRST_STEPS = 48  # that are trained again
LOOKED_AT = 3  # batches of which gradients and units are measured, at the start and at the end


class FirstSteps:
    """The first steps of a course, as they are trained once more. training: at the course's begin."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.net = training.net(0, "last")
        self.first = self._newest = wide(self.net)
        self.begin = training.step
        self.ratios: list[float] = []  # of each update to the weights
        self.norms: list[float] = []

    def advance(self, steps: int) -> None:
        """Have so many of them measured."""
        while self.training.step < self.begin + steps and not self.training.done:
            self.training.advance(until=self.training.step + 1)
            before, self._newest = self._newest, wide(self.training.net(0, "last"))
            size = float(before.norm())
            if size > 0 and bool(self._newest.isfinite().all()):
                self.ratios.append(float((self._newest - before).norm()) / size)
                self.norms.append(size)


def wanted(seen: Seen, course: TrainingCourse) -> bool:
    """Whether anything is to be measured."""
    return _badly(seen.losses["loss", SETTINGS]) or any(_alike(w) for w in _weights(course.end))


def measure(seen: Seen, course: TrainingCourse, start: FirstSteps | None) -> None:
    """Steps, gradients and units: at the course's begin, where that is known, and at its end."""
    if start is not None:
        _steps(seen, course, start)
    seen.relus = list(_relus(course))


def _steps(seen: Seen, course: TrainingCourse, start: FirstSteps) -> None:
    optimizer, end, first = seen.optimizers[0], course.end, start.first
    start.advance(min(FIRST_STEPS, max(8, seen.steps // 20), seen.steps))
    optimizer.update_ratio, optimizer.norm = list(start.ratios), list(start.norms)
    last = wide(end)
    if bool(last.isfinite().all()) and float(first.norm()) > 0:
        optimizer.movement = float((last - first).norm() / first.norm())
        optimizer.norm.append(float(last.norm()))
    seen.layers = [
        LayerSeen("Linear" if b.dim() == 2 else "Conv", SETTINGS, len(b), 1, alike=_alike(a) and _alike(b))
        for a, b in zip(_weights(start.net), _weights(end), strict=True)
    ]
    _gradients(seen, course, start.net)


def _badly(loss: LossSeen) -> bool:
    """Whether the loss ended near or above that of the best constant, or where it began."""
    first = loss.values[: max(1, len(loss.values) // 4)]
    return loss.stuck(0.7) or loss.last() > 0.9 * sum(first) / len(first)


def _gradients(seen: Seen, course: TrainingCourse, start: nn.Module) -> None:
    """Sizes of gradients at the start and at the end: beside a clip, a decay, and from layer to layer."""
    data, planned, end, s = course.data, course.planned, course.end, course.planned.settings
    loss, optimizer = planned.training.loss_function, seen.optimizers[0]
    batch = min(seen.losses["loss", SETTINGS].rows, MOST_ROWS)
    clip = ClipSeen(SETTINGS, s["clip"] or math.inf, calls=seen.steps)
    depth = DepthSeen(site=SETTINGS)
    for net, part in itertools.product((start, end), range(LOOKED_AT)):
        taken = torch.arange(part * batch, (part + 1) * batch) % len(data.train)
        net.zero_grad()
        loss(
            net(items(data.train.x[taken], planned)), loss.target(data.train.y[taken], torch.float32)
        ).backward()
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        norm = math.sqrt(sum(float(g.double().pow(2).sum()) for g in grads))
        wide = [p for p in net.parameters() if p.dim() in (2, 4) and p.grad is not None]
        if not math.isfinite(norm) or not wide or norm == 0:
            continue
        clip.share.append(clip.limit / norm)
        size = math.sqrt(sum(float(p.detach().double().pow(2).sum()) for p in wide))
        optimizer.decay_share.append(s["weight_decay"] * size / norm)
        sizes = [float(p.grad.pow(2).mean().sqrt()) for p in (wide[0], wide[-1]) if p.grad is not None]
        if sizes[1] > 0:
            depth.ratio += [sizes[0] / sizes[1]] * 2  # each of few batches stands for two steps
            depth.layers = len(wide)
    kinds = modules_of(lambda activation: activation.saturates)
    depth.saturating = sum(isinstance(m, kinds) for m in end.modules())
    seen.depth = depth
    if s["clip"]:
        seen.clips = {SETTINGS: clip}


def _relus(course: TrainingCourse) -> Iterator[ReluSeen]:
    """Units of ReLU layers that are zero for all of some training rows."""
    data, planned, net = course.data, course.planned, course.end
    kinds = modules_of(lambda activation: activation.can_die)
    layers = [m for m in net.modules() if isinstance(m, kinds)]
    alive: dict[int, Tensor] = {}

    def look(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        axis = 1 if output.dim() in (4, 5) else output.dim() - 1
        alive[id(layer)] = (output > 0).transpose(0, axis).flatten(1).any(1)

    hooks = [layer.register_forward_hook(look) for layer in layers]
    with torch.no_grad():
        net(items(data.train.x[:MOST_ROWS], planned))
    for hook in hooks:
        hook.remove()
    called = [layer for layer in reversed(layers) if id(layer) in alive]  # a forward may leave some out
    for place, layer in enumerate(called):
        units = alive[id(layer)]
        # all at once, these rows are more than the newest batches of a script would be
        yield ReluSeen(place, len(units), int((~units).sum()), LOOKED_AT, SETTINGS)


def wide(net: nn.Module) -> Tensor:
    """[n] float64: all trained weights but biases, which may start at zero and mean little by their size."""
    wide = [p.detach().double().flatten() for p in net.parameters() if p.requires_grad and p.dim() > 1]
    return torch.cat(wide) if wide else torch.zeros(0, dtype=torch.float64)


def _weights(net: nn.Module) -> list[Tensor]:
    return [
        m.weight.detach()
        for m in net.modules()
        if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d)) and m.weight.requires_grad and len(m.weight) > 1
    ]


def _alike(weight: Tensor) -> bool:
    """Whether all units of a layer have the same weights."""
    weight = weight.flatten(1)
    return bool(((weight - weight[:1]).abs() <= 1e-3 * weight.abs().max().clamp_min(1e-30)).all())
