"""Ticks, which a training yields after some steps: losses, evaluations and a view of the population."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.engine.augmentation import Changes
from treino.engine.ensemble import answer_module
from treino.engine.members import member_module
from treino.engine.optim import OPTIMIZERS
from treino.engine.population import Population
from treino.engine.step_plan import BatchIndices, StepPlan
from treino.engine.training_setup import TrainingSetup
from treino.engine.training_state import TrainingState

POPULATION_STALE = Refusal(
    "This population was step {old}'s, and the engine is at step {new}.",
    "Take tick.population.snapshot() while you hold the tick.",
)
NET_OF_MANY = Refusal("There are {n} networks here.", "Ask for one: tick.population.net(member).")

# ---- ticks

Evaluation = dict[str, dict[str, Tensor]]  # {split: {metric: [P] float64}}, NaN for ended members


@dataclass(frozen=True, eq=False)
class Epoch:
    """One pass over the training rows; the last may be cut short by ``steps``.

    number: from 1. step: updates done at the epoch's end. loss_P, loss_std_P: mean and standard deviation
    (ddof=0, as numpy's) of the steps' losses, float64; NaN for a member that ended before. evaluation:
    metrics of each member; None if none was due. answer: ``{split: {metric: value}}`` of the single network
    or of the ensemble; None without an evaluation, or if several members train separately. validation_std:
    the standard deviation of the answer's validation loss over batches of the training's size
    (``batch_deviation``). ended: ``time.perf_counter()`` at the epoch's end, interpolated within a chunk if
    epochs are shorter than 20 steps. evaluation_seconds: the evaluation's duration. answers: ``{split:
    {metric: [M] float64}}`` of M ensembles side by side; None without an evaluation, or without ensembles.
    """

    number: int
    step: int
    loss_P: Tensor
    loss_std_P: Tensor
    ended: float
    evaluation: Evaluation | None = None
    answer: dict[str, dict[str, float]] | None = None
    validation_std: float | None = None
    evaluation_seconds: float = 0.0
    answers: Evaluation | None = None


class PopulationView:
    """The population at a tick. Use after the training has moved on raises an error.

    It has the attributes of Population (``params``, ``hp``, ...); ``snapshot()`` is a copy to keep,
    ``net(member)`` a plain ``nn.Module`` copy, ``answer()`` a copy of the single network or the ensemble.
    """

    def __init__(self, setup: TrainingSetup, state: TrainingState) -> None:
        self._setup, self._state, self._step = setup, state, state.step

    def _fresh(self) -> Population:
        if self._state.step != self._step:
            raise POPULATION_STALE(old=self._step, new=self._state.step)
        return self._state.population

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("put", "fill", "bound"):
            raise AttributeError(name)
        return getattr(self._fresh(), name)

    def __len__(self) -> int:
        return len(self._fresh())

    def snapshot(self) -> Population:
        return self._fresh().rows(slice(None))

    def net(self, member: int = 0) -> nn.Module:
        return member_module(self._setup.model, self._fresh(), member)

    def answer(self) -> nn.Module:
        self._fresh()
        return answer_module(self._setup.model, self._setup.config, self._state, best_weights=False)


@dataclass(frozen=True, eq=False)
class Tick:
    """The result of consecutive steps: their losses, the epochs that ended, a view of the population.

    step: updates done. epoch: passes over the rows, maybe fractional. loss_SP: float32 ``[S, P]``, each
    step's loss before its update; NaN after a member's end. epochs: the epochs that ended within this tick.
    status_P: running, finished, stopped (by patience) or diverged. together: whether members form an
    ensemble.
    """

    step: int
    epoch: float
    loss_SP: Tensor
    epochs: list[Epoch]
    status_P: tuple[str, ...]
    population: PopulationView
    together: bool = False

    @property
    def loss(self) -> float | Tensor:
        """The loss of the last step: a number for one network, else ``[P]``."""
        last_P = self.loss_SP[-1]
        return last_P.item() if len(last_P) == 1 else last_P

    @property
    def loss_S(self) -> Tensor:
        """``[S]``: each step's loss; for several members the mean without NaN."""
        loss_SP = self.loss_SP
        if loss_SP.shape[1] == 1:
            return loss_SP[:, 0]
        return torch.where(loss_SP.isfinite(), loss_SP, torch.nan).nanmean(1)

    @property
    def evaluation(self) -> Evaluation | None:
        """The newest evaluation in ``epochs``; None without one."""
        return next((e.evaluation for e in reversed(self.epochs) if e.evaluation is not None), None)

    @property
    def answer(self) -> dict[str, dict[str, float]] | None:
        """The newest answer in ``epochs``; None without one."""
        return next((e.answer for e in reversed(self.epochs) if e.answer is not None), None)

    @property
    def net(self) -> nn.Module:
        """A copy of the single network or the ensemble at this tick, in evaluation mode."""
        if len(self.status_P) > 1 and not self.together:
            raise NET_OF_MANY(n=len(self.status_P))
        return self.population.answer()


# ---- the next update


@dataclass(frozen=True, eq=False)
class NextUpdate:
    """One member before its next update.

    hp: lr (with its schedule's factor), weight_decay, momentum, beta1, beta2, eps, clip (inf: no clipping),
    dropout. state: ``{parameter: {name: tensor}}`` in torch.optim's names; copies on the CPU. gradients:
    ``{parameter: tensor}``, the sum so far with the fault ``missing_zero_grad``, else empty.
    """

    hp: dict[str, float]
    state: dict[str, dict[str, Tensor]]
    gradients: dict[str, Tensor]


def next_update(setup: TrainingSetup, state: TrainingState, member: int = 0) -> NextUpdate:
    """The member before its next update, with all due changes of hyper-parameters applied."""
    population, step = state.population, state.step
    hp = {name: float(value_P[member]) for name, value_P in population.hp.items()}
    hp |= {change.name: change.value[member] for change in state.pending if change.step <= step}
    hp["lr"] *= setup.plan.factors(step, step + 1)[int(population.schedule_P[member])][0]
    layout, optimizer = setup.model.layout, OPTIMIZERS[setup.model.optimizer]

    def named(flat: Tensor) -> dict[str, Tensor]:
        return layout.named(flat[member].detach().to("cpu", copy=True))

    moments: dict[str, dict[str, Tensor]] = {name: {} for name in layout.names}
    if optimizer.own is None and (
        "momentum" not in optimizer.reads or hp["momentum"]
    ):  # like torch, no buffer without momentum
        for kind, moment in zip(optimizer.states, population.moments, strict=True):
            for name, value in named(moment).items():
                moments[name][kind] = value
    return NextUpdate(hp, moments, named(population.grads) if setup.model.summed else {})


def next_batch(plan: StepPlan, step: int) -> tuple[Tensor, Changes | None]:
    """The training rows of the update that follows ``step`` updates, ``[B]`` int64, and the changes to their
    pictures; None: no changes."""
    (index,), changes = BatchIndices(plan, torch.device("cpu"))(step, 1)
    return torch.arange(plan.rows) if index is None else index.clone(), changes[0] if changes else None
