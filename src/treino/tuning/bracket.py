"""One bracket of successive halving: competing members, trained as populations from rung to rung."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from treino.engine import Tick, Training
from treino.engine.metrics import METRICS, measure
from treino.engine.tick import Epoch
from treino.search.halving import Rung, survivors
from treino.search.space import Config
from treino.tuning.member_table import MemberTable
from treino.tuning.populations import Group, rung_step

CHUNK_SECONDS = 0.5
LOOKS_APART = 50  # from this step on, one look for each so many steps that are behind
POINTS = 256  # of each member's curve, at most


@dataclass
class Curve:
    """Points of the learning curves of one population: epoch, loss and figure of each member.

    every: so many looks at validation rows make a point; looks: how many there were.
    """

    every: int = 1
    looks: int = 0
    epoch: list[int] = field(default_factory=list)
    loss: list[Tensor] = field(default_factory=list)  # each [P] float32
    figure: list[Tensor] = field(default_factory=list)

    def add(self, epoch: int, loss_P: Tensor, figure_P: Tensor) -> None:
        if self.looks % self.every == 0:
            self.epoch.append(epoch)
            self.loss.append(loss_P.float())
            self.figure.append(figure_P.float())
        self.looks += 1

    def tensors(self) -> dict[str, Tensor]:
        """epoch ``[E]``, loss and figure ``[E, P]``."""
        if not self.epoch:
            return {}
        return {
            "epoch": torch.tensor(self.epoch),
            "loss": torch.stack(self.loss),
            "figure": torch.stack(self.figure),
        }

    def restore(self, tensors: Mapping[str, Tensor], looks: int) -> None:
        self.looks = looks
        if tensors:
            self.epoch = [int(e) for e in tensors["epoch"]]
            self.loss, self.figure = list(tensors["loss"]), list(tensors["figure"])


@dataclass(eq=False)
class TrainingBracket:
    """number: in the sweep. configs: the members' settings, by their numbers. rungs: see ``search.halving``.

    metric: the validation figure that decides. rung: how many rungs are behind it. target: a figure to reach,
    and ``reached``, each group's steps to it, -1 before. kept_figures: each group's losses and validation
    figures of its members' kept weights.
    """

    number: int
    configs: Mapping[int, Config]
    rungs: Sequence[Rung]
    metric: str
    groups: Sequence[Group]
    trainings: list[Training] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    target: tuple[str, float] | None = None
    reached: list[Tensor] = field(default_factory=list)
    kept_figures: list[dict[str, Tensor]] = field(default_factory=list)
    rung: int = 0
    model_steps: int = 0

    def begin(self) -> None:
        """Make the populations, before their first step."""
        self.trainings = [group.training() for group in self.groups]
        self.curves = [Curve(max(1, -(-t.steps // 20) // POINTS)) for t in self.trainings]
        self.kept_figures = [{} for _group in self.groups]
        self.reached = [torch.full((len(g.members),), -1, dtype=torch.int64) for g in self.groups]

    @property
    def first(self) -> int:
        """The number of its first member."""
        return min(self.configs)

    @property
    def diverged(self) -> int:
        return sum(t.status_P.count("diverged") for t in self.trainings)

    @property
    def planned_steps(self) -> int:
        """Model-steps if nobody diverged: for the time that is left."""
        total, before = 0.0, 0
        everyone = sum(len(g.members) for g in self.groups)
        steps = sum(len(g.members) * t.steps for g, t in zip(self.groups, self.trainings, strict=True))
        for rung in self.rungs:
            total += steps / everyone * rung.members * (rung.epochs - before) / self.rungs[-1].epochs
            before = rung.epochs
        return int(total)

    def advance(self, table: MemberTable) -> Tick | None:
        """Train for a moment; rows go into the table at the end of each rung. None: all rungs are over."""
        while self.rung < len(self.rungs):
            share = self.rungs[self.rung].epochs / self.rungs[-1].epochs
            for place, training in enumerate(self.trainings):
                until = rung_step(training, share)
                if training.step < until and not training.done:
                    tick = training.advance(CHUNK_SECONDS, until=min(until, self._next_check(place)))
                    self._record(place, tick)
                    self._check_target(place)
                    return tick
            self.write_rows(table)
            self.rung += 1
            if self.rung < len(self.rungs):
                self._stop_others(self.rungs[self.rung].members, table)
        return None

    def _next_check(self, place: int) -> int:
        """The step after which is looked whether the target is reached: near the first ones every step."""
        training = self.trainings[place]
        if self.target is None or bool((self.reached[place] >= 0).all()):
            return training.steps
        return training.step + max(1, training.step // LOOKS_APART)

    def _check_target(self, place: int) -> None:
        """Who has reached the target; it is a mere look, and what is kept is decided elsewhere."""
        if self.target is None or bool((self.reached[place] >= 0).all()):
            return
        (name, wanted), training, data = self.target, self.trainings[place], self.groups[place].data
        now = training.population.snapshot()
        shape = training.shared.item_shape
        x = data.validation.x if shape is None else data.validation.x.reshape(-1, *shape)
        output_RNC = training.answers(now, x)
        y = training.loss_function.target(data.validation.y, output_RNC.dtype)
        found_P = measure(output_RNC, y, training.loss_function, data.target_scale)[name]
        there_P = found_P >= wanted if METRICS[name].better > 0 else found_P <= wanted
        running_P = training.last_step_P == training.step
        first_P = there_P & running_P & (self.reached[place] < 0)
        self.reached[place] = torch.where(first_P, training.step, self.reached[place])

    def _record(self, place: int, tick: Tick) -> None:
        self.model_steps += int(tick.loss_SP.isfinite().sum())
        for epoch in tick.epochs:
            if epoch.evaluation is None:
                continue
            found = epoch.evaluation["validation"]
            self.curves[place].add(epoch.number, epoch.loss_P, found[self.metric])
            before = self.kept_figures[place]
            kept_P = self._is_kept(place, epoch, found[self.metric])
            new = {"loss": epoch.loss_P, **{f"validation_{k}": v for k, v in found.items()}}
            self.kept_figures[place] = {
                k: torch.where(kept_P, v, before.get(k, torch.nan)) for k, v in new.items()
            }

    def _is_kept(self, place: int, epoch: Epoch, figure_P: Tensor) -> Tensor:
        """``[P]`` bool: whose weights of this epoch are the ones that are kept so far."""
        training = self.trainings[place]
        if training.config.keep == "last":
            return ~figure_P.isnan()
        return training.kept_step_P == epoch.step

    def best(self, place: int) -> Tensor:
        """``[P]`` float64: the validation figure of the weights that each member keeps."""
        training = self.trainings[place]
        if not training.plan.evaluates:  # nobody is better than another
            return torch.zeros_like(training.best_P)
        if training.config.keep == "best":
            return training.best_P
        worst_P = torch.full_like(training.best_P, -METRICS[self.metric].better * torch.inf)
        return self.kept_figures[place].get(f"validation_{self.metric}", worst_P)

    def figures(self) -> dict[int, float | None]:
        """Each member's best validation figure so far, turned so that lower is better; None: diverged."""
        found: dict[int, float | None] = {}
        for place, (group, training) in enumerate(zip(self.groups, self.trainings, strict=True)):
            for member, best, status in zip(
                group.members, self.best(place).tolist(), training.status_P, strict=True
            ):
                lost = status == "diverged" or not math.isfinite(best)
                found[member] = None if lost else -METRICS[self.metric].better * best
        return found

    def ranking(self) -> dict[int, tuple[float, float] | None]:
        """Each member's figure, and its loss there, which parts equal ones; None: diverged."""
        figures, found = self.figures(), dict[int, tuple[float, float] | None]()
        for place, group in enumerate(self.groups):
            loss_P = self.kept_figures[place].get("validation_loss", torch.zeros(len(group.members)))
            for member, loss in zip(group.members, loss_P.nan_to_num(nan=math.inf).tolist(), strict=True):
                figure = figures[member]
                found[member] = None if figure is None else (figure, loss)
        return found

    def _stop_others(self, count: int, table: MemberTable) -> None:
        """Only the best go on."""
        figures = self.ranking()
        order = sorted(figures)
        on = {order[place] for place in survivors([figures[m] for m in order], count)}
        for group, training in zip(self.groups, self.trainings, strict=True):
            training.stop([row for row, member in enumerate(group.members) if member not in on])
            for member in set(group.members) - on:
                row = table.rows.get((member, self.rung - 1))
                if row is not None and row["status"] == "running":
                    row["status"] = "stopped"

    def write_rows(self, table: MemberTable) -> None:
        """A row for everyone who took part in this rung."""
        cut = self.rung > 0
        for place, (group, training) in enumerate(zip(self.groups, self.trainings, strict=True)):
            best, steps, status = self.best(place).tolist(), training.last_step_P.tolist(), training.status_P
            kept, reached = training.kept_step_P.tolist(), self.reached[place].tolist()
            for row, member in enumerate(group.members):
                before = table.rows.get((member, self.rung - 1))
                if cut and (before is None or before["step"] == steps[row]):
                    continue  # it had ended before
                lost = status[row] == "diverged" or not math.isfinite(best[row])
                table.put(
                    member,
                    self.rung,
                    self.configs[member],
                    heat=self.number,
                    group=place,
                    engine=training.engine,
                    parameters=training.parameters,
                    step=steps[row],
                    kept_step=kept[row],
                    epochs=steps[row] / training.steps_per_epoch,
                    status="finished" if status[row] == "stopped" else status[row],  # by its own patience
                    best=None if lost or not training.plan.evaluates else best[row],
                    **({} if self.target is None else {"reached": _or_none(reached[row])}),
                    **{
                        name: _finite(float(value_P[row]))
                        for name, value_P in sorted(self.kept_figures[place].items())
                    },
                )

    # ---- going on after a stop

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that going on bit for bit needs."""
        tensors: dict[str, Tensor] = {}
        metas = []
        for place, training in enumerate(self.trainings):
            state, meta = training.save()
            metas.append(meta)
            parts = {"engine": state, "curve": self.curves[place].tensors(), "seen": self.kept_figures[place]}
            parts["reached"] = {"step": self.reached[place]}
            for kind, named in parts.items():
                tensors |= {f"{place}.{kind}.{name}": t.contiguous() for name, t in named.items()}
        facts = {
            "heat": self.number,
            "rung": self.rung,
            "model_steps": self.model_steps,
            "looks": [c.looks for c in self.curves],
            "members": [list(group.members) for group in self.groups],
            "engine": metas,
        }
        return tensors, facts

    def load(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Go on from what ``save`` gave; the bracket has begun and has the same members."""
        for place, training in enumerate(self.trainings):
            parts: dict[str, dict[str, Tensor]] = {"engine": {}, "curve": {}, "seen": {}, "reached": {}}
            for name, tensor in tensors.items():
                number, kind, rest = name.split(".", 2)
                if int(number) == place:
                    parts[kind][rest] = tensor
            training.load(parts["engine"], facts["engine"][place])
            self.curves[place].restore(parts["curve"], facts["looks"][place])
            self.kept_figures[place] = parts["seen"]
            self.reached[place] = parts["reached"]["step"]
        self.rung, self.model_steps = facts["rung"], facts["model_steps"]


def _or_none(step: int) -> int | None:
    return None if step < 0 else step


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
