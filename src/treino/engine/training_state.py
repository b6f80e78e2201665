"""The state of a training: everything that changes while it runs, as plain data; each epoch's mean loss."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from treino.base.words import N_
from treino.engine.population import Population

# ---- each epoch's mean training loss


class EpochLoss:
    """Mean and standard deviation of each epoch's losses, summed step by step in float64, so that the result
    doesn't depend on the chunks.

    It sums differences from the epoch's first loss, so that a small deviation isn't lost beside a large mean.
    count: steps so far in the present epoch. last: each member's mean loss in the last epoch that it
    completed.
    """

    def __init__(self, members: int) -> None:
        self.count = 0
        self.sums = torch.zeros(3, members, dtype=torch.float64)  # first loss, Σ difference, Σ difference²
        self.last = torch.full((members,), torch.nan, dtype=torch.float64)

    def rows(self, index: list[int]) -> "EpochLoss":
        """A copy of these members' sums."""
        copy = EpochLoss(len(index))
        copy.count, copy.sums, copy.last = self.count, self.sums[:, index], self.last[index]
        return copy

    def add(self, loss_SP: Tensor, per_epoch: int, over: bool = False) -> tuple[Tensor, Tensor]:
        """Add losses. Return mean and deviation ``[E, P]`` of the epochs that end; over: include the
        unfinished last one."""
        loss_SP, steps = loss_SP.double(), loss_SP.shape[0]
        parts: list[Tensor] = []  # sums [E, 3, P] of epochs that have ended
        counts: list[int] = []
        at = 0
        while at < steps:
            whole = (steps - at) // per_epoch
            if self.count or not whole:
                length = min(per_epoch - self.count, steps - at)
                self._go_on(loss_SP[at : at + length])
                if self.count == per_epoch or (over and at + length == steps):
                    parts.append(self.sums.clone().unsqueeze(0))
                    counts.append(self.count)
                    self.count = 0
                    self.sums.zero_()  # the saved state must not depend on the chunks
            else:
                length = whole * per_epoch
                loss_ESP = loss_SP[at : at + length].unflatten(0, (whole, per_epoch))
                parts.append(torch.cat([loss_ESP[:, :1], _summed(loss_ESP - loss_ESP[:, :1])], 1))
                counts += [per_epoch] * whole
            at += length
        if not parts:
            return loss_SP[:0], loss_SP[:0]
        sums_E3P, count_E1 = torch.cat(parts), torch.tensor(counts, dtype=torch.float64).unsqueeze(1)
        shift_EP = sums_E3P[:, 1] / count_E1
        mean_EP = sums_E3P[:, 0] + shift_EP
        variance_EP = sums_E3P[:, 2] / count_E1 - shift_EP.square()
        for mean_P in mean_EP[-1:] if not bool(mean_EP.isnan().any()) else mean_EP:
            self.last = torch.where(mean_P.isnan(), self.last, mean_P)
        return mean_EP, variance_EP.clamp(min=0).sqrt()

    def _go_on(self, loss_SP: Tensor) -> None:
        if not self.count:
            self.sums.zero_()
            self.sums[0] = loss_SP[0]
        self.sums[1:] = _summed((loss_SP - self.sums[0]).unsqueeze(0), self.sums[1:])[0]
        self.count += loss_SP.shape[0]


def _summed(difference_ESP: Tensor, before_2P: Tensor | None = None) -> Tensor:
    """Σ difference and Σ difference² ``[E, 2, P]``, added in sequence by cumsum: ``sum`` adds pairwise, and
    the pairs depend on the chunks.
    """
    more_ES2P = torch.stack((difference_ESP, difference_ESP.square()), 2)
    if before_2P is not None:
        more_ES2P[:, 0] += before_2P
    return more_ES2P.cumsum(1)[:, -1] if more_ES2P.shape[1] > 1 else more_ES2P[:, 0]


# ---- the state of a training

STATUS = (N_("running"), N_("finished"), N_("stopped"), N_("diverged"))
RUNNING, FINISHED, STOPPED, DIVERGED = range(4)


@dataclass(frozen=True)
class HyperparameterChange:
    """A change of a hyper-parameter after ``step`` updates. value: one number per member."""

    step: int
    name: str
    value: tuple[float, ...]


