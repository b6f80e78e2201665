"""Record learning-rate schedules, and when seeds are set and random orders drawn, and for what."""

import random
import weakref
from collections import Counter
from functools import partial
from typing import Any

import torch
from torch.optim import lr_scheduler

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np, there
from treino_doctor.record.gradients import Gradients, OptimizerRecord
from treino_doctor.record.identity import ByIdentity
from treino_doctor.record.lines import here, maker, stack
from treino_doctor.record.log import taken
from treino_doctor.record.measures import number_of
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import Drawn, ScheduleEnded
from treino_doctor.record.torch_versions import LRScheduler

HORIZONS = ("T_max", "total_steps", "total_iters")
GONE = 0.0101  # times the first rate: a lower rate counts as none
METRICS = 512  # values kept of a ReduceLROnPlateau's metric
LEAST_ROWS = 16  # orders of fewer rows may be equal by chance
KEY_ROWS = 64  # rows of an order that identify it
SCHEDULES = 64  # maximum number of schedulers that are watched
LINES = 64  # first calls of a scheduler, whose lines are all noted; later, one in this many
MOST_DRAWS = 64  # maximum number of draws of one line
DRAWS = [("manual_seed", torch), ("manual_seed", torch.random), ("seed", random)]
DRAWS += [("seed", np.random)] if there else []


class Schedule:
    """A watched scheduler. updates: steps of its optimizer since the scheduler was made."""

    def __init__(self, scheduler: Any, site: Site | None, held: OptimizerRecord | None) -> None:
        self.kind, self.mode = type(scheduler).__name__, str(getattr(scheduler, "mode", ""))
        self.horizon, self.held, self.optimizer = horizon(scheduler), held, weakref.ref(scheduler.optimizer)
        self.inner = False  # whether another scheduler steps it
        self.site, self.began = site, self.steps
        self.calls = self.updates = self.starved = self.left = 0
        self.rate = rate_of(scheduler.optimizer)
        group = scheduler.optimizer.param_groups[0]
        self.base = number_of(group.get("max_lr", group.get("initial_lr", group["lr"])))
        self.peaked = self.lent = self.before = False
        self.lines: Counter[Site | None] = Counter()
        self.stack: tuple[Site, ...] = ()
        self.figures: list[float] = []

    @property
    def steps(self) -> int:
        """The number of steps of its optimizer."""
        return self.held.steps if self.held is not None else 0

    def passed(self) -> None:
        """Count the updates since the last call; they used the rate that the call set."""
        updates = self.steps - self.began
        new, self.updates = updates - self.updates, updates
        if new > 0:
            self.peaked = self.peaked or self.rate > 0.1 * self.base
            self.starved += new if self.peaked and self.rate < GONE * self.base else 0


