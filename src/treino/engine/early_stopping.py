"""Early stopping: members stop after epochs without a better validation figure; the best weights are kept."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from treino.engine.metrics import METRICS
from treino.engine.population import Population
from treino.engine.step_plan import StepPlan
from treino.engine.training_state import BestWeights


@dataclass(frozen=True)
class EarlyStopping:
    """The rule of early stopping. metric: the validation figure that decides. patience: epochs without a
    better figure before a member stops; 0: never. keep: whether the ``best`` or the ``last`` weights are
    kept."""

    metric: str
    patience: int
    keep: Literal["best", "last"]

    def initial_best(self, population: Population, evaluates: bool) -> BestWeights:
        """The state before the first figure. evaluates: whether there are validation rows."""
        P = len(population)
        count = P if self.keep == "best" and evaluates else 0
        return BestWeights(
            population.answering[:count].clone(),
            population.buffers[:count].clone(),
            torch.full((P,), -METRICS[self.metric].better * torch.inf, dtype=torch.float64),
            torch.full((P,), -1, dtype=torch.int64),
        )

    def update(self, best: BestWeights, population: Population, metric_P: Tensor, step: int) -> None:
        """Copy members with a better figure into ``best``. metric_P: NaN if not measured. An equal figure
        isn't better."""
        better_P = metric_P > best.metric_P if METRICS[self.metric].better > 0 else metric_P < best.metric_P
        best.metric_P = torch.where(better_P, metric_P, best.metric_P)
        best.step_P = torch.where(better_P, step, best.step_P)
        if len(best.params):
            place = better_P.to(best.params.device)
            best.params[place] = population.answering[place]
            best.buffers[better_P] = population.buffers[better_P]

    def out_of_patience(self, best: BestWeights, plan: StepPlan, step: int) -> Tensor:
        """``[P]`` bool: whether a member's patience is over, counted in epochs since its best one."""
        if not self.patience:
            return torch.zeros(len(best.step_P), dtype=torch.bool)
        best_epoch_P = plan.count.epochs_of(best.step_P).clamp(min=0)
        return plan.count.epoch_of(step) - best_epoch_P >= self.patience