@dataclass(eq=False)
class BestWeights:
    """Each member's best validation value so far, and its weights at that step.

    params ``[P, n]``, buffers ``[P, m]``: ``[0, ...]`` if best weights aren't kept. metric_P: the best value;
    infinitely bad before the first evaluation. step_P: the step of the best value; -1: none yet.
    """

    params: Tensor
    buffers: Tensor
    metric_P: Tensor
    step_P: Tensor

    @property
    def chosen_P(self) -> Tensor:
        """``[P]`` bool: whether a member's kept weights are its best, not its last ones."""
        return (self.step_P >= 0) & (len(self.params) > 0)

    def tensors(self) -> dict[str, Tensor]:
        return {"params": self.params, "buffers": self.buffers, "metric": self.metric_P, "step": self.step_P}

    def rows(self, index: list[int]) -> "BestWeights":
        """A copy for these members; an index may occur several times."""
        places = index if len(self.params) else []
        return BestWeights(
            self.params[places], self.buffers[places], self.metric_P[index], self.step_P[index]
        )


@dataclass(eq=False)
class TrainingState:
    """The state of a training after ``step`` updates. Together with setup and rows it determines all further
    updates.

    status_P: indices of STATUS. stop_step_P: the updates of an ended member; for a diverged one, up to its
    last finite weights. evaluated_step: the step of the last evaluation. changed_step: that of
    the last change of settings, with which patience begins anew. pending: future changes of
    hyper-parameters. running: int64, the indices of the members in training, derived from status_P.
    """

    population: Population
    best: BestWeights
    epoch_loss: EpochLoss
    status_P: Tensor
    stop_step_P: Tensor
    step: int = 0
    evaluated_step: int = 0
    changed_step: int = 0
    pending: list[HyperparameterChange] = field(default_factory=list)
    running: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.find_running()

    @classmethod
    def initial(cls, population: Population, best: BestWeights) -> "TrainingState":
        """The state before the first step."""
        P = len(population)
        status_P, stop_step_P = torch.zeros(P, dtype=torch.int64), torch.zeros(P, dtype=torch.int64)
        return cls(population, best, EpochLoss(P), status_P, stop_step_P)

    def rows(self, index: list[int]) -> "TrainingState":
        """A copy of the state of these members that shares no memory; an index may occur several
        times."""
        return TrainingState(
            self.population.rows(index),
            self.best.rows(index),
            self.epoch_loss.rows(index),
            self.status_P[index],
            self.stop_step_P[index],
            self.step,
            self.evaluated_step,
            self.changed_step,
            [replace(change, value=tuple(change.value[i] for i in index)) for change in self.pending],
        )

    def put(self, index: list[int], tensors: Mapping[str, Tensor]) -> None:
        """Overwrite these members, in order, by the members of another state, given as its ``tensors()``."""
        at = torch.tensor(index)
        for name, here in self.tensors().items():
            if here.numel():
                dimension = 1 if name == "epoch.sums" else 0
                here.index_copy_(dimension, at.to(here.device), tensors[name].to(here.device))
        self.find_running()

    @property
    def last_step_P(self) -> Tensor:
        """``[P]`` int64: each member's updates; for a diverged one, up to its last finite weights."""
        return torch.where(self.status_P == RUNNING, self.step, self.stop_step_P)

    @property
    def kept_step_P(self) -> Tensor:
        """``[P]`` int64: the step of the kept weights, the best or the last ones."""
        return torch.where(self.best.chosen_P, self.best.step_P, self.last_step_P)

    def end(self, members: Tensor, status: int, step: int) -> None:
        """End these members after ``step`` updates with this status."""
        self.status_P[members] = status
        self.stop_step_P[members] = step
        self.find_running()

    def find_running(self) -> None:
        """Update ``running`` from status_P."""
        self.running = (self.status_P == RUNNING).nonzero().flatten()

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by their names in a saved state, without copying."""
        return (
            self.population.tensors()
            | {f"best.{name}": t for name, t in self.best.tensors().items()}
            | {"epoch.sums": self.epoch_loss.sums, "epoch.last": self.epoch_loss.last}
            | {"status": self.status_P, "stop_step": self.stop_step_P}
        )
