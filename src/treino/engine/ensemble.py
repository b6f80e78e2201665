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
    """A module whose output is the mean of its members': of probabilities, as logits, or of numbers.

    limits: numbers are clipped to this range (the buffer ``limits [2]``); None: not clipped. x ``[B, ...]``
    -> ``[B, C]``: outputs for ``loss`` (a name of LOSSES), softmax or sigmoid, as of a single network. See
    Lakshminarayanan, Pritzel & Blundell, NeurIPS 2017.
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
    """``[B, C]``: the output whose probabilities are the mean of the members' probabilities; in regression
    the mean of their outputs, clipped to the limits ``[2]``."""
    kind, count = LOSSES[loss], len(output_RBC)
    if kind.task == "regression":
        mean_BC = output_RBC.mean(0)
        return mean_BC if limits is None else mean_BC.clamp(*limits.to(mean_BC).unbind())
    if kind.of_classes:
        return torch.logsumexp(F.log_softmax(output_RBC, -1), 0) - math.log(count)
    yes_BC, no_BC = (torch.logsumexp(F.logsigmoid(sign * output_RBC), 0) for sign in (1, -1))
    return yes_BC - no_BC


def answering_members(state: TrainingState, metric: str) -> list[int]:
    """The members whose mean is the answer, the best first: ⌈P/2⌉ by their best validation figure so far, the
    first of equal ones; all if none has a figure.

    Diverged members are left out, unless all diverged.
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
    """The single network or the ensemble, as a plain module in evaluation mode on the CPU.

    best_weights: with the kept weights instead of the last ones.
    """
    population, best = state.population, state.best if best_weights else None
    if config.shared.ensemble == 1:
        return member_module(shared, population, 0, best)
    answering = answering_members(state, config.shared.metric)
    nets = [member_module(shared, population, member, best) for member in answering]
    return Ensemble(nets, shared.loss.name, shared.limits).eval()