class Settings(Observer):
    """Watches schedulers, seeds and random orders."""

    def __init__(self, of: Recording, gradients: Gradients) -> None:
        super().__init__(of)
        self._gradients = gradients
        self.pending: list[dict[str, Any]] = []  # draws since a net was last called
        self._schedules: ByIdentity[Schedule] = ByIdentity()
        self._every: list[Schedule] = []
        self._inside = False
        self._drawn: dict[Any, int] = {}

    def install(self) -> None:
        for kind in vars(lr_scheduler).values():
            if isinstance(kind, type) and issubclass(kind, (LRScheduler, *LONE)):
                # The __init__ of the other schedulers calls LRScheduler's.
                if kind is LRScheduler or kind in LONE:
                    self._hooks.after(kind, "__init__", self._made)
                if "step" in vars(kind):
                    self._hooks.before(kind, "step", self._stepping, self._stepped)
        for name, owner in DRAWS:
            self._hooks.before(owner, name, partial(self._seeded, "seed"))
        if there:
            self._hooks.before(np.random, "default_rng", partial(self._seeded, "generator"))
        self._hooks.after(torch, "set_rng_state", self._put_back)
        self._hooks.after(torch, "randperm", self._ordered)
        self._hooks.after(torch, "multinomial", self._ordered)

    def _made(self, result: Any, args: Any, kwargs: Any) -> None:
        scheduler = args[0]
        optimizer = getattr(scheduler, "optimizer", None)
        if scheduler not in self._schedules and optimizer is not None and len(self._every) < SCHEDULES:
            schedule = Schedule(scheduler, maker(scheduler), self._gradients.held_by(optimizer))
            self._schedules[scheduler] = schedule
            self._every.append(schedule)
            for one in getattr(scheduler, "_schedulers", ()):
                if one in self._schedules:
                    self._schedules[one].inner = True

    def _stepping(self, args: Any, kwargs: Any) -> None:
        schedule = self._schedules.get(args[0])
        if schedule is None or self._inside:
            return
        self._inside = True
        held, before = self._held(schedule), schedule.updates
        schedule.passed()
        schedule.calls += 1
        if schedule.calls <= LINES or not schedule.calls % LINES:
            schedule.lines[here()] += 1
            schedule.stack = stack()
        if schedule.calls == 1:
            schedule.before = held is None or (held.steps == 0 and held.before is None)  # not inside step
        schedule.left = schedule.left + 1 if schedule.updates == before and before else 0
        if schedule.calls < 4:
            schedule.lent = schedule.lent or self._lent(args[0].optimizer)
        metric = args[1] if len(args) > 1 else kwargs.get("metrics")
        if metric is not None and hasattr(args[0], "num_bad_epochs") and len(schedule.figures) < METRICS:
            schedule.figures.append(number_of(metric))

    def _held(self, schedule: Schedule) -> OptimizerRecord | None:
        """The record of a schedule's optimizer, which starts late if the optimizer's creation wasn't seen."""
        schedule.held = schedule.held or self._gradients.held_by(schedule.optimizer())
        return schedule.held

    def _stepped(self, args: Any, kwargs: Any) -> None:
        schedule = self._schedules.get(args[0])
        if schedule is not None:
            self._inside = False
            schedule.rate = rate_of(args[0].optimizer)

    def _lent(self, optimizer: Any) -> bool:
        """Whether another optimizer shares parameter groups with this one."""
        others = (h.ref() for h in self._gradients.held.values() if h.ref() is not optimizer)
        own = {id(g) for g in optimizer.param_groups}
        return any(o is not None and any(id(g) in own for g in o.param_groups) for o in others)

    def _heir(self, own: OptimizerRecord) -> Site | None:
        """The line of another optimizer that took over these parameters."""
        others = [h for h in self._gradients.held.values() if h.steps and h is not own]
        free = (h for h in others if h.ref() is not None and not any(s.held is h for s in self._every))
        return next((h.site for h in free if own.numbers & h.numbers), None)

    def _seeded(self, kind: str, args: Any, kwargs: Any) -> None:
        seed = next(iter((*args, *kwargs.values())), None)
        if isinstance(seed, (int, np.integer)):
            self._draw(kind, str(seed))

    def _put_back(self, result: Any, args: Any, kwargs: Any) -> None:
        """The random state was restored, as after ``torch.random.fork_rng``: forget the seeds set since."""
        self.pending = [draw for draw in self.pending if draw["kind"] != "seed"]

    def _ordered(self, result: Any, args: Any, kwargs: Any) -> None:
        if not isinstance(result, torch.Tensor) or result.device.type != "cpu" or result.numel() < LEAST_ROWS:
            return
        if self._drawn.get(("order", here()), 0) < MOST_DRAWS:
            some = result.numpy().reshape(-1)[:KEY_ROWS].tolist()
            if len(set(some)) >= LEAST_ROWS:
                self._draw("order", str(hash((result.numel(), *some))))

    def _draw(self, kind: str, key: str) -> None:
        site = here()
        times = self._drawn[kind, site] = self._drawn.get((kind, site), 0) + 1
        if site is not None and times <= MOST_DRAWS:
            draw = {"kind": kind, "key": key, "site": site, "stack": stack()}
            self.pending.append(draw | self._log.moment())

    def called(self, training: bool) -> None:
        """Log the pending draws: they were made for this call of a net."""
        for draw in self.pending:
            self._log.tell(Drawn, training=training, **draw)
        self.pending.clear()

    def finish(self) -> None:
        turn = self._log.moment()["turn"]
        self.pending = [draw for draw in self.pending if draw["turn"] < turn]
        self.called(True)  # a backward came after the draws
        for schedule in (s for s in self._every if not s.inner):
            held = self._held(schedule)
            schedule.passed()
            fields = taken(ScheduleEnded, schedule) | {"metrics": tuple(schedule.figures)}
            fields["heir"] = self._heir(held) if schedule.left and held is not None else None
            fields["step_at"] = schedule.lines.most_common(1)[0][0] if schedule.lines else None
            self._log.tell(ScheduleEnded, backwards=held.filled if held is not None else 0, **fields)


LONE = (lr_scheduler.SequentialLR, lr_scheduler.ChainedScheduler, lr_scheduler.ReduceLROnPlateau)


def rate_of(optimizer: Any) -> float:
    """The largest learning rate of an optimizer's groups."""
    return max((number_of(g.get("lr")) for g in optimizer.param_groups), default=0.0)


def horizon(scheduler: Any) -> int:
    """The number of steps that a schedule is made for; 0 if it has none."""
    parts, ends = getattr(scheduler, "_schedulers", ()), getattr(scheduler, "_milestones", ())
    if parts and ends:  # a SequentialLR
        last = horizon(parts[-1])
        return last + int(ends[-1]) if last else 0
    lengths = (getattr(scheduler, name, None) for name in HORIZONS)
    return next((int(v) for v in lengths if isinstance(v, (int, float)) and v > 0), 0)
