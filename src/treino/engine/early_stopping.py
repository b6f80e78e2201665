"""Members that end early, without improvement or because they diverge; and the weights that they keep."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from treino.engine.batch_sources import KernelRows
from treino.engine.losses import Loss
from treino.engine.metrics import METRICS
from treino.engine.population import Population
from treino.engine.step_plan import StepPlan
from treino.engine.training_state import DIVERGED, RUNNING, BestWeights, TrainingState

# ---- early stopping


@dataclass(frozen=True)
class EarlyStopping:
    """The rule of early stopping. metric: the validation metric that decides. patience: epochs without
    improvement after which a member stops; 0: never. keep: whether the ``best`` or the ``last`` weights are
    kept."""

    metric: str
    patience: int
    keep: Literal["best", "last"]

    def initial_best(self, population: Population, evaluates: bool) -> BestWeights:
        """The state before the first evaluation. evaluates: whether there are validation rows."""
        P = len(population)
        count = P if self.keep == "best" and evaluates else 0
        return BestWeights(
            population.answering[:count].clone(),
            population.buffers[:count].clone(),
            torch.full((P,), -METRICS[self.metric].better * torch.inf, dtype=torch.float64),
            torch.full((P,), -1, dtype=torch.int64),
        )

    def update(self, best: BestWeights, population: Population, metric_P: Tensor, step: int) -> None:
        """Copy members that improved into ``best``. metric_P: NaN if not measured. Equal values don't
        count."""
        better_P = metric_P > best.metric_P if METRICS[self.metric].better > 0 else metric_P < best.metric_P
        best.metric_P = torch.where(better_P, metric_P, best.metric_P)
        best.step_P = torch.where(better_P, step, best.step_P)
        if len(best.params):
            place = better_P.to(best.params.device)
            best.params[place] = population.answering[place]
            best.buffers[better_P] = population.buffers[better_P]

    def out_of_patience(self, best: BestWeights, plan: StepPlan, step: int, changed: int) -> Tensor:
        """``[P]`` bool: whether a member's best epoch is at least ``patience`` epochs ago, as is the change
        of settings at step ``changed``."""
        if not self.patience:
            return torch.zeros(len(best.step_P), dtype=torch.bool)
        best_epoch_P = plan.count.epochs_of(best.step_P.clamp(min=changed)).clamp(min=0)
        return plan.count.epoch_of(step) - best_epoch_P >= self.patience


# ---- divergence

FACTOR = 10  # loss of a hopeless member / loss of the best constant output
SMALLEST_CONSTANT = 1e-12  # below this the target is constant, and the loss can't be judged by it

Retrain = Callable[[Population, int, int], None]  # (population, first step, stop): train all members


class RewindPoint:
    """A copy of the running members, from a step whose rows can still be read again.

    A step depends on (seeds, step, rows) and the members' tensors alone, so training the copy gives the same
    bits. Call ``forget`` when hyper-parameters or the running members change. seconds: what a copy took.
    """

    def __init__(self, retrain: Retrain) -> None:
        self._retrain = retrain
        self._copy: Population | None = None
        self._step, self.seconds = 0, 0.0

    def forget(self) -> None:
        self._copy = None

    def remember(self, population: Population, members: Tensor, step: int, oldest: int) -> None:
        """Copy these members, unless a copy younger than ``oldest`` steps exists."""
        begin = time.perf_counter()
        if self._copy is None or len(self._copy) != len(members):
            self._copy, self._step = population.rows(members), step
        elif step - self._step >= oldest:
            self._copy.fill(population, members)
            self._step, self.seconds = step, time.perf_counter() - begin

    def members(self, index: slice, step: int) -> Population:
        """Copies of some members, trained up to ``step`` updates. index: the rows in the copy."""
        assert self._copy is not None
        again = self._copy.rows(index)
        if step > self._step:
            self._retrain(again, self._step, step)
        return again

    def last_good(self, member: int, first: int, latest: int) -> tuple[int, Population]:
        """The largest step in first..latest at which the parameters are finite, and the member at that step.

        Bisection: parameters at ``first`` are finite, and once not finite they stay so.
        """
        low, high, middle = first, latest, latest
        population: Population | None = None
        while low < high:
            again = self.members(slice(member, member + 1), middle)
            if bool(again.params.isfinite().all()):
                low, population = middle, again
            else:
                high = middle - 1
            middle = (low + high + 1) // 2
        return low, population if population is not None else self.members(slice(member, member + 1), low)


def freeze_diverged(
    state: TrainingState, rewind: RewindPoint, loss_SR: Tensor, members: Tensor, first: int
) -> None:
    """Reset every diverged member to its last update with finite parameters, and end it there.

    loss_SR: losses of the steps from ``first`` on; losses after that update are set to NaN.
    """
    population = state.population
    params = population.params[members.to(population.params.device)]
    bad_R = ~(loss_SR.isfinite().all(0) & params.isfinite().all(1).cpu())
    for row in bad_R.nonzero().flatten().tolist():
        wrong = torch.nonzero(~loss_SR[:, row].isfinite())
        latest = int(wrong[0]) if len(wrong) else len(loss_SR)  # steps before its first such loss, else all
        step, again = rewind.last_good(row, first, first + latest)
        population.put(members[row : row + 1], again)
        loss_SR[step - first + 1 :, row] = torch.nan
        state.end(members[row : row + 1], DIVERGED, step)


def divergence_thresholds(loss: Loss, rows: KernelRows, bag_P: Tensor) -> Tensor:
    """``[P]``: the mean loss in its last epoch above which an ended member counts as diverged."""
    count = max(1, len(rows.rows_G), 0 if rows.weight_GN is None else len(rows.weight_GN))
    targets = [y for _x, y in rows.rows_G] or [rows.y] * count
    weights = [None] * count if rows.weight_GN is None else list(rows.weight_GN)
    constants = [
        loss.best_constant(y, None if weight_N is None else weight_N[: len(y)])
        for y, weight_N in zip(targets, weights, strict=True)
    ]
    threshold_G = [FACTOR * c if c > SMALLEST_CONSTANT else math.inf for c in constants]
    return torch.tensor(threshold_G, dtype=torch.float64)[bag_P]


def mark_hopeless(state: TrainingState, threshold_P: Tensor) -> None:
    """Mark ended members as diverged if the mean loss of their last epoch is above the threshold."""
    ended_P = state.status_P != RUNNING
    if bool(ended_P.any()):
        state.status_P[ended_P & (state.epoch_loss.last > threshold_P)] = DIVERGED
