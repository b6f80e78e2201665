"""Settings and what they do: rates and steps, decay, schedules, first weights, depth."""

import math
import weakref
from collections import Counter
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.depths import note
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.paces import numbers
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import OptimizerSeen, SchedulerSeen, Seen
from treino.diagnosis.watch.where import maker

ENTRIES, TENSORS = 256, 16  # of the parameters whose movement is measured
LATE = 16  # steps until which an optimizer's first values are taken: no window may have seen its first one
PLAIN_INITS = ("constant_", "zeros_", "ones_", "normal_", "uniform_", "trunc_normal_")
FITTED_INITS = ("xavier_uniform_", "xavier_normal_", "orthogonal_")  # their value is a gain
HORIZONS = ("T_max", "total_steps", "total_iters")


class Settings:
    """Looks at each optimizer's first steps, then at every eighth that windows show."""

    def __init__(
        self, seen: Seen, patches: Patches, gradients: Gradients, backward: Backward, nets: Nets
    ) -> None:
        self.seen, self.patches, self.gradients, self.nets = seen, patches, gradients, nets
        self.backward = backward
        self.inits: list[tuple[str, Site | None, float]] = []
        self._start: dict[int, list[tuple[weakref.ref[torch.Tensor], torch.Tensor]]] = {}
        self._before: dict[int, list[torch.Tensor]] = {}
        self._schedulers: weakref.WeakKeyDictionary[Any, SchedulerSeen] = weakref.WeakKeyDictionary()
        self.schedules: dict[int, list[SchedulerSeen]] = {}  # by optimizer
        self._in_scheduler = False
        self._readings: Counter[int] = Counter()  # of DataLoaders
        self._newest = 0  # the one that was read last
        self._stepped: dict[int, Counter[Site | None]] = {}
        self._under: dict[
            int, tuple[int, int]
        ] = {}  # by schedule: what was read at first, how often until then

    def install(self) -> None:
        patches = self.patches
        for kind in vars(lr_scheduler).values():
            if isinstance(kind, type) and issubclass(kind, lr_scheduler.LRScheduler):
                if "__init__" in vars(kind):
                    patches.after(kind, "__init__", self._scheduler_made)
                if "step" in vars(kind):
                    patches.before(kind, "step", self._scheduler_step)
                    patches.after(kind, "step", self._scheduler_stepped)
        for name in (*PLAIN_INITS, *FITTED_INITS):
            patches.before(nn.init, name, self._initialised(name))

    # --- optimizers -----------------------------------------------------------------------------------------
    def _sampled(self, facts: OptimizerSeen) -> list[torch.Tensor]:
        every = [p for f in self.gradients.followed[id(facts)] if (p := f.ref()) is not None and p.numel()]
        stride = max(1, len(every) // TENSORS)
        return every[::stride][:TENSORS]

    def before_step(self, optimizer: Any, facts: OptimizerSeen) -> None:
        """Measure, in a window, what the step is about to change."""
        if self.backward.newest_loss is not None:
            facts.loss.append(self.backward.newest_loss[0])
            facts.loss_at = self.backward.newest_loss[1]
        if facts.judged >= 8 and facts.judged % 8:
            return
        tensors = self._sampled(facts)
        values = [p.detach().flatten()[:ENTRIES].clone() for p in tensors]
        self._before[id(facts)] = values
        groups = optimizer.param_groups
        facts.lr = max(float(g.get("lr", 0.0)) for g in groups)
        facts.top_lr = max(facts.top_lr, facts.lr)
        facts.weight_decay = max(float(g.get("weight_decay", 0.0)) for g in groups)
        if id(facts) not in self._start and facts.steps < LATE:
            self._start[id(facts)] = [(weakref.ref(p), v) for p, v in zip(tensors, values, strict=True)]
            facts.first_lr = facts.lr
            facts.made_lr = max(float(g.get("initial_lr", 0.0)) for g in groups)
            made = optimizer.defaults.get("lr")
            if isinstance(made, (int, float)):
                facts.made_lr = max(facts.made_lr, float(made))
        if facts.weight_decay:
            wide = [p for p in tensors if p.dim() > 1 and p.grad is not None]
            grad = math.sqrt(
                sum(
                    float(p.grad.detach().flatten()[:ENTRIES].pow(2).sum())
                    for p in wide
                    if p.grad is not None
                )
            )
            size = math.sqrt(sum(float(p.detach().flatten()[:ENTRIES].pow(2).sum()) for p in wide))
            if grad > 0:
                facts.decay_share.append(facts.weight_decay * size / grad)

    def after_step(self, optimizer: Any, facts: OptimizerSeen) -> None:
        """What the step has changed, of parameters and layers."""
        values = self._before.pop(id(facts), None)
        if values is None:
            return
        moved = size = 0.0
        plain = not any(p.dim() > 1 for p in self._sampled(facts))  # a linear model of vectors
        for p, before in zip(self._sampled(facts), values, strict=False):
            now = p.detach().flatten()[:ENTRIES]
            if now.shape == before.shape and (p.dim() > 1 or plain):
                moved += float((now - before).pow(2).sum())
                size += float(before.pow(2).sum())
        if size > 0:
            facts.update_ratio.append(math.sqrt(moved / size))
            facts.norm.append(math.sqrt(size))
        self._moved(facts)
        self._depth(facts)

    def _moved(self, facts: OptimizerSeen) -> None:
        """How far the weights are from where they began."""
        change = whole = 0.0
        left: list[float] = []
        for reference, first in self._start.get(id(facts), ()):
            held = reference()
            if held is not None:
                now, size = held.detach().flatten()[:ENTRIES], float(first.pow(2).sum())
                change += float((now - first).pow(2).sum())
                whole += size
                if held.dim() > 1 and held.grad is not None and size > 0:
                    left.append(math.sqrt(float(now.pow(2).sum()) / size))
        facts.least = min(left, default=1.0)
        if whole > 0:
            facts.movement = math.sqrt(change / whole)

    def scheduled(self, optimizer: Any, backwards: int = 1) -> None:
        """A step under a schedule, after so many backwards."""
        for scheduler in self.schedules.get(id(optimizer), ()):
            scheduler.updates += 1
            scheduler.backwards += backwards
            rate = optimizer.param_groups[0]["lr"]
            if rate > scheduler.top:
                scheduler.top = rate
            scheduler.peaked = scheduler.peaked or rate > 0.1 * scheduler.base
            scheduler.rate = rate
            scheduler.first = scheduler.first or rate
            if scheduler.low:
                if rate > 0.5 * scheduler.base:
                    scheduler.low, scheduler.rises = False, scheduler.rises + 1
            elif scheduler.peaked and rate < 0.15 * scheduler.base:
                scheduler.low = True
            if scheduler.base and scheduler.peaked and rate < 0.0101 * scheduler.base:
                scheduler.starved += 1

    def _depth(self, facts: OptimizerSeen) -> None:
        """Gradient sizes from the first to the last weight matrix."""
        every = [p for f in self.gradients.followed[id(facts)] if (p := f.ref()) is not None]
        note(self.seen.depth, [(p, p.grad) for p in every])

    # --- schedulers -----------------------------------------------------------------------------------------
    def _scheduler_made(self, result: Any, args: Any, kwargs: Any) -> None:
        scheduler = args[0]
        if scheduler in self._schedulers:
            return
        optimizer = getattr(scheduler, "optimizer", None)
        if optimizer is None:
            return
        horizon = next(
            (int(v) for n in HORIZONS if isinstance(v := getattr(scheduler, n, None), (int, float))), None
        )
        facts = SchedulerSeen(
            type(scheduler).__name__, maker(scheduler), horizon, mode=getattr(scheduler, "mode", "")
        )
        group = optimizer.param_groups[0]
        facts.base = float(group.get("initial_lr", group["lr"]))
        if facts.kind == "OneCycleLR":
            facts.base = float(group.get("max_lr", facts.base))
        facts.of = self.gradients.facts.get(optimizer)
        facts.peak = facts.base
        if isinstance(scheduler, lr_scheduler.CyclicLR):
            facts.peak = float(scheduler.max_lrs[0])
        gamma = getattr(scheduler, "gamma", None)
        facts.gamma = float(gamma) if isinstance(gamma, (int, float)) else 0.0
        facts.milestones = tuple(sorted(getattr(scheduler, "milestones", ())))
        facts.numbers = numbers(scheduler)
        self._schedulers[scheduler] = facts
        self.schedules.setdefault(id(optimizer), []).append(facts)
        self.seen.schedulers.append(facts)
        for inner in getattr(scheduler, "_schedulers", ()):
            if inner in self._schedulers:
                self._schedulers[inner].inner = True

    def reading(self, loader: Any, loading: Any) -> None:
        """A DataLoader is read from its beginning."""
        self._newest = id(loader)
        self._readings[self._newest] += 1

    def _scheduler_step(self, args: Any, kwargs: Any) -> None:
        facts = self._schedulers.get(args[0])
        site = here()
        if facts is None or self._in_scheduler:
            return
        self._in_scheduler = True
        facts.calls += 1
        times = self._stepped.setdefault(id(facts), Counter())
        times[site] += 1
        if times[site] >= times[facts.step_at]:  # batches' line, where epochs have one too
            facts.step_at = site
        loader, before = self._under.setdefault(id(facts), (self._newest, self._readings[self._newest] - 1))
        facts.read = facts.read or self._readings[self._newest]
        facts.passes = self._readings[loader] - before if loader else 0
        optimizer = args[0].optimizer
        facts.apart = facts.apart or _apart(optimizer.param_groups)
        optimizer_facts = self.gradients.facts.get(optimizer)
        others = [o for o in list(self.gradients.facts) if o is not optimizer]
        self._left(facts, optimizer)
        facts.lent = any(g is optimizer.param_groups[0] for o in others for g in o.param_groups)
        if facts.calls == 1 and optimizer_facts is not None and optimizer_facts.steps == 0:
            hooked = id(optimizer_facts) in self._before  # by that update's own hook
            facts.before_first_update = not hooked
        if facts.kind == "ReduceLROnPlateau":
            metric = args[1] if len(args) > 1 else kwargs.get("metrics")
            if metric is not None:
                facts.metrics.append(float(metric))
            facts.last = optimizer.param_groups[0]["lr"]

    def _left(self, facts: SchedulerSeen, optimizer: Any) -> None:
        """Whether, since the last call, another optimizer without a schedule stepped on its parameters, and
        its own did not.
        """
        before, facts.updates_then = facts.updates_then, facts.updates
        if before != facts.updates or not facts.updates:
            facts.left, facts.heir = 0, None
            return
        own = {id(p) for g in optimizer.param_groups for p in g["params"]}
        for other, seen in list(self.gradients.facts.items()):
            if other is optimizer or self.schedules.get(id(other)) or not seen.steps:
                continue
            if any(id(p) in own for g in other.param_groups for p in g["params"]):
                rate = max(float(g["lr"]) for g in other.param_groups)
                if facts.heir is seen and rate != facts.heir_lr:  # it is led by hand
                    facts.left = 0
                elif facts.heir is not seen or seen.steps > facts.heir_steps:
                    facts.left += 1
                facts.heir, facts.heir_steps, facts.heir_lr = seen, seen.steps, rate
                return

    def _scheduler_stepped(self, result: Any, args: Any, kwargs: Any) -> None:
        facts = self._schedulers.get(args[0])
        self._in_scheduler = False
        if facts is not None and facts.kind == "ReduceLROnPlateau":
            facts.cuts += args[0].optimizer.param_groups[0]["lr"] < facts.last

    # --- first weights --------------------------------------------------------------------------------------
    def _initialised(self, name: str) -> Any:
        def observe(args: Any, kwargs: Any) -> None:
            site = here()
            t = args[0] if args else kwargs.get("tensor")
            if site is None or not isinstance(t, torch.Tensor) or t.dim() < 2 or len(self.inits) > 500:
                return
            value = args[1] if len(args) > 1 else kwargs.get("val", kwargs.get("std", 0.0))
            if name in FITTED_INITS:
                value = args[1] if len(args) > 1 else kwargs.get("gain", 1.0)
            elif name in ("normal_", "trunc_normal_"):
                value = args[2] if len(args) > 2 else kwargs.get("std", 1.0)
            self.inits.append((name, site, float(value)))

        return observe

    def finish(self) -> None:
        """How far the weights have come in the end."""
        for facts in self.seen.optimizers:
            self._moved(facts)


def _apart(groups: list[dict[str, Any]]) -> bool:
    """Whether the first group has next to no rate any more, and another one still has."""
    low = [g["lr"] < 0.0101 * g.get("initial_lr", 0.0) for g in groups]
    return low[0] and not all(low)
