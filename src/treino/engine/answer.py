"""Which weights of an ensemble's members answer: greedy selection among those that they had while training.

Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of models": begin with the
best network, and repeatedly add the network, possibly again, that most improves the validation figure of the
mean.
https://doi.org/10.1145/1015330.1015432
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from treino.engine.batch_sources import KernelRows, aligned
from treino.engine.devices import torch_context
from treino.engine.ensemble import Validation, answering_members, kept_population, outputs_on
from treino.engine.losses import Loss
from treino.engine.population import Population
from treino.engine.shared_config import SharedConfig
from treino.engine.step_plan import StepPlan
from treino.engine.training_state import TrainingState
from treino.settings.spec import Settings

# ---- greedy selection


def greedy(
    value_KX: Tensor, badness: Callable[[Tensor], Tensor], places: int, first: int | None = None
) -> list[int]:
    """The candidates, some maybe several times, whose mean is best; at most ``places``.

    value_KX: what is averaged, of each candidate. badness(mean_KX) ``[K]``: the smaller the better; NaN is
    worst. first: the candidate to begin with; None: the best.
    """

    def of(mean_KX: Tensor) -> Tensor:
        return badness(mean_KX).nan_to_num(torch.inf)

    bad_K = of(value_KX)
    chosen = [int(bad_K.argmin()) if first is None else first]
    best, least = chosen, float(bad_K[chosen[0]])
    total_X = value_KX[chosen[0]].clone()
    while len(chosen) < places:
        bad_K = of((total_X + value_KX) / (len(chosen) + 1))
        chosen = [*chosen, int(bad_K.argmin())]
        total_X += value_KX[chosen[-1]]
        if float(bad_K[chosen[-1]]) < least:
            best, least = chosen, float(bad_K[chosen[-1]])
    return best


TINY = 1e-30  # stands for a probability of 0
SURE = 2.0  # standard errors


def averaged_values(output_KNC: Tensor, loss: Loss) -> Tensor:
    """What an ensemble averages, in float64: probabilities ``[K, N, C]`` (of one output: of its class), or
    the outputs of a regression."""
    output_KNC = output_KNC.detach().cpu().double()
    if loss.classes:
        parts = output_KNC.split(loss.classes, -1)
        return torch.cat([averaged_values(part, loss.single) for part in parts], -1)
    if loss.task == "regression":
        return output_KNC
    return output_KNC.softmax(-1) if loss.kind.of_classes else output_KNC.sigmoid()


def as_outputs(value_KNC: Tensor, loss: Loss) -> Tensor:
    """Outputs, as a network would give them, from the mean of averaged values."""
    if loss.task == "regression":
        return value_KNC
    log_KNC = value_KNC.clamp(min=TINY).log()
    return log_KNC if loss.kind.of_classes else log_KNC - (1 - value_KNC).clamp(min=TINY).log()


class RowLosses(NamedTuple):
    """The loss of validation rows by what networks answer.

    value_KNC: what K networks answer, averaged values; of classes only the right one's probability, where C
    is the number of targets. weight_N: of the rows. limits: of numbers.
    """

    value_KNC: Tensor
    weight_N: Tensor
    y: Tensor
    loss: Loss
    limits: Tensor | None

    @classmethod
    def of(cls, validation: Validation, pool: Population) -> "RowLosses":
        """Of all members of ``pool``."""
        shared, rows = validation.shared, _some_rows(validation.rows, validation.shared)
        y, loss, values = rows.y.cpu(), shared.loss, []
        with torch_context(validation.kernel.intra_op_threads):
            for part in torch.arange(len(pool)).split(validation.at_once):
                output_RNC, _y = outputs_on(rows, validation.kernel, shared, pool, part)
                values.append(_of_truth(averaged_values(output_RNC, loss), y, loss))
        weight_N = torch.ones(len(y), dtype=torch.float64)
        if rows.weight_GN is not None:
            weight_N = rows.weight_GN[0].cpu().double()
        if loss.class_weights is not None:
            weight_N = weight_N * torch.tensor(loss.class_weights, dtype=torch.float64)[y.long().reshape(-1)]
        y = y.double() if loss.task == "regression" else y
        limits = None if shared.limits is None else torch.tensor(shared.limits, dtype=torch.float64)
        return cls(torch.cat(values), weight_N / weight_N.sum(), y, loss, limits)

    def rows(self, value_KNC: Tensor) -> Tensor:
        """``[K, N]``: each row's loss."""
        if self.loss.task == "classification":
            return -value_KNC.clamp(min=TINY).log().mean(-1)
        K, N, C = value_KNC.shape
        clipped = value_KNC if self.limits is None else value_KNC.clamp(*self.limits.unbind())
        return self.loss.rows(clipped.reshape(K * N, C), self.y.repeat(K, 1))[0].view(K, N)

    def means(self, value_KNC: Tensor) -> Tensor:
        """``[K]``: the mean loss."""
        return (self.rows(value_KNC) * self.weight_N).sum(1)

    def surely_better(self, value_NC: Tensor, other_NC: Tensor) -> bool:
        """Whether one answer's loss is below the other's by more than ``SURE`` standard errors of their
        difference, row by row."""
        loss_N, other_N = self.rows(torch.stack([value_NC, other_NC]))
        gain_N = other_N - loss_N
        gain = (gain_N * self.weight_N).sum()
        return bool(gain > SURE * ((gain_N - gain) * self.weight_N).square().sum().sqrt())


