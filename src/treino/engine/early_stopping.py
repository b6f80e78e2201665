"""Choices that look at validation rows: which weights are kept, who is out of patience."""

import torch
from torch import Tensor

from treino.engine.metrics import BETTER
from treino.engine.population import Population
from treino.engine.step_plan import StepPlan


class Best:
    """Each member's best weights so far by ``plan.metric``, and the step that they are of (-1: none yet)."""

    def __init__(self, plan: StepPlan, population: Population) -> None:
        self.plan, P = plan, len(population)
        keeps = P if plan.keep == "best" and plan.evaluates else 0
        self.params, self.buffers = population.params[:keeps].clone(), population.buffers[:keeps].clone()
        self.metric_P = torch.full((P,), -BETTER[plan.metric] * torch.inf, dtype=torch.float64)
        self.step_P = torch.full((P,), -1, dtype=torch.int64)

    def update(self, population: Population, now_P: Tensor, step: int) -> None:
        """now_P: the metric of this step, NaN where it wasn't measured. An equal figure is no better."""
        better_P = now_P > self.metric_P if BETTER[self.plan.metric] > 0 else now_P < self.metric_P
        self.metric_P = torch.where(better_P, now_P, self.metric_P)
        self.step_P = torch.where(better_P, step, self.step_P)
        if len(self.params):
            place = better_P.to(self.params.device)
            self.params[place] = population.params[place]
            self.buffers[better_P] = population.buffers[better_P]

    def kept(self) -> Tensor:
        """``[P]`` bool: whether the best weights are the ones to keep, and there are any."""
        return (self.step_P >= 0) & (self.plan.keep == "best")

    def tired(self, step: int) -> Tensor:
        """``[P]`` bool: whose patience is over, counted in epochs since the best one."""
        if not self.plan.patience:
            return torch.zeros(len(self.step_P), dtype=torch.bool)
        best_epoch_P = (-(-self.step_P // self.plan.steps_per_epoch)).clamp(min=0)
        return self.plan.epoch_of(step) - best_epoch_P >= self.plan.patience

    def tensors(self) -> dict[str, Tensor]:
        return {"params": self.params, "buffers": self.buffers, "metric": self.metric_P, "step": self.step_P}
