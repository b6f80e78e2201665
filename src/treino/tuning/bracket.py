"""One bracket of successive halving: competing members, trained as populations from rung to rung."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from treino.engine import Tick, TrainingLoop
from treino.engine.metrics import METRICS
from treino.search.halving import Rung, survivors
from treino.search.space import Config
from treino.tuning.distribution import Distribution
from treino.tuning.group_training import GroupTraining
from treino.tuning.member_table import MemberTable
from treino.tuning.populations import Group, rung_step

CHUNK_SECONDS = 0.5


@dataclass(eq=False)
class TrainingBracket:
    """number: in the sweep. configs: the members' settings, by their numbers. rungs: see ``search.halving``.

    metric: the validation figure that decides. rung: how many rungs are behind it. target: a figure to reach.
    """

    number: int
    configs: Mapping[int, Config]
    rungs: Sequence[Rung]
    metric: str
    groups: Sequence[Group]
    populations: list[GroupTraining] = field(default_factory=list)
    target: tuple[str, float] | None = None
    rung: int = 0
    steps_before: int = 0  # model-steps before a stop

    def begin(self) -> None:
        """Make the populations, before their first step."""
        self.populations = [GroupTraining(group, self.metric, self.target) for group in self.groups]

    @property
    def trainings(self) -> list[TrainingLoop]:
        return [population.training for population in self.populations]

    @property
    def model_steps(self) -> int:
        return self.steps_before + sum(population.model_steps for population in self.populations)

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

    def advance(self, table: MemberTable, distribution: Distribution | None = None) -> Tick | None:
        """Train for a moment; rows go into the table at the end of each rung. None: all rungs are over.

        distribution: who trains; None: this process.
        """
        while self.rung < len(self.rungs):
            goals = self.goals()
            moment = _advance(goals) if distribution is None else distribution.advance(goals)
            if moment is not None:
                return moment[1]
            for population in self.populations:
                population.join()
            self.write_rows(table)
            self.rung += 1
            if self.rung < len(self.rungs):
                self._stop_others(self.rungs[self.rung].members, table)
        return None

    def goals(self) -> list[tuple[GroupTraining, int]]:
        """Each population, and the step where its members are judged at the end of this rung."""
        share = self.rungs[self.rung].epochs / self.rungs[-1].epochs
        return [(population, rung_step(population.training, share)) for population in self.populations]

    def figures(self) -> dict[int, float | None]:
        """Each member's best validation figure so far, turned so that lower is better; None: diverged."""
        found: dict[int, float | None] = {}
        for group, population in zip(self.groups, self.populations, strict=True):
            best_P, status_P = population.best_P.tolist(), population.training.status_P
            for member, best, status in zip(group.members, best_P, status_P, strict=True):
                lost = status == "diverged" or not math.isfinite(best)
                found[member] = None if lost else -METRICS[self.metric].better * best
        return found

    def ranking(self) -> dict[int, tuple[float, float] | None]:
        """Each member's figure, and its loss there, which parts equal ones; None: diverged."""
        figures, found = self.figures(), dict[int, tuple[float, float] | None]()
        for group, population in zip(self.groups, self.populations, strict=True):
            loss_P = population.kept_figures.get("validation_loss", torch.zeros(len(group.members)))
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
        for place, population in enumerate(self.populations):
            group, training = population.group, population.training
            best, status = population.best_P.tolist(), training.status_P
            steps, kept = population.last_step_P.tolist(), population.kept_step_P.tolist()
            reached = population.reached.tolist()
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
                        for name, value_P in sorted(population.kept_figures.items())
                    },
                )

    # ---- going on after a stop

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that going on bit for bit needs."""
        tensors: dict[str, Tensor] = {}
        each = []
        for place, population in enumerate(self.populations):
            state, facts = population.save()
            tensors |= {f"{place}.{name}": tensor for name, tensor in state.items()}
            each.append(facts)
        return tensors, {
            "heat": self.number,
            "rung": self.rung,
            "model_steps": self.model_steps,
            "members": [list(group.members) for group in self.groups],
            **{name: [facts[name] for facts in each] for name in ("looks", "engine", "parts")},
        }

    def load(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Go on from what ``save`` gave; the bracket has begun and has the same members."""
        for place, population in enumerate(self.populations):
            head = f"{place}."
            own = {name[len(head) :]: t for name, t in tensors.items() if name.startswith(head)}
            population.load(own, {name: facts[name][place] for name in ("looks", "engine", "parts")})
        self.rung, self.steps_before = facts["rung"], facts["model_steps"]


def _advance(goals: Sequence[tuple[GroupTraining, int]]) -> tuple[GroupTraining, Tick] | None:
    for population, until in goals:
        if population.behind(until):
            return population, population.advance(CHUNK_SECONDS, until)
    return None


def _or_none(step: int) -> int | None:
    return None if step < 0 else step


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
