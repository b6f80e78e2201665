"""An ensemble: the best half of a population's members, which answer together as one module."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treino.engine.losses import LOSSES
from treino.engine.members import member_module
from treino.engine.metrics import METRICS
from treino.engine.shared_config import SharedConfig
from treino.engine.train_config import TrainConfig
from treino.engine.training_state import DIVERGED, TrainingState


class Ensemble(nn.Module):
    """The mean of the members' probabilities, as logits; of their numbers, where there are no classes.

    limits: between which an answer of numbers stays (the buffer ``limits [2]``); None: as it is.

    x ``[B, ...]`` -> ``[B, C]``: outputs of which ``loss`` (a name of LOSSES) and softmax or sigmoid ask what
    they ask of one network's. See Lakshminarayanan, Pritzel & Blundell, NeurIPS 2017.
    """

    limits: Tensor | None

    def __init__(
        self, members: Sequence[nn.Module], loss: str, limits: tuple[float, float] | None = None
    ) -> None:
        super().__init__()
        self.members, self.loss = nn.ModuleList(members), loss
        self.register_buffer("limits", None if limits is None else torch.tensor(limits))

    def forward(self, x: Tensor) -> Tensor:
        return mean_output(torch.stack([member(x) for member in self.members]), self.loss, self.limits)


def mean_output(output_RBC: Tensor, loss: str, limits: Tensor | None = None) -> Tensor:
    """``[B, C]``: the output whose probabilities are the mean of these members'; of numbers the mean itself,
    within the limits ``[2]``."""
    kind, count = LOSSES[loss], len(output_RBC)
    if kind.task == "regression":
        mean_BC = output_RBC.mean(0)
        return mean_BC if limits is None else mean_BC.clamp(*limits.to(mean_BC).unbind())
    if kind.of_classes:
        return torch.logsumexp(F.log_softmax(output_RBC, -1), 0) - math.log(count)
    yes_BC, no_BC = (torch.logsumexp(F.logsigmoid(sign * output_RBC), 0) for sign in (1, -1))
    return yes_BC - no_BC


def answering_members(state: TrainingState, metric: str) -> list[int]:
    """The members whose mean is the answer, the best first: ⌈P/2⌉ by their best validation figure so far,
    of equal ones the first; all, where none has a figure.

    Diverged ones are left out while there are others.
    """
    every = range(len(state.population))
    status_P, figure_P, better = state.status_P.tolist(), state.best.metric_P.tolist(), METRICS[metric].better
    able = [member for member in every if status_P[member] != DIVERGED] or list(every)
    measured = [member for member in able if int(state.best.step_P[member]) >= 0]
    if not measured:
        return able
    return sorted(measured, key=lambda member: -better * figure_P[member])[: -(-len(every) // 2)]


def answer_module(
    shared: SharedConfig, config: TrainConfig, state: TrainingState, *, best_weights: bool
) -> nn.Module:
    """What answers: the one network, or the ensemble; a plain module in evaluation mode on the CPU.

    best_weights: with the weights that are kept, not the last ones.
    """
    population, best = state.population, state.best if best_weights else None
    if config.shared.ensemble == 1:
        return member_module(shared, population, 0, best)
    answering = answering_members(state, config.shared.metric)
    nets = [member_module(shared, population, member, best) for member in answering]
    return Ensemble(nets, shared.loss.name, shared.limits).eval()