def _some_rows(rows: KernelRows, shared: SharedConfig) -> KernelRows:
    """About ``ROWS`` of the rows, evenly spaced; all of those on disk."""
    every = len(rows.y) // ROWS
    if every < 2 or not isinstance(rows.x, Tensor):
        return rows
    x, y = (aligned(t[::every], None, shared.device) for t in (rows.x, rows.y))
    return KernelRows(x, y, None if rows.weight_GN is None else rows.weight_GN[:, ::every])


def _of_truth(value_KNC: Tensor, y: Tensor, loss: Loss) -> Tensor:
    """``[K, N, 1]``: the probability of each row's class, with several targets one each; numbers as they
    are."""
    if loss.task == "regression":
        return value_KNC
    if loss.classes:
        parts = zip(value_KNC.split(loss.classes, -1), y.unbind(-1), strict=True)
        return torch.cat([_of_truth(part, y_N, loss.single) for part, y_N in parts], -1)
    if loss.kind.of_classes:
        return value_KNC.gather(2, y.long().view(1, -1, 1).expand(len(value_KNC), -1, 1))
    return torch.where(y.view(1, -1, 1) > 0, value_KNC, 1 - value_KNC)


# ---- selection while members train

PLACES = 16  # of snapshots in an answer
SELECTIONS = 40  # in a training of full length
ROWS = 4000  # for validation, from twice as many on every second, third, ... is looked at


def selection_due(state: TrainingState, before: int, plan: StepPlan, *, over: bool) -> bool:
    """Whether to select at this evaluation. before: the step of the one before. over: the training ends."""
    every = max(1, plan.steps // SELECTIONS)
    return len(state.snapshots.params) > 0 and (over or state.step // every > before // every)


def select(state: TrainingState, validation: Validation, members: Tensor, s: Settings) -> None:
    """Choose the snapshots that answer among those chosen before and these members' present weights.

    They answer only where they are surely better on the validation rows than the best half of all members,
    each with its own best weights: the best of so many by few rows would be chance.
    """
    old, population = state.snapshots, state.population
    half, used = answering_members(state, s), len(old.members)
    rival, none = kept_population(state, half), population.params[:, :0]
    of = [*old.members, *members.tolist(), *half]
    bare = replace(population, params=none, grads=none, average=none[:0], moments=[], buffers=none)
    params = torch.cat([old.params[:used], population.answering[members], rival.params])
    pool = replace(
        bare.rows(of),
        params=params,
        grads=params,  # neither gradients nor moments are read or written
        moments=[params] * len(population.moments),
        buffers=torch.cat([old.buffers[:used], population.buffers[members], rival.buffers]),
    )
    losses = RowLosses.of(validation, pool)
    count = used + len(members)
    value_KNC, rival_NC = losses.value_KNC[:count], losses.value_KNC[count:].mean(0)
    chosen = greedy(value_KNC, losses.means, len(old.params))
    step = [*old.steps, *[state.step] * len(members)]
    order = sorted(set(chosen), key=lambda k: (-chosen.count(k), chosen.index(k)))
    places = torch.tensor([[of[k], step[k], chosen.count(k)] for k in order])
    for tensor, new in (
        (old.params, pool.params[order]),
        (old.buffers, pool.buffers[order]),
        (old.place_S3, places),
    ):
        tensor.zero_()
        tensor[: len(order)] = new
    old.sure.fill_(losses.surely_better(value_KNC[chosen].mean(0), rival_NC))
